"""The way through the office up to the second review. Each act is one transaction: checked, changed, logged, told."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace import files, workdays
from marketplace.accounts import acting
from marketplace.accounts.models import Organization
from marketplace.deals import services as deals
from marketplace.workflow import MoveNotAllowed, check_version

from .. import items, rules, territory
from ..models import ContractFile, ExpertOpinion, Registration, ReviewMark, RuleSet
from ..models.registration import ACCEPTED, EXPERT_REVIEW, is_first_reviewer
from ..rules.register import dedupe_key
from .common import FormIncomplete, loaded, lock, require, tell_applicant, tell_officers
from .drafting import keep_file

REASON_LIMIT = 500


def rule_set_on(day: dt.date) -> RuleSet:
    """The rules in force on a day: a contract is judged by those of the day of its acceptance."""
    found = RuleSet.objects.filter(effective_on__lte=day).order_by("-effective_on").first()
    if found is None:
        raise MoveNotAllowed(_("没有适用于 %(day)s 的登记规则，请管理员补录。") % {"day": day})
    return found


def limit(rule_set: RuleSet, accepted_on: dt.date, *, amount_tech: Decimal | None, disputed: bool) -> dict[str, Any]:
    """The last day of handling as fields of the registration: `due_on`, and whether it had to be estimated."""
    is_large = disputed or (amount_tech is not None and amount_tech >= rule_set.large_amount)
    days = rule_set.large_days if is_large else rule_set.normal_days
    if not rule_set.are_working_days:
        return {"due_on": accepted_on + dt.timedelta(days=days), "is_due_estimated": False}
    found = workdays.deadline(accepted_on, days)
    return {"due_on": found.day, "is_due_estimated": found.is_provisional}


def needs_expert(registration: Registration) -> bool:
    """Whether an expert must be heard: technology amount from the large amount on, or a dispute (征求意见稿 art.
    14)."""
    rule_set = registration.rule_set or rule_set_on(timezone.localdate())
    amount = registration.contract.amount_tech
    return registration.is_disputed or (amount is not None and amount >= rule_set.large_amount)


def _fresh(registration: Registration, seen: int | str | None) -> Registration:
    """The row as the caller read it, with the contract loaded for rules; Conflict where the page was made from
    another."""
    check_version(registration, seen or None)
    registration.contract = loaded(registration.contract_id)
    return registration


@transaction.atomic
def submit(
    registration: Registration, *, by: Any, on_behalf_of: Organization, seen: int | str | None = None
) -> Registration:
    """Hand the form in to the office of the deciding party's place. Raises FormIncomplete (nothing changed),
    MoveNotAllowed, Conflict. The deal of the contract is signed by this: the applicant declared it."""
    acting.require(by, on_behalf_of)
    lock(registration.contract_id)
    _fresh(registration, seen)
    contract = registration.contract
    faults = rules.errors(contract) if registration.state == "draft" else []
    if faults:
        raise FormIncomplete(faults)
    office = territory.office_for(contract)
    _move_once(
        registration,
        "submit",
        by=by,
        on_behalf_of=on_behalf_of,
        submitted_at=timezone.now(),
        office=office,
        dedupe_key=dedupe_key(contract) if office else "",
    )
    if contract.deal is not None and contract.deal.state == "terms":
        deals.mark_signed(contract.deal, by=by)
    tell_officers(registration, "submitted", dedupe=str(registration.version), first_review=True)
    return registration


def _move_once(registration: Registration, name: str, **changes: Any) -> None:
    """A move whose dedupe key must be free: the constraint's refusal becomes a sentence."""
    try:
        with transaction.atomic():
            registration.move(name, **changes)
    except IntegrityError as error:
        if "one_registration_per_contract_content" in str(error) or "dedupe_key" in str(error):
            raise MoveNotAllowed(_("同一份合同已有另一份申请。没有提交。")) from error
        raise


