"""What the acts of applicants and officers share."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from marketplace.notifications.services import notify
from marketplace.workflow import MoveNotAllowed

from ..models import Contract, ExpertOpinion, Officer, Registration
from ..rules import Finding


class FormIncomplete(MoveNotAllowed):
    """The form has faults; `findings` lists them. Nothing was changed."""

    def __init__(self, findings: list[Finding]) -> None:
        text = _("登记表有 %(n)d 处需要更正：%(first)s") % {"n": len(findings), "first": findings[0].message}
        super().__init__(text)
        self.findings = findings


def loaded(contract: Contract | int) -> Contract:
    """The contract as it stands in the database, with everything that rules and pages read, in a fixed number of
    queries."""
    pk = contract if isinstance(contract, int) else contract.pk
    return (
        Contract.objects.select_related(
            "applicant",
            "contract_type",
            "payment_method",
            "ip_type",
            "plan_source",
            "technology_field",
            "social_objective",
            "served_industry",
            "deal",
            "registration__office__region",
            "registration__rule_set",
            "registration__first_reviewer",
            "registration__second_reviewer",
        )
        .prefetch_related(
            "parties__region",
            "parties__organization",
            "deductions",
            "ip_items",
            "files",
            Prefetch(
                "registration__opinions",
                ExpertOpinion.objects.select_related("file", "entered_by").order_by("entered_at", "pk"),
            ),
        )
        .get(pk=pk)
    )


def lock(contract_id: int) -> None:
    """Hold the contract until the transaction ends: its form is changed or handed in, never both at once.

    On SQLite every writing transaction is alone anyway. Raises MoveNotAllowed where the draft was deleted meanwhile.
    """
    rows = Contract.objects.select_for_update(no_key=True).filter(pk=contract_id)
    require(rows.values_list("pk", flat=True).first(), _("这份登记表已经删除。"))


def require(condition: Any, message: str) -> None:
    """Raise MoveNotAllowed with a text for people unless the condition holds."""
    if not condition:
        raise MoveNotAllowed(message)


def tell_applicant(registration: Registration, template: str, *, dedupe: str, **context: Any) -> bool:
    """A notice to everyone of the applicant's organisation; whether anybody was told who had not been told before."""
    contract = registration.contract
    if contract.applicant is None:
        return False
    return bool(
        notify(
            contract.applicant.people(),
            f"contracts/notices/{template}",
            dedupe=f"{template}:{registration.form_number}:{dedupe}",
            url=contract.get_absolute_url(),
            context={"registration": registration, "contract": contract, **context},
        )
    )


def tell_officers(registration: Registration, template: str, *, dedupe: str, **post: bool) -> bool:
    """A notice to the office's officers with a given right (first_review=True or second_review=True); whether anybody
    was told who had not been told before."""
    officers = Officer.objects.filter(
        office=registration.office_id, is_active=True, user__is_active=True, **post
    ).select_related("user")
    # Who reviewed first has no part in the second review, but may have to enter an expert's opinion.
    left_out = registration.first_reviewer_id if post.get("second_review") else None
    rows = notify(
        [officer.user for officer in officers if officer.user_id != left_out],
        f"contracts/notices/{template}",
        dedupe=f"{template}:{registration.form_number}:{dedupe}",
        url=f"/registrar/{registration.form_number}/",
        context={"registration": registration, "contract": registration.contract},
    )
    return bool(rows)
