"""技术合同认定登记证明: the facts as printed are kept with their hash; the paper is drawn from them, never from
the contract.

A later rename or change therefore leaves what the paper says untouched. The code on it (and in its QR) opens /verify/.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from cms.numbers import ALPHABET
from marketplace import money

from .models import Certificate, Contract, Registration
from .territory import deciding_party

# 12 characters of 32: 60 bits, so that no code can be guessed or walked through.
GROUPS, SIZE = 3, 4


def new_code() -> str:
    """A fresh verification code, K7QX-3M9T-2PWA."""
    return "-".join("".join(secrets.choice(ALPHABET) for _n in range(SIZE)) for _g in range(GROUPS))


def tidy_code(text: str) -> str:
    """A code as typed, in the form it is kept: upper case, O as 0, I and L as 1; empty where it cannot be one."""
    raw = re.sub(r"[^0-9A-Z]", "", text.upper()).translate(str.maketrans("OIL", "011"))
    if len(raw) != GROUPS * SIZE or any(c not in ALPHABET for c in raw):
        return ""
    return "-".join(raw[n : n + SIZE] for n in range(0, len(raw), SIZE))


def _names(contract: Contract, side: str) -> list[str]:
    rows = sorted((p for p in contract.parties.all() if p.side == side), key=lambda p: (not p.is_lead, p.order, p.pk))
    return [p.name if p.share == 100 else f"{p.name}（{p.share.normalize():f}%）" for p in rows]


def facts_of(registration: Registration) -> dict[str, Any]:
    """What the paper states (征求意见稿 art. 15: 合同成交额 and 技术交易额). Dates ISO, amounts 元 as text."""
    contract = registration.contract
    party = deciding_party(contract)
    return {
        "number": registration.registration_number,
        "project_name": contract.project_name,
        "contract_type": contract.contract_type.name,
        "group": contract.contract_type.group5,
        "licence_mode": contract.get_licence_mode_display() if contract.licence_mode else "",
        "sellers": _names(contract, "seller"),
        "buyers": _names(contract, "buyer"),
        "signed_on": contract.signed_on.isoformat(),
        "valid_from": contract.valid_from.isoformat(),
        "valid_to": contract.valid_to.isoformat(),
        "amount_total": f"{contract.amount_total:.2f}",
        "amount_total_capital": money.capital(contract.amount_total),
        "amount_tech": f"{contract.amount_tech:.2f}",
        "is_amount_uncertain": contract.is_amount_uncertain,
        "office": registration.office.name,
        "authority": registration.office.authority,
        "registrar": registration.second_reviewer.name if registration.second_reviewer else "",
        "registered_on": registration.registered_on.isoformat(),
        "region": party.region.name if party and party.region else "",
        "version": contract.version,
    }


def digest(facts: dict[str, Any]) -> str:
    """SHA-256 of the facts in one canonical spelling."""
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def issue(registration: Registration) -> Certificate:
    """Keep the certificate of a contract that has just been registered; the caller holds the transaction."""
    facts = facts_of(registration)
    return Certificate.objects.create(
        registration=registration,
        code=new_code(),
        issued_on=registration.registered_on,
        facts=facts,
        facts_sha256=digest(facts),
    )


def is_intact(certificate: Certificate) -> bool:
    """Whether the kept facts still have the hash that they were issued with."""
    return digest(certificate.facts) == certificate.facts_sha256


def status(certificate: Certificate) -> str:
    """valid while the contract is registered and the facts are intact; else void."""
    return "valid" if certificate.registration.state == "registered" and is_intact(certificate) else "void"


def by_code(text: str) -> Certificate | None:
    """The certificate of a typed code, or None; nothing tells how near an unknown code was."""
    code = tidy_code(text)
    found = Certificate.objects.select_related("registration").filter(code=code) if code else Certificate.objects.none()
    return found.first()


def printed(certificate: Certificate) -> list[tuple[str, str]]:
    """The rows of the paper in order: label and text. The check page and the API show exactly these."""
    f = certificate.facts
    kind = f"{f['group']} · {f['contract_type']}" + (f"（{f['licence_mode']}）" if f["licence_mode"] else "")
    total, tech = Decimal(f["amount_total"]), Decimal(f["amount_tech"])
    open_amount = _("（含待定部分，确定后补充登记）") if f["is_amount_uncertain"] else ""
    return [
        (_("合同登记编号"), f["number"]),
        (_("项目名称"), f["project_name"]),
        (_("合同类别"), kind),
        (_("卖方"), "；".join(f["sellers"])),
        (_("买方"), "；".join(f["buyers"])),
        (_("合同签订日期"), f["signed_on"]),
        (_("合同有效期限"), _("%(a)s 至 %(b)s") % {"a": f["valid_from"], "b": f["valid_to"]}),
        (_("合同成交额"), f"{money.yuan(total)} 元{open_amount}"),
        (_("大写"), f["amount_total_capital"]),
        (_("其中技术交易额"), f"{money.yuan(tech)} 元"),
        (_("登记机构"), f["office"]),
        (_("登记员"), f["registrar"]),
        (_("认定登记日期"), f["registered_on"]),
    ]