@transaction.atomic
def accept(
    registration: Registration, *, by: Any, disputed: bool = False, seen: int | str | None = None
) -> Registration:
    """受理: the clock starts, under the rules of this day. A contract of another office's territory is refused here."""
    _fresh(registration, seen)
    contract = registration.contract
    right = territory.office_for(contract)
    if right is None or right.pk != registration.office_id:
        where = right.name if right else _("当地的技术合同登记机构")
        raise MoveNotAllowed(_("卖方不在本机构的登记地域，应由“%(office)s”受理。没有受理。") % {"office": where})
    today = timezone.localdate()
    rule_set = rule_set_on(today)
    registration.move(
        "accept",
        by=by,
        accepted_on=today,
        rule_set=rule_set,
        is_disputed=disputed,
        **limit(rule_set, today, amount_tech=contract.amount_tech, disputed=disputed),
    )
    tell_applicant(registration, "accepted", dedupe=str(registration.version))
    return registration


@transaction.atomic
def reject_form(registration: Registration, *, by: Any, reason: str, seen: int | str | None = None) -> Registration:
    """Give an application back before it is accepted (wrong body, wrong applicant, not the seller)."""
    _fresh(registration, seen)
    require(reason.strip(), _("请写明退回申请的理由，申请人会看到。"))
    registration.move("reject_form", by=by, note=reason.strip()[:2000], supplement_note=reason.strip()[:2000])
    tell_applicant(registration, "returned_form", dedupe=str(registration.version), reason=reason.strip())
    return registration


@transaction.atomic
def mark(
    registration: Registration,
    *,
    by: Any,
    marks: dict[str, tuple[str, str]],
    seen: int | str | None = None,
    warning_answer: str | None = None,
) -> Registration:
    """Keep what the first reviewer said of items: {item: ("pass" | "return", reason)}. A return needs its reason.

    Only while the form lies at first review (or with the expert). Raises MoveNotAllowed, Conflict; then nothing
    changed.
    """
    _fresh(registration, seen)
    require(registration.state in (ACCEPTED, EXPERT_REVIEW), _("现在不在初审，不能审查事项。"))
    require(is_first_reviewer(registration, by), _("您没有初审权限，或这是您本单位的合同。"))
    known = {item.key: item for item in items.of(registration.contract)}
    for key, (verdict, _reason) in marks.items():
        require(key in known and verdict in ("pass", "return"), _("没有这个审查事项。"))
    # Named all at once: who returns five items should not be sent back five times.
    bare = [known[key].label for key, (verdict, reason) in marks.items() if verdict == "return" and not reason.strip()]
    require(not bare, _("退回“%(item)s”请写明理由，申请人会看到。") % {"item": "”“".join(bare)})
    changes = {} if warning_answer is None else {"warning_answer": warning_answer.strip()[:2000]}
    registration.change(**changes)
    for key, (verdict, reason) in marks.items():
        ReviewMark.objects.update_or_create(
            registration=registration,
            round=registration.review_round,
            item=key,
            defaults={
                "verdict": verdict,
                "reason": reason.strip()[:REASON_LIMIT] if verdict == "return" else "",
                "value": items.judged(known[key]),
                "by": by,
            },
        )
    return registration


def marks_of(registration: Registration) -> dict[str, ReviewMark]:
    """The marks of the present round, by item."""
    return {m.item: m for m in registration.marks.filter(round=registration.review_round).select_related("by")}


def unmarked(registration: Registration) -> list[items.Item]:
    """Items of the present round that nobody has passed yet (also the returned ones)."""
    marks = marks_of(registration)
    return [i for i in items.of(registration.contract) if i.key not in marks or marks[i.key].verdict != "pass"]


