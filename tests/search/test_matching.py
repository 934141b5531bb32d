"""Candidates with their reasons: who is left out, what a reason may show, which band is earned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cms.models import Achievement, ListingQuerySet, ListingRecord
from search import changes, listings, matching
from search.engines import get_engine
from search.query import Query
from search.reasons import LAST_RANK, POSSIBLE, STRONG, WEAK, band
from search.text import normalize
from tests.factories import AchievementFactory, DemandFactory, ExpertFactory, OrganizationFactory, kpi, target

from .markets import fresh_market

pytestmark = pytest.mark.django_db

SECRET = "冠醚螯合树脂"


@pytest.fixture(autouse=True)
def market(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with fresh_market(settings, tmp_path, monkeypatch):
        yield


def numbers(found: list[matching.Candidate]) -> list[str]:
    return [c.record.number for c in found]


@pytest.fixture
def answered() -> dict[str, Any]:
    """A demand, its answer, and texts about other things."""
    demand = DemandFactory(
        published=True,
        title="高盐废水中氟离子深度去除",
        targets=[target(), target("处理规模", "ge", "40", "m³/h")],
        cooperation_modes=["M2", "M4"],
    )
    answer = AchievementFactory(
        published=True,
        title="煤化工高盐废水除氟填料与再生方法",
        kpis=[kpi(), kpi("处理规模", "eq", "60", "m³/h")],
        transfer_modes=["M2"],
    )
    others = [
        AchievementFactory(published=True, title=title, summary=title, body="")
        for title in ("羊绒分梳机", "智能采煤", "沙棘籽油提取", "光伏支架除尘机器人", "稀土永磁电机")
    ]
    changes.drain()
    return {"demand": demand, "answer": answer, "others": others}


def test_the_answer_comes_first_with_its_reasons(answered: dict[str, Any]) -> None:
    first = matching.candidates(answered["demand"])[0]
    assert first.record == answered["answer"].record
    assert (first.rank, first.band) == (1, STRONG)
    assert sum(first.parts.values()) == first.score > 0
    said = first.reasons.as_json()
    assert {c["name"]: c["state"] for c in said["conditions"]} | {} == {
        "出水氟离子 ≤ 1 mg/L": "met",
        "处理规模 ≥ 40 m³/h": "met",
        "预算": "met",
        "合作方式": "met",
        "成熟度": "not_stated",
        "技术领域": "met",
        "应用行业": "not_stated",
        "重点产业关键技术": "not_stated",
        "地区": "met",
    }
    assert "高盐废水" in {p["text"] for p in said["phrases"]}
    assert said["against"] == []
    assert first.versions[answered["demand"].number] == answered["demand"].record.search_version


def test_every_place_of_a_phrase_points_at_it_in_the_listings_own_field(answered: dict[str, Any]) -> None:
    for candidate in matching.candidates(answered["demand"]):
        for phrase in candidate.reasons.as_json()["phrases"]:
            for kind, listing in (("demand", answered["demand"]), ("achievement", candidate.listing)):
                assert phrase["in"][kind]
                for place in phrase["in"][kind]:
                    shown = getattr(listing, place["field"])[place["start"] : place["end"]]
                    assert normalize(shown) == normalize(phrase["text"])


def test_it_works_the_other_way_round(answered: dict[str, Any]) -> None:
    DemandFactory(published=True, title="羊绒分梳效率提升", problem="", summary="", body="")
    changes.drain()
    found = matching.candidates(answered["answer"])
    assert found[0].record == answered["demand"].record
    assert set(found[0].reasons.as_json()["phrases"][0]["in"]) == {"demand", "achievement"}


def test_only_what_any_visitor_may_see_and_can_still_be_had(answered: dict[str, Any]) -> None:
    demand, answer = answered["demand"], answered["answer"]
    mine = AchievementFactory(published=True, title="我们自己的高盐废水除氟", owner=demand.record.owner)
    draft = AchievementFactory(title="高盐废水除氟草稿")
    masked = AchievementFactory(published=True, matchmaker_only=True, title="高盐废水除氟保密")
    sold = AchievementFactory(published=True, title="高盐废水除氟已转让")
    talks = AchievementFactory(published=True, title="高盐废水除氟洽谈中")
    ListingRecord.objects.filter(pk=sold.record.pk).update(availability="transferred")
    ListingRecord.objects.filter(pk=talks.record.pk).update(availability="negotiating")
    changes.drain()
    found = numbers(matching.candidates(demand))
    assert not {mine.number, draft.number, masked.number, sold.number} & set(found)
    assert {answer.number, talks.number} <= set(found)
    by_number = {c.record.number: c for c in matching.candidates(demand)}
    assert "成果正在与其他单位洽谈" in by_number[talks.number].reasons.against


def test_a_hit_that_was_withdrawn_a_moment_ago_is_not_shown(answered: dict[str, Any]) -> None:
    Achievement.objects.filter(pk=answered["answer"].pk).update(live=False)
    assert get_engine().find(Query(text="高盐废水")).total == 2, "the index does not know yet"
    assert answered["answer"].number not in numbers(matching.candidates(answered["demand"]))


def test_negative_control_without_asking_the_database_again_the_withdrawn_is_shown(
    answered: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard of the test above is `.visible_to` in `_standing` and the public rows behind it: without them it
    leaks.
    """
    Achievement.objects.filter(pk=answered["answer"].pk).update(live=False)
    monkeypatch.setattr(ListingQuerySet, "visible_to", lambda self, user: self)
    monkeypatch.setattr(ListingQuerySet, "public", lambda self: self)
    monkeypatch.setattr(ListingQuerySet, "published", lambda self: self)
    assert answered["answer"].number in numbers(matching.candidates(answered["demand"]))


