"""Resident identity numbers (GB 11643-1999): checked, then forgotten. Kept are a keyed hash and the last four
characters.

个人信息保护法 arts. 6 and 28: no more than the purpose needs. The hash finds the same person again; without the site's
secret key nobody can try numbers against it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from cms.identifiers import PROVINCES, half_width

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


@dataclass(frozen=True)
class Kept:
    """What is stored of a number that passed."""

    hash: str
    last4: str


def resident_check(body: str) -> str:
    """The 18th character for the first 17 digits (ISO 7064, MOD 11-2)."""
    return CHECKS[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def keep(text: str) -> Kept:
    """Check a typed number (full-width digits and spaces are known) and give back what may be kept of it.

    Raises ValidationError saying what is wrong. The message never repeats the number: it would end in pages and logs.
    """
    number = half_width(text)
    if len(number) != 18:
        raise ValidationError(_("居民身份证号应为 18 位，您填的是 %(n)d 位。") % {"n": len(number)})
    if not number[:17].isdigit() or number[17] not in "0123456789X":
        raise ValidationError(_("居民身份证号前 17 位应是数字，最后一位是数字或 X。"))
    if number[:2] not in PROVINCES:
        raise ValidationError(_("居民身份证号第 1、2 位不是省级代码，请核对。"))
    try:
        born = dt.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise ValidationError(_("居民身份证号第 7 到 14 位不是有效的出生日期，请核对。")) from error
    if not dt.date(1900, 1, 1) <= born <= timezone.localdate():
        raise ValidationError(_("居民身份证号里的出生日期应在 1900 年到今天之间，请核对。"))
    if number[17] != resident_check(number[:17]):
        raise ValidationError(_("居民身份证号的校验位（第 18 位）与前 17 位不符，请逐位核对。"))
    digest = salted_hmac("contracts.identity", number, algorithm="sha256").hexdigest()
    return Kept(digest, number[-4:])
