"""The FilterSets: engine and database agree on rows, counts of facets are counts of results, bad values are said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.library import facets, finding
from marketplace.library.filters import FILTERSETS
from tests.factories import OrganizationFactory
from tests.library.factories import index, published

pytestmark = pytest.mark.django_db

NOBODY = AnonymousUser()
FIELDS = ["0701", "0703", "0605", "0506", "0105", None]
REGIONS = ["150602", "150603", "150600", "150100", "610102", "110108", None]
MODES = [[], ["M1"], ["M2", "M4"], ["M1", "M5"]]
KEYS = [[], ["KI1-2"], ["KI1-1", "KI5-5"]]
INDUSTRIES = [[], ["26"], ["06", "26"]]
PRICES = [
    ("fixed", Decimal(300_000), Decimal(300_000)),
    ("range", Decimal(500_000), Decimal(1_999_999)),
    ("range", None, Decimal(2_000_000)),
    ("negotiable", None, None),
    ("negotiable", Decimal(900_000), None),
    ("", None, None),
]


def make_market(size: int = 24) -> None:
    """Achievements and demands whose codes, prices and readiness differ in every way that a filter asks for."""
    owners = OrganizationFactory.create_batch(3)
    for n in range(size):
        common = {
            "owner": owners[n % 3],
            "technology_field_id": FIELDS[n % len(FIELDS)],
            "region_id": REGIONS[n % len(REGIONS)],
            "key_technologies": KEYS[n % len(KEYS)],
            "industries": INDUSTRIES[(n // 2) % len(INDUSTRIES)],
            "record": {"availability": ["open", "negotiating", "contracted"][n % 5 % 3]},
        }
        kind, low, high = PRICES[n % len(PRICES)]
        published(
            "achievement",
            transfer_modes=MODES[n % len(MODES)],
            trl=[None, 1, 3, 4, 6, 7, 9][n % 7],
            price_type=kind,
            price_min=low,
            price_max=high,
            restricted_l1=n % 6 == 5,
            matchmaker_only=n % 11 == 10,
            **common,
        )
        published(
            "demand",
            cooperation_modes=MODES[n % len(MODES)],
            is_budget_negotiable=kind == "negotiable",
            budget_min=low,
            budget_max=high,
            demand_type_id=["RD", "INTRO", "TEST"][n % 3],
            is_anonymous=n % 4 == 3,
            **common,
        )


def listed(kind: str, data: QueryDict | dict) -> tuple[set[str], set[str], finding.Found]:
    """Numbers from the engine, numbers from the database, and the engine's page."""
    filters = FILTERSETS[kind](data, user=NOBODY)
    found = finding.find(filters, NOBODY, page_size=100, facets=filters.SHOWN)
    assert not found.is_fallback
    return {row.record.number for row in found.rows}, set(filters.qs.values_list("record__number", flat=True)), found


ASKED = {
    "technology_field": ["07", "0700", "0703", "06", "99"],
    "region": ["15", "1506", "150600", "150602", "610000", "11", "440300"],
    "key_technology": ["KI1", "KI1-2", "KI5-5", "KI7"],
    "industry": ["26", "06", "30"],
    "availability": ["open", "negotiating", "solved"],
    "transfer_mode": ["M1", "M2", "M5", "M9"],
    "price_band": ["negotiable", "0-50", "50-200", "200-"],
}
OWN = {
    "achievement": {"trl_band": ["1-3", "4-6", "7-9"], "trl_min": ["1", "4", "7"], "achievement_type": ["A01", "A05"]},
    "demand": {"demand_type": ["RD", "TEST", "TALENT"]},
}


@pytest.fixture
def market(engine):
    make_market()
    index()


@pytest.mark.parametrize("kind", ["achievement", "demand"])
def test_engine_and_database_give_the_same_rows_for_any_filters(market, kind):
    offered = ASKED | OWN[kind]

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.fixed_dictionaries({}, optional={n: st.lists(st.sampled_from(v), max_size=3) for n, v in offered.items()})
    )
    def check(asked):
        data = QueryDict(mutable=True)
        for name, values in asked.items():
            data.setlist(name, values[:1] if name == "trl_min" else values)
        from_engine, from_rows, found = listed(kind, data)
        assert from_engine == from_rows
        assert found.total == len(from_rows)

    check()


