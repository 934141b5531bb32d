"""Rules that look beyond the form: who applies where, what is registered already, what the certificate's font can
print."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from django.utils.translation import gettext as _

from cms.secrecy import find_mark
from marketplace.accounts.models.organizations import fold

from ..fonts import missing_characters
from ..models import Contract, ContractFile, Registration
from ..territory import deciding_party, is_import, office_for
from .finding import DRAFT_11, ERROR, NOTE, OURS, WARNING, Finding

ONCE = "《技术合同认定登记管理办法》征求意见稿第 11 条，按地域一次登记"


def dedupe_key(contract: Contract) -> str:
    """One contract is registered once: SHA-256 of lead seller, lead buyer, project, day of signing and total,
    folded."""
    seller, buyer = contract.lead_seller, contract.lead_buyer
    parts = (
        fold(seller.name) if seller else "",
        fold(buyer.name) if buyer else "",
        fold(contract.project_name),
        str(contract.signed_on),
        f"{contract.amount_total:.2f}" if contract.amount_total is not None else "",
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def territory(contract: Contract) -> Iterator[Finding]:
    """The seller applies at the office of its place; the buyer where technology is imported (art. 11)."""
    party = deciding_party(contract)
    field = "buyers" if is_import(contract) else "sellers"
    if party is None:
        return
    if party.organization_id != contract.applicant_id:
        word = _("技术进口合同由境内买方申请登记") if is_import(contract) else _("技术合同由卖方申请登记")
        yield Finding(
            "applicant_is_not_the_one",
            field,
            ERROR,
            _("%(rule)s，主要一方应是申请单位“%(name)s”。") % {"rule": word, "name": contract.applicant},
            DRAFT_11,
            "territory",
        )
    if party.region_id and office_for(contract) is None:
        yield Finding(
            "no_office",
            field,
            ERROR,
            _("%(place)s不在本市场登记机构的地域内，请到当地的技术合同登记机构办理。") % {"place": party.region},
            DRAFT_11,
            "territory",
        )


def duplicates(contract: Contract) -> Iterator[Finding]:
    """The same contract again is refused; the same file or the same two parties elsewhere is said."""
    others = Registration.objects.exclude(contract=contract).exclude(state="draft")
    same = others.filter(dedupe_key=dedupe_key(contract)).exclude(state="refused").first()
    if same is not None:
        yield Finding(
            "registered_already",
            "project_name",
            ERROR,
            _("同一份合同（双方、项目、签订日期、金额都相同）已有申请 %(n)s。") % {"n": same},
            ONCE,
            "duplicates",
        )
        return
    hashes = [f.sha256 for f in contract.files.all() if f.kind == "contract" and not f.is_removed]
    elsewhere = ContractFile.objects.filter(sha256__in=hashes, is_removed=False).exclude(contract=contract).first()
    if elsewhere is not None:
        yield Finding(
            "same_file_elsewhere", "files", WARNING, _("同一份合同文本文件也附在另一份申请里。"), ONCE, "duplicates"
        )
    seller, buyer = contract.lead_seller, contract.lead_buyer
    if not (seller and buyer and seller.organization_id and buyer.organization_id):
        return
    pair = (
        others.exclude(state="refused")
        .filter(contract__parties__side="seller", contract__parties__organization=seller.organization_id)
        .filter(
            contract__in=Contract.objects.filter(parties__side="buyer", parties__organization=buyer.organization_id)
        )
        .select_related("contract")
        .distinct()
    )
    known = list(pair[:20])
    alike = [other for other in known if other.contract.amount_total == contract.amount_total]
    if not known:
        return
    named = "、".join(str(other) for other in (alike or known)[:3])
    said = _("金额也相同") if alike else _("金额不同")
    yield Finding(
        "same_parties_and_amount" if alike else "same_parties",
        "sellers",
        WARNING if alike else NOTE,
        _("同一双方另有 %(n)d 份合同，%(said)s的如 %(names)s，请核对标的是否不同。")
        % {"n": len(known), "said": said, "names": named},
        ONCE,
        "duplicates",
    )


def glyphs(contract: Contract) -> Iterator[Finding]:
    """Every printed character has a glyph in the certificate's font, or is named before submission."""
    printed = [("project_name", contract.project_name)]
    printed += [(f"{party.side}s", party.name) for party in contract.parties.all()]
    for field, text in printed:
        missing = missing_characters(text)
        if missing:
            yield Finding(
                "no_glyph",
                field,
                ERROR,
                _("“%(text)s”里的字符“%(c)s”登记证明的字库里没有，印不出来，请换成通行的写法。")
                % {"text": text[:40], "c": "、".join(missing)},
                OURS,
                "glyphs",
            )


def secrets(contract: Contract) -> Iterator[Finding]:
    """A text that carries a secrecy mark never enters an internet system (《保守国家秘密法》; domain notes on
    listings, 7)."""
    for field in ("project_name", "summary", "novelty_points", "related_note"):
        if find_mark([getattr(contract, field)]):
            yield Finding(
                "secret", field, ERROR, _("文字带有密级标志，涉密合同不在网上办理。"), "《保守国家秘密法》", "secrets"
            )


RULES = (territory, duplicates, glyphs, secrets)