@transaction.atomic
def ask_supplement(
    registration: Registration, *, by: Any, note: str = "", seen: int | str | None = None
) -> Registration:
    """退回补正: the returned items of this round become the list of what to mend, until a day (rule set)."""
    _fresh(registration, seen)
    returned = [m for m in marks_of(registration).values() if m.verdict == "return"]
    require(returned, _("还没有退回任何事项。请先在事项上点“退回”并写明理由。"))
    labels = {item.key: item.label for item in items.of(registration.contract)}
    lines = [f"{labels.get(m.item, m.item)}：{m.reason}" for m in returned]
    text = "\n".join([*lines, note.strip()] if note.strip() else lines)
    days = registration.rule_set.supplement_days if registration.rule_set else 30
    registration.move(
        "ask_supplement",
        by=by,
        note=text,
        supplement_note=text[:2000],
        supplement_due_on=timezone.localdate() + dt.timedelta(days=days),
    )
    tell_applicant(registration, "supplement", dedupe=str(registration.version), lines=lines, note=note.strip())
    return registration


@transaction.atomic
def supply(
    registration: Registration, *, by: Any, on_behalf_of: Organization, seen: int | str | None = None
) -> Registration:
    """The mended form comes back: the clock restarts on this day; passes stand where nothing was changed."""
    acting.require(by, on_behalf_of)
    lock(registration.contract_id)
    _fresh(registration, seen)
    contract = registration.contract
    faults = rules.errors(contract) if registration.state == "supplement" else []
    if faults:
        raise FormIncomplete(faults)
    right = territory.office_for(contract)
    require(
        registration.state != "supplement" or (right is not None and right.pk == registration.office_id),
        _("补正后卖方不在原登记机构的地域，请撤回后向“%(office)s”申请。") % {"office": right or _("当地登记机构")},
    )
    today = timezone.localdate()
    rule_set = rule_set_on(today)
    before = marks_of(registration)
    _move_once(
        registration,
        "supply",
        by=by,
        on_behalf_of=on_behalf_of,
        accepted_on=today,
        rule_set=rule_set,
        review_round=registration.review_round + 1,
        supplement_due_on=None,
        dedupe_key=dedupe_key(contract),
        **limit(rule_set, today, amount_tech=contract.amount_tech, disputed=registration.is_disputed),
    )
    _carry(registration, before)
    tell_officers(registration, "supplied", dedupe=str(registration.version), first_review=True)
    return registration


def _carry(registration: Registration, before: dict[str, ReviewMark]) -> None:
    """Passes of the round before stand in the new one while what was passed still stands in the form."""
    stands = {item.key: items.judged(item) for item in items.of(registration.contract)}
    ReviewMark.objects.bulk_create(
        ReviewMark(
            registration=registration,
            round=registration.review_round,
            item=m.item,
            verdict="pass",
            value=m.value,
            by=m.by,
        )
        for m in before.values()
        if m.verdict == "pass" and stands.get(m.item) == m.value
    )


def _require_reviewed(registration: Registration, warning_answer: str) -> str:
    """Every item passed, no fault left, every doubt answered. Returns the answer that stands."""
    open_items = unmarked(registration)
    require(
        not open_items,
        _("还有 %(n)d 项没有通过：%(items)s。")
        % {"n": len(open_items), "items": "、".join(i.label for i in open_items)},
    )
    found = rules.findings(registration.contract)
    faults = [f for f in found if f.is_error]
    if faults:
        raise FormIncomplete(faults)
    answer = warning_answer.strip() or registration.warning_answer
    doubts = [f for f in found if f.is_warning]
    require(
        answer or not doubts,
        _("规则核对有 %(n)d 处提示（%(first)s），请写明核对结果。")
        % {"n": len(doubts), "first": doubts[0].message if doubts else ""},
    )
    return answer[:2000]