@pytest.mark.parametrize("kind", ["achievement", "demand"])
def test_a_facets_count_is_what_choosing_it_alone_gives(market, kind):
    _numbers, _rows, found = listed(kind, {})
    checked = 0
    for name, counts in found.facets.items():
        for value, count in counts.items():
            chosen, _from_rows, _found = listed(kind, {name: [value]})
            assert len(chosen) == count, (name, value)
            checked += 1
    assert checked > 20


def test_counts_of_a_facet_are_made_without_its_own_filter(market):
    _numbers, _rows, free = listed("achievement", {"region": ["1506"]})
    _numbers, _rows, bound = listed("achievement", {"region": ["1506"], "trl_band": ["7-9"]})
    assert bound.facets["trl_band"] == free.facets["trl_band"]
    assert sum(bound.facets["technology_field"].values()) < sum(free.facets["technology_field"].values())


@pytest.mark.parametrize("ordering", ["price", "-price", "-trl", "-published_at", "-updated_at"])
def test_both_answers_are_in_the_asked_order(market, ordering):
    filters = FILTERSETS["achievement"]({"ordering": ordering}, user=NOBODY)
    found = finding.find(filters, NOBODY, page_size=100).rows
    other = finding.from_rows(filters, page=1, page_size=100).rows

    def key(row):
        price = row.price_min if row.price_min is not None else row.price_max
        return {
            "price": price,
            "-price": price,
            "-trl": row.trl,
            "-published_at": row.record.first_published_at,
            "-updated_at": row.record.changed_at,
        }[ordering]

    def shape(rows):
        return [key(row) if "at" not in ordering else key(row).replace(microsecond=0) for row in rows]

    assert shape(found) == shape(other)
    assert shape(found) != shape(reversed(found))


@pytest.mark.parametrize("typed", ["除氟", "高盐 废水", "装置1号", "PEM电解", "mg", "12 mg/L", "氟离"])
def test_without_an_engine_a_text_finds_a_subset(engine, typed):
    published("achievement", title="高盐废水除氟装置", summary="PEM电解水，氟离子降到 0.8 mg/L。")
    published("achievement", title="PEM电解槽膜电极", summary="处理 12 mg/L 的废水，高盐。", body="mgo 与 12 mg/L")
    published("achievement", title="风机叶片", summary="与上面无关", body="全部公开的正文里写着除氟")
    index()
    filters = FILTERSETS["achievement"]({"q": typed}, user=NOBODY)
    found = finding.find(filters, NOBODY, page_size=100)
    from_engine = set() if found.relaxed else {row.record.number for row in found.rows}
    from_rows = set(filters.qs.values_list("record__number", flat=True))
    assert from_rows <= from_engine
    assert from_engine or not from_rows


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"region": ["abc"]}, "没有这样的代码：abc"),
        ({"technology_field": ["7"]}, "没有这样的代码：7"),
        ({"key_technology": ["x' OR 1=1"]}, "没有这样的代码"),
        ({"trl_min": ["12"]}, "9"),
        ({"ordering": ["secret"]}, "secret"),
        ({"region": ["15"] * 3 + [f"{n:06d}" for n in range(60)]}, "最多选"),
    ],
)
def test_a_value_without_meaning_is_named_and_not_used(data, said):
    query = QueryDict(mutable=True)
    for name, values in data.items():
        query.setlist(name, values)
    filters = FILTERSETS["achievement"](query, user=NOBODY)
    assert any(said in sentence for sentence in filters.refused())
    assert not filters.values


def test_an_owners_anonymous_need_is_not_found_under_his_name(engine):
    owner = OrganizationFactory()
    open_one = published("demand", owner=owner)
    published("demand", owner=owner, anonymous=True)
    index()
    from_engine, from_rows, _found = listed("demand", {"owner": [owner.number]})
    assert from_engine == from_rows == {open_one.record.number}


def test_an_empty_list_says_which_filter_to_give_up(market, rf):
    data = QueryDict("region=150602&technology_field=0105&q=除氟")
    filters = FILTERSETS["achievement"](data, user=NOBODY)
    found = finding.find(filters, NOBODY)
    assert found.total == 0
    labels = facets.Labels()
    chips = facets.chips(filters, data, labels)
    drops = facets.drops(filters, data, chips, NOBODY)
    assert drops
    for drop in drops:
        kept = FILTERSETS["achievement"](QueryDict(drop["href"][1:]), user=NOBODY)
        assert finding.find(kept, NOBODY).total == drop["count"] > 0
