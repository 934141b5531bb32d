"""Each rule of the form finds its fault and nothing else, and says its source."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from marketplace.contracts import identity, rules, services
from marketplace.contracts.models import Contract
from marketplace.workflow import MoveNotAllowed
from tests.contracts.factories import Scene, person

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def scene() -> Scene:
    return Scene()


def codes(contract, severity="error") -> set[str]:
    return {f.code for f in rules.findings(contract) if f.severity == severity}


def test_a_sound_form_has_no_findings_and_every_check_holds(scene):
    contract = scene.filled()
    assert rules.findings(contract) == []
    assert {check.state for check in rules.checks(contract)} == {"ok"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contract_type_id", None),
        ("signed_on", None),
        ("amount_total", None),
        ("technology_field_id", None),
        ("social_objective_id", None),
        ("served_industry_id", None),
        ("plan_source_id", None),
        ("ip_type_id", None),
        ("payment_method_id", None),
        ("responsible", ""),
        ("natures", []),
        ("novelty_points", ""),
    ],
)
def test_a_compulsory_field_is_missed(scene, field, value):
    contract = scene.filled()
    Contract.objects.filter(pk=contract.pk).update(**{field: value})
    found = rules.errors(services.loaded(contract))
    assert [(f.code, f.field) for f in found] == [("missing", field.removesuffix("_id"))]


def days(**kwargs):
    return {name: TODAY() + dt.timedelta(days=n) for name, n in kwargs.items()}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({**days(signed_on=1, effective_on=1)}, "signed_in_future"),
        ({**days(signed_on=-5, effective_on=-6)}, "effective_before_signing"),
        ({**days(effective_on=1)}, "not_yet_effective"),
        ({**days(valid_from=-20, valid_to=-1)}, "validity_over"),
        ({"summary": "太短"}, "summary_length"),
        ({"plan_source_id": "13"}, "missing"),
        ({"is_related": True}, "missing"),
        ({"currency": "USD"}, "missing"),
        (
            {"contract_type_id": "TT1", "summary": "发明专利转让合同，除氟填料及其制备方法的专利权转让。"},
            "right_does_not_fit_type",
        ),
        ({"payment_method_id": "P3"}, "royalty_not_marked"),
        ({"ip_type_id": "K21"}, "missing"),
        ({"natures": ["fiscal_funded"]}, "missing"),
        ({"natures": ["domestic", "import"]}, "import_without_foreign_seller"),
    ],
)
def test_a_fault_is_found_and_stops_the_form(scene, fields, code):
    contract = scene.filled(**fields)
    assert code in codes(contract)
    with pytest.raises(services.FormIncomplete):
        services.submit(contract.registration, by=scene.applicant, on_behalf_of=scene.seller)
    contract.registration.refresh_from_db()
    assert contract.registration.state == "draft"
    assert all(f.source for f in rules.findings(contract))


def test_a_validity_that_ends_during_the_review_does_not_stop_it(scene):
    import time_machine

    registration = scene.submitted(**days(valid_to=3))
    with time_machine.travel(timezone.now() + dt.timedelta(days=5)):
        assert "validity_over" not in codes(services.loaded(registration.contract_id))


TRANSFER = {
    "contract_type_id": "TT3",
    "seller_is_state_institution": True,
    "summary": "除氟填料制备技术秘密转让，含配方和工艺规程，受让方独家使用。",
}


@pytest.mark.parametrize(
    ("fields", "severity", "code"),
    [
        ({}, "error", "no_pricing_mode"),
        ({"pricing_mode": "negotiable"}, "warning", "not_a_pricing_mode"),
        ({"pricing_mode": "agreement"}, "warning", "no_notice"),
        (
            {"pricing_mode": "agreement", **days(notice_starts_on=-30, notice_ends_on=-16)},
            "warning",
            "notice_too_short",
        ),
        (
            {"pricing_mode": "agreement", **days(notice_starts_on=-30, notice_ends_on=-5)},
            "warning",
            "signed_before_notice_ended",
        ),
        ({"pricing_mode": "agreement", **days(notice_starts_on=-40, notice_ends_on=-20)}, "note", "no_notice_proof"),
    ],
)
def test_the_price_notice_of_a_state_institution(scene, fields, severity, code):
    assert code in codes(scene.filled(**TRANSFER, **fields), severity)


@pytest.mark.parametrize(
    "fields",
    [
        {**TRANSFER, "seller_is_state_institution": False},
        {**TRANSFER, "pricing_mode": "listing"},
        {"seller_is_state_institution": True},
        {**TRANSFER, "pricing_mode": "agreement", **days(notice_starts_on=-30, notice_ends_on=-15)},
    ],
)
def test_no_notice_is_asked_where_the_law_asks_for_none_or_it_was_kept(scene, fields):
    found = rules.findings(scene.filled(**fields))
    assert [f for f in found if f.group == "notice" and f.severity != "note"] == []


def test_words_of_another_type_are_pointed_out(scene):
    contract = scene.filled(
        name="除氟装置现场调试",
        contract_type_id="TC0",
        summary="对现有装置进行现场调试、检测和优化，使出水达标，提供测试记录。",
    )
    assert codes(contract, "warning") == {"type_words"}


def test_a_glyph_that_cannot_be_printed_is_named_before_submission(scene):
    contract = scene.filled(name="除氟装置研究开发\U00020bb7")
    found = [f for f in rules.errors(contract) if f.code == "no_glyph"]
    assert len(found) == 1
    assert "\U00020bb7" in found[0].message


def test_shares_sum_to_a_hundred_and_one_party_leads(scene):
    half = scene.party(scene.seller, "seller", share=Decimal(60))
    other = person(is_lead=False, share=Decimal(30))
    assert codes(scene.filled(sellers=[half, other])) == {"shares"}
    assert codes(scene.filled(sellers=[half, {**other, "share": Decimal(40)}])) == set()
    assert (
        codes(scene.filled(sellers=[{**half, "is_lead": False}, {**other, "is_lead": False, "share": Decimal(40)}]))
        == set()
    )


def test_a_wrong_credit_code_says_which_character(scene):
    good = scene.seller.credit_code
    bad = good[:17] + ("0" if good[17] != "0" else "1")
    contract = scene.filled(sellers=[scene.party(scene.seller, "seller", credit_code=bad)])
    found = [f for f in rules.errors(contract) if f.code == "credit_code"]
    assert f"应为“{good[17]}”" in found[0].message


def test_a_wrong_patent_number_says_which_character(scene):
    contract = scene.filled(ip_type_id="K21", ip_items=[{"number": "201710601862.4", "title": "x"}])
    found = [f for f in rules.errors(contract) if f.code == "patent_number"]
    assert "应为“3”" in found[0].message


@pytest.mark.parametrize(
    ("number", "says"),
    [
        ("1101051949123100", "16 位"),
        ("11010519491231002A", "数字或 X"),
        ("99010519491231002X", "省级代码"),
        ("11010519491331002X", "出生日期"),
        ("110105194912310021", "校验位"),
        ("11010529991231002X", "出生日期"),
    ],
)
def test_a_wrong_resident_number_is_refused_and_never_repeated(number, says):
    with pytest.raises(ValidationError, match=says) as caught:
        identity.keep(number)
    assert number not in str(caught.value)


def test_a_resident_number_with_full_width_digits_is_the_same_person():
    plain, wide = identity.keep("11010519491231002X"), identity.keep("１１０１０５１９４９１２３１００２ｘ")
    assert plain == wide
    assert plain.last4 == "002X"
    assert "1101" not in plain.hash


@pytest.mark.parametrize("text", ["密级：秘密", "机密★", "绝 密".replace(" ", "") + "★10年", "密级:机密"])
def test_a_marked_text_is_never_kept(scene, text):
    contract = scene.filled()
    with pytest.raises(MoveNotAllowed, match="涉密"):
        services.fill(contract, by=scene.applicant, on_behalf_of=scene.seller, fields={"summary": f"研制装置{text}"})
    with pytest.raises(MoveNotAllowed, match="涉密"):
        services.draft_by_hand(by=scene.applicant, on_behalf_of=scene.seller, project_name=f"研制装置{text}")
    assert Contract.objects.count() == 1
    assert text not in Contract.objects.get().summary


def test_technical_secrets_are_ordinary_words(scene):
    assert scene.filled(summary="技术秘密转让和商业秘密保护条款，研究开发除氟填料，交付工艺包。").pk