@transaction.atomic
def pass_first(
    registration: Registration, *, by: Any, warning_answer: str = "", seen: int | str | None = None
) -> Registration:
    """通过初审: on to another person. Raises MoveNotAllowed naming the items left, unanswered doubts, a missing
    expert."""
    _fresh(registration, seen)
    if registration.state == ACCEPTED:
        answer = _require_reviewed(registration, warning_answer)
        require(
            not needs_expert(registration) or ExpertOpinion.objects.filter(registration=registration).exists(),
            _("技术交易额达到大额起点或有争议，须先送专家评议。"),
        )
    else:
        answer = ""
    registration.move(
        "pass", by=by, first_reviewer=by, first_reviewed_at=timezone.now(), second_reviewer=None, warning_answer=answer
    )
    tell_officers(registration, "to_second", dedupe=str(registration.version), second_review=True)
    return registration


@transaction.atomic
def escalate(registration: Registration, *, by: Any, reason: str = "", seen: int | str | None = None) -> Registration:
    """送专家评议: for a large amount by the rule, else as a dispute, whose reason is then compulsory."""
    _fresh(registration, seen)
    by_rule = needs_expert(registration)
    require(by_rule or reason.strip(), _("金额未达大额起点，按争议送专家评议请写明争议之处。"))
    changes: dict[str, Any] = {"is_disputed": registration.is_disputed or not by_rule}
    if changes["is_disputed"] and registration.rule_set and registration.accepted_on:
        changes |= limit(
            registration.rule_set,
            registration.accepted_on,
            amount_tech=registration.contract.amount_tech,
            disputed=True,
        )
    registration.move("escalate", by=by, note=reason.strip()[:2000], **changes)
    return registration


@transaction.atomic
def conclude(
    registration: Registration,
    *,
    by: Any,
    expert_name: str,
    expert_title: str,
    conclusion: str,
    opinion: str,
    file: Any,
    given_on: dt.date,
    warning_answer: str = "",
    seen: int | str | None = None,
) -> ExpertOpinion:
    """录入专家意见: name, post, conclusion, words and the signed paper (an upload: PDF or picture). Then second review.

    A case that went to the expert without a first review has it now: its items must be passed. The officer who enters
    the opinion is then the first reviewer, and another person decides.
    """
    _fresh(registration, seen)
    require(expert_name.strip() and expert_title.strip(), _("请填写专家姓名和职称、单位。"))
    require(conclusion in dict(ExpertOpinion.CONCLUSIONS), _("请选择专家结论。"))
    require(opinion.strip(), _("请填写专家意见。"))
    require(given_on <= timezone.localdate(), _("评议日期还没有到，请核对。"))
    changes: dict[str, Any] = {}
    if registration.state == EXPERT_REVIEW:
        changes["warning_answer"] = _require_reviewed(registration, warning_answer)
    if registration.first_reviewer_id is None:
        changes |= {"first_reviewer": by, "first_reviewed_at": timezone.now()}
    registration.move("conclude", by=by, note=opinion.strip()[:2000], **changes)
    if isinstance(file, ContractFile):
        paper = file
    else:
        checked = files.check(file, allowed=(".pdf", ".jpg", ".jpeg", ".png"))
        paper = keep_file(registration.contract, file, checked, kind="expert", by=by)
    row = ExpertOpinion.objects.create(
        registration=registration,
        expert_name=expert_name.strip()[:50],
        expert_title=expert_title.strip()[:120],
        conclusion=conclusion,
        opinion=opinion.strip()[:3000],
        file=paper,
        given_on=given_on,
        entered_by=by,
    )
    tell_officers(registration, "to_second", dedupe=str(registration.version), second_review=True)
    return row


@transaction.atomic
def return_to_first(registration: Registration, *, by: Any, reason: str, seen: int | str | None = None) -> Registration:
    """退回初审: a new round begins with nothing passed; the first reviewer sees why."""
    _fresh(registration, seen)
    require(reason.strip(), _("请写明退回初审的理由。"))
    registration.move(
        "return",
        by=by,
        note=reason.strip()[:2000],
        review_round=registration.review_round + 1,
        first_reviewer=None,
        first_reviewed_at=None,
    )
    tell_officers(registration, "back_to_first", dedupe=str(registration.version), first_review=True)
    return registration
