"""The invariants of the field (domain notes, 9), each by its service and, where one stands, by the database itself.

A negative control takes a guard away and sees the attack succeed: what the test sees fail is the guard, not chance.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from marketplace import guards
from marketplace.contracts import ledger, numbering, rules, services
from marketplace.contracts.imports import import_registered
from marketplace.contracts.models import Contract, ContractType, Deduction, Party, Registration, TurnoverEntry
from marketplace.contracts.rules.register import dedupe_key
from marketplace.workflow import MoveNotAllowed
from tests.contracts.factories import Scene, abroad, pdf
from tests.factories import OfficeFactory, OfficerFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


def refused_by_the_database(act) -> bool:
    try:
        with transaction.atomic():
            act()
    except IntegrityError:
        return True
    return False


def without(name: str):
    """The guard of that name, for taking it away."""
    return [guard for guard in guards.registered() if guard.name == name]


def sql(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


# 1. 0 < technology amount ≤ total; deductions are the difference


@pytest.mark.parametrize("tech", ["0", "-1", "1200000.01"])
def test_the_technology_amount_lies_above_zero_and_within_the_total(scene, tech):
    contract = scene.filled()
    with pytest.raises(MoveNotAllowed, match="技术交易额应大于 0"):
        services.fill(contract, by=scene.applicant, on_behalf_of=scene.seller, fields={"amount_tech": Decimal(tech)})
    assert Contract.objects.get().amount_tech == 900000
    assert refused_by_the_database(lambda: Contract.objects.update(amount_tech=Decimal(tech)))


def test_negative_control_of_the_amount_constraint(scene):
    scene.filled()
    if connection.vendor != "sqlite":
        pytest.skip("ignore_check_constraints is SQLite's")
    sql("PRAGMA ignore_check_constraints = ON")
    try:
        assert not refused_by_the_database(lambda: Contract.objects.update(amount_tech=Decimal("9000000")))
        Contract.objects.update(amount_tech=Decimal("900000"))
    finally:
        sql("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.parametrize(
    ("total", "tech", "lines", "code"),
    [
        # Worked examples 1 to 4 of the domain notes.
        ("1200000", "900000", [("D1", "300000")], None),
        ("1200000", "900000", [("D1", "220000"), ("D4", "80000")], None),
        ("500000", "500000", [], None),
        ("3000000", "3000000", [], None),
        ("1200000", "900000", [("D1", "299999.99")], "deductions_do_not_add_up"),
        ("1200000", "900000", [], "deductions_do_not_add_up"),
        ("1200000", "1200000", [("D1", "1")], "deductions_do_not_add_up"),
    ],
)
def test_deductions_are_exactly_the_difference(scene, total, tech, lines, code):
    contract = scene.filled(
        amount_total=Decimal(total),
        amount_tech=Decimal(tech),
        deductions=[{"kind": kind, "amount": Decimal(amount), "clause": "附件"} for kind, amount in lines],
    )
    found = {f.code for f in rules.errors(contract)}
    assert found == ({code} if code else set())


def test_an_entry_fee_with_royalty_is_registered_with_its_fee_and_marked_open(scene):
    kwargs = {"amount_total": Decimal(500000), "amount_tech": Decimal(500000), "payment_method_id": "P4"}
    contract = scene.filled(**kwargs)
    assert {f.code for f in rules.errors(contract)} == {"royalty_not_marked"}
    registration = scene.recognised(is_amount_uncertain=True, **kwargs)
    assert registration.entries.get().amount_total == 500000
    assert "待定" in dict_of(registration)["合同成交额"]
    # Year 2: a royalty of 240,000 becomes definite.
    ledger.post(registration, kind="supplement", amount_total=Decimal(240000), amount_tech=Decimal(240000), by=None)
    assert registration.entries.aggregate(t=Sum("amount_total"))["t"] == 740000


def dict_of(registration):
    from marketplace.contracts import certificates

    return dict(certificates.printed(registration.certificate))


def test_know_how_taken_as_equity_counts_at_its_agreed_value_and_asks_for_proof(scene):
    kwargs = {
        "contract_type_id": "TT3",
        "payment_method_id": "P5",
        "amount_total": Decimal(3000000),
        "amount_tech": Decimal(3000000),
        "summary": "除氟填料制备技术秘密以作价入股方式转让给受让方，含配方和工艺规程。",
    }
    contract = scene.filled(**kwargs)
    assert [f.code for f in rules.warnings(contract)] == ["equity_without_proof"]
    registration = scene.recognised(**kwargs)
    assert registration.entries.get().amount_tech == 3000000


def test_a_change_of_the_next_year_shows_as_its_difference_there(scene):
    registration = scene.recognised(amount_total=Decimal(900000), amount_tech=Decimal(900000))
    for kind, amount in (("change_out", Decimal(-900000)), ("change_in", Decimal(700000))):
        ledger.post(registration, kind=kind, amount_total=amount, amount_tech=amount, by=None)
    changed = registration.entries.exclude(kind="initial").aggregate(t=Sum("amount_total"))["t"]
    assert (changed, registration.entries.aggregate(t=Sum("amount_total"))["t"]) == (-200000, 700000)


# 2. No number without recognition; two people; a contract's file


def test_a_number_and_a_registered_state_come_together(scene):
    registration = scene.submitted()
    row = Registration.objects.filter(pk=registration.pk)
    assert refused_by_the_database(lambda: row.update(registration_number="2026150601000001"))
    second = scene.at_second()
    row = Registration.objects.filter(pk=second.pk)
    assert refused_by_the_database(lambda: row.update(state="registered"))


def test_the_first_reviewer_cannot_be_the_second(scene):
    registration = scene.judge(scene.accepted())
    OfficerFactory._meta.model.objects.filter(user=scene.first).update(second_review=True)
    services.pass_first(registration, by=scene.first)
    with pytest.raises(MoveNotAllowed, match="不能由您本人办理"):
        services.recognise(registration, by=scene.first)
    registration.refresh_from_db()
    assert (registration.state, registration.registration_number) == ("second_review", None)
    assert TurnoverEntry.objects.count() == 0
    row = Registration.objects.filter(pk=registration.pk)
    assert refused_by_the_database(lambda: row.update(second_reviewer=scene.first))


def test_negative_control_of_two_reviewers(scene, monkeypatch):
    """With the rule of the flow and the constraint away, one person recognises his own review."""
    if connection.vendor != "sqlite":
        pytest.skip("ignore_check_constraints is SQLite's")
    from marketplace.contracts.models import registration as model

    registration = scene.judge(scene.accepted())
    OfficerFactory._meta.model.objects.filter(user=scene.first).update(second_review=True)
    services.pass_first(registration, by=scene.first)
    moves = dict(Registration.FLOW.moves)
    moves["recognise"] = model.Move("认定登记", ("second_review",), "registered", model.is_officer)
    monkeypatch.setattr(Registration, "FLOW", model.Flow("registration", moves))
    sql("PRAGMA ignore_check_constraints = ON")
    try:
        assert services.recognise(registration, by=scene.first).state == "registered"
    finally:
        sql("PRAGMA ignore_check_constraints = OFF")


def test_without_a_contract_file_nothing_is_handed_in(scene):
    contract = scene.filled(file=False)
    with pytest.raises(services.FormIncomplete) as caught:
        services.submit(contract.registration, by=scene.applicant, on_behalf_of=scene.seller)
    assert [f.code for f in caught.value.findings] == ["no_contract_file"]
    assert Registration.objects.get().state == "draft"


def test_an_imported_row_needs_its_facts_and_its_file_and_nothing_else():
    row = {
        "number": "2025150601000007",
        "contract_type": "TS1",
        "technology_field": "0701",
        "seller_region": "150602",
        "buyer_region": "610100",
        "amount_total": "3000000",
        "amount_tech": "2500000.5",
        "registered_on": "2025-06-30",
    }
    assert import_registered([row], source_file="2025.csv", by=None).created == 1
    registration = Registration.objects.get()
    assert (registration.source, registration.state, registration.office) == ("imported", "registered", None)
    assert registration.entries.get().amount_tech == Decimal("2500000.50")
    with pytest.raises(ValueError, match="names its file"):
        import_registered([row], source_file=" ", by=None)
    for name in row:
        spoiled = {**row, "number": "2025150601000008", name: ""}
        result = import_registered([spoiled], source_file="2025.csv", by=None)
        assert (result.created, [e[1] for e in result.errors]) == (0, [name])
    assert refused_by_the_database(lambda: Contract.objects.update(import_source=""))


# 3. The ledger: append-only, contiguous, sums to the contract


def test_a_ledger_entry_is_never_changed_or_removed(scene):
    scene.recognised()
    for statement in (
        "UPDATE contracts_turnoverentry SET amount_total = 1",
        "DELETE FROM contracts_turnoverentry",
        "UPDATE contracts_certificate SET code = 'X'",
    ):
        assert refused_by_the_database(lambda s=statement: sql(s)), statement


def test_negative_control_of_the_ledger_triggers(scene):
    registration = scene.recognised()
    guards.remove(only=without("turnover"))
    try:
        assert not refused_by_the_database(lambda: sql("UPDATE contracts_turnoverentry SET amount_total = 9900000"))
        assert registration.entries.get().amount_total == 9900000
        assert not refused_by_the_database(lambda: sql("DELETE FROM contracts_turnoverentry"))
        assert TurnoverEntry.objects.count() == 0
    finally:
        guards.install()


def test_one_initial_entry_a_registration_and_signs_that_fit_their_kind(scene):
    registration = scene.recognised()
    amount = Decimal(1000)
    for kind, sign in (("initial", 1), ("supplement", -1), ("cancel", 1), ("change_out", 1)):
        with pytest.raises(IntegrityError), transaction.atomic():
            ledger.post(registration, kind=kind, amount_total=sign * amount, amount_tech=sign * amount, by=None)
    assert TurnoverEntry.objects.count() == 1


def test_cancelling_leaves_nothing(scene):
    registration = scene.recognised()
    ledger.post(registration, kind="cancel", amount_total=Decimal(-1200000), amount_tech=Decimal(-900000), by=None)
    sums = registration.entries.aggregate(t=Sum("amount_total"), a=Sum("amount_tech"))
    assert sums == {"t": 0, "a": 0}


def test_sequence_numbers_run_from_one_without_a_gap(scene):
    for _n in range(3):
        scene.recognised()
    assert list(TurnoverEntry.objects.values_list("sequence", flat=True)) == [1, 2, 3]


# 4. Territory


def test_a_seller_outside_every_territory_is_told_and_nothing_moves(scene):
    outside = Scene(seller_region="610100", territory="6501")
    contract = outside.filled()
    with pytest.raises(services.FormIncomplete, match="不在本市场登记机构的地域内"):
        services.submit(contract.registration, by=outside.applicant, on_behalf_of=outside.seller)
    contract.registration.refresh_from_db()
    assert contract.registration.state == "draft"


def test_the_longest_prefix_decides_and_another_office_cannot_accept(scene):
    near = OfficeFactory(territory="150603", name="康巴什测试登记处")
    contract = scene.filled()
    registration = services.submit(contract.registration, by=scene.applicant, on_behalf_of=scene.seller)
    assert registration.office == near
    # A crafted row at the wrong office is refused when somebody there accepts it, with the right one named.
    Registration.objects.filter(pk=registration.pk).update(office=scene.office)
    registration.refresh_from_db()
    with pytest.raises(MoveNotAllowed, match="康巴什测试登记处"):
        services.accept(registration, by=scene.first)
    assert Registration.objects.get(pk=registration.pk).state == "submitted"


def test_negative_control_of_the_territory(scene, monkeypatch):
    OfficeFactory(territory="150603", name="康巴什测试登记处")
    registration = scene.submitted()
    Registration.objects.filter(pk=registration.pk).update(office=scene.office)
    registration.refresh_from_db()
    monkeypatch.setattr("marketplace.contracts.territory.office_for", lambda contract: scene.office)
    assert services.accept(registration, by=scene.first).state == "accepted"


def test_imported_technology_is_registered_by_the_buyer_at_the_buyers_place(scene):
    buyer = scene.party(scene.seller, "buyer")
    kwargs = {"sellers": [abroad()], "buyers": [buyer]}
    assert {f.code for f in rules.errors(scene.filled(**kwargs))} == {
        "import_without_foreign_seller",
        "applicant_is_not_the_one",
    }
    registration = scene.recognised(natures=["import"], **kwargs)
    assert registration.office == scene.office
    assert registration.entries.get().seller_region == ""
    # A buyer cannot apply for what is no import.
    swapped = scene.filled(sellers=[scene.party(scene.buyer, "seller")], buyers=[buyer])
    assert "applicant_is_not_the_one" in {f.code for f in rules.errors(swapped)}


# 5. Refusals


def test_a_refused_contract_has_a_code_and_is_in_no_figure(scene):
    registration = scene.accepted()
    with pytest.raises(MoveNotAllowed, match="请写明原因"):
        services.refuse(registration, by=scene.first, reason_code="R11")
    with pytest.raises(MoveNotAllowed, match="请选择不予登记的原因"):
        services.refuse(registration, by=scene.first, reason_code="R99")
    row = Registration.objects.filter(pk=registration.pk)
    assert refused_by_the_database(lambda: row.update(state="refused"))
    services.refuse(registration, by=scene.first, reason_code="R07", note="属于一般货物买卖")
    assert (registration.state, registration.refusal_reason_id) == ("refused", "R07")
    assert TurnoverEntry.objects.count() == 0
    second = scene.at_second()
    services.refuse(second, by=scene.second, reason_code="R03")
    assert (second.second_reviewer, TurnoverEntry.objects.count()) == (scene.second, 0)


# 6 and 7. Both groupings give the same total, which is the sum of all entries


def test_both_groupings_of_types_have_the_same_total(scene):
    for kind in ("TD1", "TS1", "TC0"):
        scene.recognised(contract_type_id=kind, summary="技术服务、咨询、研究开发：除氟工艺诊断并提出改进方案。")
    types = {t.code: t for t in ContractType.objects.all()}
    entries = list(TurnoverEntry.objects.all())
    five, four = {}, {}
    for entry in entries:
        of = types[entry.contract_type]
        five[of.group5] = five.get(of.group5, 0) + entry.amount_total
        four[of.group4] = four.get(of.group4, 0) + entry.amount_total
    assert sum(five.values()) == sum(four.values()) == 3600000


# 8. Personal data


def test_the_ledger_and_the_certificate_hold_no_personal_data(scene):
    registration = scene.recognised()
    entry = TurnoverEntry.objects.values().get()
    for secret in (scene.seller.name, scene.seller.credit_code, "0477-0000000", "测试甲"):
        assert secret not in str(entry)
    for secret in ("0477-0000000", scene.seller.credit_code):
        assert secret not in str(registration.certificate.facts)


# A submitted form is frozen, whatever writes


def test_a_submitted_form_and_its_rows_are_frozen(scene):
    registration = scene.submitted()
    contract = registration.contract
    with pytest.raises(MoveNotAllowed, match="不能修改"):
        services.fill(contract, by=scene.applicant, on_behalf_of=scene.seller, fields={"filler": "别人"})
    with pytest.raises(MoveNotAllowed, match="不能修改"):
        services.attach(contract, pdf("late"), kind="annex", by=scene.applicant, on_behalf_of=scene.seller)
    assert refused_by_the_database(lambda: Contract.objects.update(project_name="改过"))
    assert refused_by_the_database(lambda: Party.objects.update(name="改过"))
    assert refused_by_the_database(lambda: Party.objects.all().delete())
    assert refused_by_the_database(lambda: Deduction.objects.create(contract=contract, kind="D1", amount=1))
    assert refused_by_the_database(lambda: contract.files.update(is_removed=True))


def test_negative_control_of_the_frozen_rows(scene):
    scene.submitted()
    guards.remove(only=without("party"))
    try:
        assert not refused_by_the_database(lambda: Party.objects.update(name="改过"))
    finally:
        guards.install()


def test_a_registered_number_stays_for_ever(scene):
    registration = scene.recognised()
    row = Registration.objects.filter(pk=registration.pk)
    for change in ({"registration_number": "2026150601999999"}, {"registered_on": dt.date(2020, 1, 1)}):
        assert refused_by_the_database(lambda c=change: row.update(**c))


# Numbers


def test_a_number_is_unique(scene):
    first, other = scene.recognised(), scene.at_second()
    row = Registration.objects.filter(pk=other.pk)
    values = {
        "state": "registered",
        "registration_number": first.registration_number,
        "registered_on": timezone.localdate(),
        "second_reviewer": scene.second,
    }
    assert refused_by_the_database(lambda: row.update(**values))


def test_negative_control_of_the_unique_number(scene):
    """A copy of the table without its constraints, laid over it, takes the same number twice."""
    if connection.vendor != "sqlite":
        pytest.skip("a temporary table lies over the real one only on SQLite")
    first, other = scene.recognised(), scene.at_second()
    values = {
        "state": "registered",
        "registration_number": first.registration_number,
        "registered_on": timezone.localdate(),
        "second_reviewer": scene.second,
    }
    sql("CREATE TEMP TABLE contracts_registration AS SELECT * FROM main.contracts_registration")
    try:
        row = Registration.objects.filter(pk=other.pk)
        assert not refused_by_the_database(lambda: row.update(**values))
        assert Registration.objects.filter(registration_number=first.registration_number).count() == 2
    finally:
        sql("DROP TABLE temp.contracts_registration")


def test_an_office_of_the_national_system_takes_the_number_that_is_typed():
    scene = Scene(national=True)
    registration = scene.at_second()
    year = timezone.localdate().year
    for bad, says in (
        ("", "16 位数字"),
        ("123", "16 位数字"),
        ("1999150601000001", "应为登记年份"),
    ):
        with pytest.raises(MoveNotAllowed, match=says):
            services.recognise(registration, by=scene.second, number=bad)
    given = f"{year}150601000777"
    services.recognise(registration, by=scene.second, number=f" {given[:8]} {given[8:]} ")
    assert registration.registration_number == given
    with pytest.raises(MoveNotAllowed, match="已用于另一份合同"):
        numbering.check_national(given, year)


def test_numbers_go_on_after_those_that_an_import_brought(scene):
    day = timezone.localdate()
    prefix = f"{day.year}1506{scene.office.point}"
    row = {
        "contract_type": "TS1",
        "technology_field": "0701",
        "seller_region": "150602",
        "buyer_region": "150622",
        "amount_total": "1",
        "amount_tech": "1",
        "registered_on": day,
    }
    import_registered([{**row, "number": f"{prefix}000041"}], source_file="a.csv", by=None)
    assert scene.recognised().registration_number == f"{prefix}000042"


def test_a_failed_recognition_uses_no_number(scene, monkeypatch):
    registration = scene.at_second()

    def fail(*args, **kwargs):
        raise RuntimeError("the printer burns")

    with monkeypatch.context() as broken:
        broken.setattr("marketplace.contracts.certificates.issue", fail)
        with pytest.raises(RuntimeError, match="burns"):
            services.recognise(registration, by=scene.second)
    fresh = Registration.objects.get(pk=registration.pk)
    assert (fresh.state, TurnoverEntry.objects.count()) == ("second_review", 0)
    assert services.recognise(fresh, by=scene.second).registration_number.endswith("000001")


# The same contract twice


def test_one_contract_is_registered_once(scene):
    scene.submitted(name="同一个项目研究开发")
    again = scene.filled(name="同一个项目 研究开发")
    with pytest.raises(services.FormIncomplete, match="同一份合同"):
        services.submit(again.registration, by=scene.applicant, on_behalf_of=scene.seller)
    row = Registration.objects.filter(pk=again.registration.pk)
    key = dedupe_key(again)
    assert refused_by_the_database(lambda: row.update(state="submitted", dedupe_key=key))


def test_a_refused_contract_may_be_applied_for_again(scene):
    first = scene.accepted(name="同一个项目研究开发")
    services.refuse(first, by=scene.first, reason_code="R05")
    assert scene.submitted(name="同一个项目研究开发").state == "submitted"