def test_equal_titles_of_one_owner_are_shown_once(answered: dict[str, Any]) -> None:
    owner = OrganizationFactory()
    twins = [AchievementFactory(published=True, title="高盐废水除氟滤池", owner=owner) for _ in range(2)]
    other = AchievementFactory(published=True, title="高盐废水除氟滤池")
    changes.drain()
    found = numbers(matching.candidates(answered["demand"]))
    assert len({t.number for t in twins} & set(found)) == 1
    assert other.number in found


def test_experts_have_no_counterpart_and_an_empty_market_no_match() -> None:
    changes.drain()
    assert matching.candidates(ExpertFactory(published=True)) == []
    assert matching.candidates(DemandFactory(published=True)) == []


def test_the_number_of_queries_does_not_grow_with_the_candidates(
    answered: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        AchievementFactory(
            published=True, title=f"高盐废水除氟{n}", kpis=[kpi()], industries=["26"], transfer_modes=["M1"]
        )
    changes.drain()
    with django_assert_max_num_queries(20):
        assert len(matching.candidates(answered["demand"])) > 12


class TestRestrictedText:
    """A restricted text asks with all its words, and no reason, facet or hit ever shows one of them."""

    @pytest.mark.parametrize("level", ["L1", "L2", "L3"])
    def test_it_asks_and_is_never_shown(self, level: str) -> None:
        demand = DemandFactory(
            published=True,
            disclosure_level=level,
            title="高盐废水处理",
            problem=f"用{SECRET}",
            body=f"{SECRET}失效",
            summary="废水",
        )
        answer = AchievementFactory(published=True, title=f"{SECRET}再生", summary=f"{SECRET}", body=f"{SECRET}")
        AchievementFactory(published=True, title="高盐废水回用", summary="", body="")
        changes.drain()
        found = {c.record.number: c for c in matching.candidates(demand)}
        assert answer.number in found, "the restricted words asked"
        shown = str([c.reasons.as_json() for c in found.values()])
        assert SECRET[:2] not in shown
        if level == "L3":
            assert all(not c.reasons.phrases for c in found.values())
            assert all(c.reasons.as_json()["conditions"][0]["state"] == "not_stated" for c in found.values())

    @pytest.mark.parametrize("level", ["L1", "L2", "L3"])
    def test_it_is_not_found_by_its_words(self, level: str) -> None:
        hidden = AchievementFactory(
            published=True,
            disclosure_level=level,
            title="高盐废水处理",
            body=SECRET,
            problem=SECRET,
            summary="废水",
            kpis=[kpi(SECRET)],
        )
        changes.drain()
        assert get_engine().find(Query(text=SECRET)).total == 0
        assert get_engine().find(Query(text="高盐废水")).ids == ([] if level == "L3" else [hidden.number])
        assert all(SECRET not in text for text in listings.public_texts(hidden).values())
        asked = DemandFactory(published=True, title=f"寻求{SECRET}", problem=SECRET, summary="", body="", targets=[])
        assert hidden.number not in numbers(matching.candidates(asked))

    def test_negative_control_without_the_levels_the_words_leak(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(listings, "_OPEN", "L2")
        AchievementFactory(published=True, disclosure_level="L2", title="高盐废水处理", body=SECRET)
        changes.drain()
        assert get_engine().find(Query(text=SECRET)).total == 1

    def test_an_anonymous_owner_stands_nowhere_in_the_index(self) -> None:
        demand = DemandFactory(published=True, anonymous=True)
        named = DemandFactory(published=True)
        changes.drain()
        owners = get_engine().find(Query(facets=["owner"])).facets["owner"]
        assert owners == {str(named.record.owner_id): 1}
        document = listings.to_document(demand)
        assert document is not None
        assert document.owner == ""
        assert demand.record.owner.name not in document.text

    def test_contacts_and_inventors_are_not_indexed(self) -> None:
        listing = AchievementFactory(published=True, contact_name="联络某甲", inventors="发明某乙")
        document = listings.to_document(listing)
        assert document is not None
        assert not {"联络某甲", "发明某乙", "0477"} & {
            w for w in ("联络某甲", "发明某乙", "0477") if w in document.text
        }


@pytest.mark.parametrize(
    ("rank", "covered", "phrases", "expected"),
    [
        (1, 0.2, 1, STRONG),
        (3, 0.9, 1, STRONG),
        (4, 0.9, 2, POSSIBLE),
        (4, 0.9, 1, WEAK),
        (1, 0.1999, 2, POSSIBLE),
        (1, 0.9, 0, WEAK),
        (50, 0.15, 2, POSSIBLE),
        (50, 0.1499, 2, WEAK),
        (LAST_RANK + 1, 1.0, 1, ""),
    ],
)
def test_bands(rank: int, covered: float, phrases: int, expected: str) -> None:
    assert band(rank, covered, [object()] * phrases) == expected  # type: ignore[list-item]
