"""合同登记编号: sixteen digits YYYY PP CC NN SSSSSS, serials without gaps, given in the transaction that recognises.

The counter is raised by compare-and-set; a number is used or the whole transaction falls, so none is lost or given
twice.
"""

from __future__ import annotations

import re

from django.db.models import Max
from django.utils.translation import gettext as _

from marketplace.workflow import MoveNotAllowed

from .models import NumberCounter, Office, Registration
from .territory import number_prefix

PATTERN = re.compile(r"\d{16}")
TRIES = 50


def _highest_known(prefix: str) -> int:
    """The highest serial that the register already has under a prefix (imported rows keep the numbers they came
    with)."""
    rows = Registration.objects.filter(registration_number__startswith=prefix, registration_number__regex=r"^\d{16}$")
    found = rows.aggregate(top=Max("registration_number"))["top"]
    return int(found[10:]) if found else 0


def next_number(office: Office, year: int) -> str:
    """Raise the office's counter of this year by one and give back the number. The caller holds the transaction."""
    prefix = number_prefix(office, year)
    counter, _made = NumberCounter.objects.get_or_create(
        office=office, year=year, defaults={"last": _highest_known(prefix)}
    )
    for _attempt in range(TRIES):
        serial = counter.last + 1
        if Registration.objects.filter(registration_number=f"{prefix}{serial:06d}").exists():
            serial = _highest_known(prefix) + 1
        raised = NumberCounter.objects.filter(pk=counter.pk, last=counter.last).update(last=serial)
        if raised:
            return f"{prefix}{serial:06d}"
        counter.refresh_from_db()
    raise MoveNotAllowed(_("编号正被其他人领取，请稍候再试。没有登记。"))


def check_national(text: str, year: int) -> str:
    """A number typed in from the national system: sixteen digits that begin with the year. Raises MoveNotAllowed."""
    number = re.sub(r"\s", "", text)
    if not PATTERN.fullmatch(number):
        raise MoveNotAllowed(_("全国系统的合同登记编号应为 16 位数字，您填的是“%(n)s”。") % {"n": text.strip()[:40]})
    if number[:4] != str(year):
        raise MoveNotAllowed(
            _("编号的前 4 位是 %(given)s，应为登记年份 %(year)d，请核对。") % {"given": number[:4], "year": year}
        )
    if Registration.objects.filter(registration_number=number).exists():
        raise MoveNotAllowed(_("编号 %(n)s 已用于另一份合同，请核对。") % {"n": number})
    return number
