"""Sets a contract into any state by the same services that people use; invented names only."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from cms.identifiers import make_credit_code
from marketplace.contracts import items, services
from marketplace.contracts.models import Contract, Registration
from tests.factories import OfficeFactory, OfficerFactory, OrganizationFactory, UserFactory, member

SUMMARY = "研制改性铝基除氟填料和两级串联装置，完成中试并交付工艺包，使出水氟离子稳定在 1 mg/L 以下。"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def pdf(text: str = "", name: str = "合同文本.pdf") -> SimpleUploadedFile:
    """An upload that begins like a PDF; `text` makes its hash its own."""
    return SimpleUploadedFile(name, PDF + text.encode(), content_type="application/pdf")


class Scene:
    """An office with its people, a seller and a buyer, and the shortest way to each state."""

    def __init__(self, *, seller_region: str = "150603", territory: str = "1506", national: bool = False) -> None:
        self.office = OfficeFactory(numbering="national" if national else "own", territory=territory)
        self.first = OfficerFactory(office=self.office).user
        self.second = OfficerFactory(office=self.office, second=True).user
        self.seller = OrganizationFactory(
            name=f"朔方测试大学{self.office.pk}",
            kind="university",
            region_id=seller_region,
            legal_representative="测试甲",
        )
        self.buyer = OrganizationFactory(name=f"北塬测试煤业{self.office.pk}有限公司", region_id="150622")
        self.applicant = member(self.seller)
        self.buyer_person = member(self.buyer)
        self.count = 0

    def party(self, organization: Any, side: str, **changes: Any) -> dict[str, Any]:
        return {
            **services.party_of(organization, side),
            "industry_id": "73",
            "legal_representative": "测试甲",
            "contact_name": "联系人甲",
            "contact_phone": "0477-0000000",
            "address": "测试路 1 号",
            **changes,
        }

    def fields(self, **changes: Any) -> dict[str, Any]:
        today = timezone.localdate()
        return {
            "contract_type_id": "TD1",
            "signed_on": today - dt.timedelta(days=10),
            "effective_on": today - dt.timedelta(days=10),
            "valid_from": today - dt.timedelta(days=10),
            "valid_to": today + dt.timedelta(days=365),
            "natures": ["domestic"],
            "amount_total": Decimal("1200000.00"),
            "amount_tech": Decimal("900000.00"),
            "payment_method_id": "P2",
            "plan_source_id": "9",
            "ip_type_id": "K1",
            "technology_field_id": "0701",
            "social_objective_id": "01",
            "served_industry_id": "26",
            "summary": SUMMARY,
            "novelty_points": "填料可再生 18 次",
            "filler": "填报人甲",
            "responsible": "负责人乙",
            "is_declared_signed": True,
            **changes,
        }

    def filled(
        self,
        *,
        sellers: Any = None,
        buyers: Any = None,
        deductions: Any = None,
        ip_items: Any = None,
        file: bool = True,
        name: str = "",
        **changes: Any,
    ) -> Contract:
        """A form that can be submitted, unless `changes` spoil it."""
        self.count += 1
        by, org = self.applicant, self.seller
        title = name or f"高盐废水除氟装置研究开发{self.count}"
        contract = services.draft_by_hand(by=by, on_behalf_of=org, project_name=title)
        fields = self.fields(**changes)
        if deductions is None:
            rest = fields["amount_total"] - fields["amount_tech"]
            deductions = [{"kind": "D1", "amount": rest, "clause": "附件二"}] if rest else []
        contract = services.fill(
            contract,
            by=by,
            on_behalf_of=org,
            fields=fields,
            sellers=sellers or [self.party(self.seller, "seller")],
            buyers=buyers or [self.party(self.buyer, "buyer")],
            deductions=deductions,
            ip_items=ip_items,
        )
        if file:
            services.attach(contract, pdf(f"{self.office.pk}-{self.count}"), kind="contract", by=by, on_behalf_of=org)
        return services.loaded(contract)

    def submitted(self, **kwargs: Any) -> Registration:
        contract = self.filled(**kwargs)
        return services.submit(contract.registration, by=self.applicant, on_behalf_of=self.seller)

    def accepted(self, *, disputed: bool = False, **kwargs: Any) -> Registration:
        return services.accept(self.submitted(**kwargs), by=self.first, disputed=disputed)

    def judge(self, registration: Registration, **returned: str) -> Registration:
        """Every item passed but those named with a reason."""
        marks = {
            item.key: ("return", returned[item.key]) if item.key in returned else ("pass", "")
            for item in items.of(services.loaded(registration.contract_id))
        }
        return services.mark(registration, by=self.first, marks=marks)

    def opinion(self, registration: Registration, **changes: Any) -> None:
        """The expert's paper is entered; the case stands at second review."""
        services.escalate(registration, by=self.first)
        self.judge(registration)
        values = {
            "expert_name": "专家甲",
            "expert_title": "教授级高级工程师，测试研究院",
            "conclusion": "technology",
            "opinion": "属于技术开发合同，技术交易额核定合理。",
            "given_on": timezone.localdate(),
            "file": pdf("opinion", "专家意见.pdf"),
            "warning_answer": "已核对合同文本",
            **changes,
        }
        services.conclude(registration, by=self.first, **values)

    def at_second(self, **kwargs: Any) -> Registration:
        registration = self.judge(self.accepted(**kwargs))
        return services.pass_first(registration, by=self.first, warning_answer="已核对合同文本")

    def recognised(self, *, number: str = "", **kwargs: Any) -> Registration:
        return services.recognise(self.at_second(**kwargs), by=self.second, number=number)


def abroad(name: str = "Invented Process Ltd", **changes: Any) -> dict[str, Any]:
    """A foreign party."""
    return {
        "kind": "foreign",
        "country": "DEU",
        "name": name,
        "nature_id": "600",
        "contact_name": "A. Person",
        "contact_phone": "+00 000",
        "address": "Test Street 1",
        "is_lead": True,
        **changes,
    }


def person(name: str = "测试自然人", number: str = "11010519491231002X", **changes: Any) -> dict[str, Any]:
    """A natural person with a number that passes the check (the standard's own example)."""
    return {
        "kind": "person",
        "name": name,
        "id_number": number,
        "nature_id": "500",
        "region_id": "150602",
        "contact_name": name,
        "contact_phone": "0477-0000001",
        "address": "测试路 2 号",
        "is_lead": True,
        **changes,
    }


__all__ = ["SUMMARY", "Scene", "UserFactory", "abroad", "make_credit_code", "pdf", "person"]
