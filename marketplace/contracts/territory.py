"""Which office may register a contract: by the seller's place, an import by the buyer's (征求意见稿 art. 11)."""

from __future__ import annotations

from cms.taxonomy import area_prefix

from .models import Contract, Office, OfficeTerritory, Party


def office_for_region(code: str) -> Office | None:
    """The active office whose territory's prefix is the longest that begins this region's code; None where there
    is none."""
    prefixes = [code[:n] for n in range(len(code), 0, -1)]
    found = OfficeTerritory.objects.filter(prefix__in=prefixes, office__is_active=True).select_related("office__region")
    best = max(found, key=lambda row: len(row.prefix), default=None)
    return best.office if best else None


def is_import(contract: Contract) -> bool:
    """技术进口: the seller is abroad and the domestic buyer applies."""
    return "import" in contract.natures


def deciding_party(contract: Contract) -> Party | None:
    """The lead party whose place decides the office and who applies."""
    return contract.lead_buyer if is_import(contract) else contract.lead_seller


def office_for(contract: Contract) -> Office | None:
    """The office that may register this contract, or None while its deciding party has no region or no office
    serves it."""
    party = deciding_party(contract)
    return office_for_region(party.region_id) if party is not None and party.region_id else None


def number_prefix(office: Office, year: int) -> str:
    """The first ten digits of the office's numbers: year, province, city, point (16-digit layout, form guide)."""
    code = area_prefix(office.region_id).ljust(4, "0")[:4]
    return f"{year:04d}{code}{office.point}"
