"""What every engine must do. A plain class: each engine subclasses it with a fixture `engine` (empty, ready)."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search.engines import Engine
from search.query import Document, Query
from search.text import normalize

from .factories import NOON, document

# A small alphabet makes chance texts share pairs, which is where an engine can go wrong.
SYLLABLES = "氢能智储煤电水风光材料化工"
TEXTS = st.text(alphabet=SYLLABLES + " ，a1", min_size=1, max_size=30)
PAIR = st.text(alphabet=SYLLABLES, min_size=2, max_size=2)
# Each engine runs these tests in a class of its own, which is meant.
MEANT = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=MEANT)


def titles(engine: Engine, known: list[Document], **asked: object) -> list[str]:
    """Titles of what is found, in order."""
    by_id = {d.id: d.title for d in known}
    return [by_id[i] for i in engine.find(Query(**asked)).ids]  # type: ignore[arg-type]


class EngineTests:
    # The box is as strict as a person who counts

    def test_a_word_is_not_found_by_its_characters(self, engine: Engine) -> None:
        engine.put(
            [document("智能采煤"), document("氢气提纯与核能供热"), document("氢能储运"), document("绿色氢能的智能调度")]
        )
        found = engine.find(Query(text="氢能"))
        assert found.total == 2
        assert not found.relaxed

    def test_nothing_is_found_rather_than_half_a_word(self, engine: Engine) -> None:
        engine.put([document("智能采煤"), document("氢气提纯")])
        found = engine.find(Query(text="氢能"))
        assert (found.total, found.hits, found.relaxed) == (0, (), False)

    @QUICK
    @given(texts=st.lists(TEXTS, min_size=1, max_size=12), asked=PAIR)
    def test_every_record_with_a_two_character_word_is_found(
        self, engine: Engine, texts: list[str], asked: str
    ) -> None:
        known = [document("题目", id=f"CG-{n:03d}", body=text) for n, text in enumerate(texts)]
        engine.rebuild(known)
        found = engine.find(Query(text=asked, page_size=50))
        assert set(found.ids) == {d.id for d in known if asked in normalize(d.body)}
        assert found.total == len(found.hits)
        assert not found.relaxed

    def test_all_words_are_needed(self, engine: Engine) -> None:
        known = [document("矿井水除氟"), document("矿井水回用"), document("除氟填料")]
        engine.put(known)
        assert titles(engine, known, text="矿井水 除氟") == ["矿井水除氟"]

    def test_one_character_is_found_where_it_stands(self, engine: Engine) -> None:
        known = [document("氟的去除"), document("除氟"), document("脱硫")]
        engine.put(known)
        assert set(titles(engine, known, text="氟")) == {"氟的去除", "除氟"}

    def test_latin_words_match_whole_and_in_any_case_or_width(self, engine: Engine) -> None:
        known = [document("PEM电解槽"), document("PEMFC 电堆"), document("ＰＥＭ膜"), document("PM2.5监测")]
        engine.put(known)
        assert set(titles(engine, known, text="pem")) == {"PEM电解槽", "ＰＥＭ膜"}
        assert titles(engine, known, text="pm2.5") == ["PM2.5监测"]

    def test_it_is_relaxed_only_when_nothing_contains_all(self, engine: Engine) -> None:
        known = [document("除氟填料"), document("矿井水回用"), document("羊绒分梳")]
        engine.put(known)
        found = engine.find(Query(text="矿井水 除氟"))
        assert found.relaxed
        assert set(found.ids) == {known[0].id, known[1].id}
        engine.put([document("矿井水除氟", id="CG-1")])
        found = engine.find(Query(text="矿井水 除氟"))
        assert (found.relaxed, found.ids) == (False, ["CG-1"])

    def test_a_long_word_is_relaxed_to_half_of_its_pairs(self, engine: Engine) -> None:
        known = [document("高盐废水除氟"), document("废水"), document("高盐地改良与废水")]
        engine.put(known)
        found = engine.find(Query(text="煤化工高盐废水除氟"))
        assert (found.relaxed, found.ids) == (True, [known[0].id])

    def test_a_filter_that_leaves_nothing_is_not_relaxed_away(self, engine: Engine) -> None:
        engine.put([document("矿井水除氟", field="0701"), document("矿井水回用", field="0605")])
        found = engine.find(Query(text="矿井水除氟", filters={"technology_field": ["06"]}))
        assert (found.total, found.relaxed) == (0, False)

    def test_punctuation_alone_finds_nothing(self, engine: Engine) -> None:
        engine.put([document("矿井水除氟")])
        assert engine.find(Query(text="、。 ·")).total == 0

    @pytest.mark.parametrize(
        "hostile",
        ["\x00", "id:CG-1", "*", "氢能 OR 储氢", '"', "(((", "a" * 5000, "氢" * 5000, "~kind", "\ud7ff\u200b", "/x/"],
    )
    def test_hostile_text_neither_fails_nor_reaches_a_parser(self, engine: Engine, hostile: str) -> None:
        engine.put([document("智能采煤", id="CG-1")])
        assert engine.find(Query(text=hostile)).total == 0

    def test_what_is_left_out_is_known_to_no_part_of_the_answer(self, engine: Engine) -> None:
        known = [document("矿井水除氟", id=f"CG-{n}", field="0605", modes=["M1"]) for n in range(4)]
        engine.put(known)
        facets = ["technology_field", "transfer_mode", "kind"]
        for asked in ({"text": "除氟"}, {}, {"filters": {"transfer_mode": ["M1"]}}, {"ordering": "-updated_at"}):
            found = engine.find(Query(excluding=["CG-1", "CG-3", "CG-99"], facets=facets, **asked))  # type: ignore[arg-type]
            assert (sorted(found.ids), found.total) == (["CG-0", "CG-2"], 2)
            assert found.facets["technology_field"] == {"06": 2, "0605": 2}
            assert found.facets["transfer_mode"] == {"M1": 2}
            assert found.facets["kind"] == {"achievement": 2}

    def test_what_is_left_out_keeps_no_question_from_being_relaxed(self, engine: Engine) -> None:
        engine.put([document("矿井水除氟", id="CG-1", field="0605"), document("除氟填料", id="CG-2", field="0701")])
        for filters in ({}, {"technology_field": ["0701"]}):
            asked = Query(text="矿井水 除氟", filters=filters)
            assert engine.find(replace(asked, excluding=["CG-1"])).ids == ["CG-2"]
            assert engine.find(replace(asked, excluding=["CG-1"])).relaxed
            found = engine.find(replace(asked, excluding=["CG-1", "CG-2"]))
            assert (found.ids, found.total) == ([], 0)

    # Filters, totals and facets are what a person would count

    def test_a_code_finds_all_below_it(self, engine: Engine) -> None:
        known = [document("一", field="0605", region="150602"), document("二", field="0601", region="610100")]
        engine.put(known)
        assert titles(engine, known, filters={"technology_field": ["0605"]}) == ["一"]
        assert len(titles(engine, known, filters={"technology_field": ["06"]})) == 2
        assert titles(engine, known, filters={"region": ["150600"]}) == ["一"]
        assert titles(engine, known, filters={"region": ["610000"]}) == ["二"]

    def test_values_are_or_facets_are_and(self, engine: Engine) -> None:
        known = [document("一", modes=["M1"]), document("二", modes=["M2"], field="0605"), document("三", modes=["M3"])]
        engine.put(known)
        assert set(titles(engine, known, filters={"transfer_mode": ["M1", "M2"]})) == {"一", "二"}
        both = {"transfer_mode": ["M1", "M2"], "technology_field": ["06"]}
        assert titles(engine, known, filters=both) == ["二"]

    def test_ranges_leave_out_what_states_nothing(self, engine: Engine) -> None:
        known = [
            document("一", trl=5, price=Decimal("499999.99")),
            document("二", trl=7, price=Decimal("500000.00")),
            document("三", negotiable=True),
        ]
        engine.put(known)
        assert titles(engine, known, ranges={"trl": (6, None)}) == ["二"]
        assert titles(engine, known, ranges={"price": (None, Decimal("499999.99"))}) == ["一"]
        assert titles(engine, known, filters={"price_band": ["negotiable"]}) == ["三"]

    def test_totals_and_facets_equal_a_count_by_hand(self, engine: Engine) -> None:
        chance = random.Random(7)
        known = [
            document(
                "".join(chance.choices(SYLLABLES, k=8)),
                kind=chance.choice(["achievement", "demand"]),
                field=chance.choice(["0601", "0605", "0701"]),
                modes=chance.sample(["M1", "M2", "M3"], k=2),
                trl=chance.choice([None, 3, 5, 8]),
            )
            for _ in range(200)
        ]
        engine.put(known)
        asked = Query(
            text="煤",
            kinds=["achievement"],
            filters={"transfer_mode": ["M1"]},
            facets=["technology_field", "transfer_mode", "trl_band", "kind"],
        )
        found = engine.find(asked)
        text = [d for d in known if "煤" in d.title]
        kind = [d for d in text if d.kind == "achievement"]
        hits = [d for d in kind if "M1" in d.terms["transfer_mode"]]
        assert found.total == len(hits) > 0
        fields = Counter(
            level for d in hits for level in (d.terms["technology_field"][0][:2], d.terms["technology_field"][0])
        )
        assert found.facets["technology_field"] == fields
        # A facet's own filter does not narrow its counts: a second value can be chosen beside the first.
        assert found.facets["transfer_mode"] == Counter(m for d in kind for m in d.terms["transfer_mode"])
        assert found.facets["kind"] == Counter(d.kind for d in text if "M1" in d.terms["transfer_mode"])
        bands = {3: "1-3", 5: "4-6", 8: "7-9"}
        assert found.facets["trl_band"] == Counter(bands[d.trl] for d in hits if d.trl)

    def test_pages_show_each_hit_once(self, engine: Engine) -> None:
        known = [document("矿井水除氟", id=f"CG-{n:02d}", updated_at=NOON) for n in range(45)]
        engine.put(known)
        for asked in ({"text": "除氟"}, {"ordering": "-updated_at"}, {"ordering": "price"}):
            pages = [engine.find(Query(page=n, **asked)).ids for n in (1, 2, 3)]  # type: ignore[arg-type]
            assert sorted(i for page in pages for i in page) == [d.id for d in known]

    def test_a_page_past_the_end_is_empty_and_still_counts(self, engine: Engine) -> None:
        engine.put([document("矿井水除氟")])
        for page in (2, 900, 10**9):
            found = engine.find(Query(text="除氟", page=page))
            assert (found.hits, found.total) == ((), 1)

    def test_orderings_put_what_states_nothing_last(self, engine: Engine) -> None:
        known = [
            document("面议", negotiable=True, updated_at=NOON),
            document("便宜", price=Decimal("10000.00"), trl=9, updated_at=NOON - timedelta(days=2)),
            document("贵", price=Decimal("9000000.00"), trl=3, updated_at=NOON + timedelta(days=1)),
        ]
        engine.put(known)
        assert titles(engine, known, ordering="price") == ["便宜", "贵", "面议"]
        assert titles(engine, known, ordering="-price") == ["贵", "便宜", "面议"]
        assert titles(engine, known, ordering="-trl") == ["便宜", "贵", "面议"]
        assert titles(engine, known) == ["贵", "面议", "便宜"]

    # Versions: changes come late, twice and in any order

    def test_an_older_version_never_overwrites_a_newer(self, engine: Engine) -> None:
        engine.put([document("新", id="CG-1", version=5)])
        engine.put([document("旧", id="CG-1", version=4)])
        assert engine.find(Query(text="新")).ids == ["CG-1"]
        assert engine.find(Query(text="旧")).total == 0

    def test_the_same_change_may_come_twice(self, engine: Engine) -> None:
        once = document("除氟", id="CG-1", version=2)
        engine.put([once])
        engine.put([once, once])
        assert engine.find(Query()).total == 1
        engine.drop([("CG-1", 3)])
        engine.drop([("CG-1", 3)])
        assert engine.find(Query()).total == 0

    def test_a_late_change_cannot_bring_back_what_was_removed(self, engine: Engine) -> None:
        engine.put([document("除氟", id="CG-1", version=2)])
        engine.drop([("CG-1", 3)])
        engine.put([document("除氟", id="CG-1", version=2), document("除氟", id="CG-1", version=3)])
        assert engine.find(Query(text="除氟")).total == 0
        engine.put([document("除氟", id="CG-1", version=4)])
        assert engine.find(Query(text="除氟")).ids == ["CG-1"]

    def test_a_late_removal_does_not_remove_a_newer_version(self, engine: Engine) -> None:
        engine.put([document("除氟", id="CG-1", version=5)])
        engine.drop([("CG-1", 4)])
        assert engine.find(Query(text="除氟")).ids == ["CG-1"]

    def test_a_removal_that_comes_first_still_counts(self, engine: Engine) -> None:
        engine.drop([("CG-1", 3)])
        engine.put([document("除氟", id="CG-1", version=2)])
        assert engine.find(Query()).total == 0

    def test_changes_in_any_order_end_the_same(self, engine: Engine) -> None:
        chance = random.Random(11)
        changes = [(f"CG-{n}", version, chance.random() < 0.3) for n in range(20) for version in range(1, 6)]
        last = {name: gone for name, version, gone in changes if version == 5}
        chance.shuffle(changes)
        for name, version, gone in changes:
            if gone:
                engine.drop([(name, version)])
            else:
                engine.put([document("除氟", id=name, version=version)])
        assert engine.versions() == {name: 5 for name, gone in last.items() if not gone}

    def test_a_bad_document_is_named_and_the_others_go_on(self, engine: Engine) -> None:
        bad = document("坏", id="CG-2", terms={"no_such_facet": ["1"]})
        refused = engine.put([document("除氟", id="CG-1"), bad, document("脱硫", id="CG-3", price=Decimal(-1))])
        assert set(refused) == {"CG-2", "CG-3"}
        assert "no_such_facet" in refused["CG-2"]
        assert engine.find(Query()).ids == ["CG-1"]

    def test_a_rebuild_holds_what_was_given_alone(self, engine: Engine) -> None:
        engine.put([document("旧", id="CG-1")])
        engine.drop([("CG-9", 7)])
        engine.rebuild([document("新", id="CG-2", version=3)])
        assert engine.versions() == {"CG-2": 3}
        assert engine.status().tombstones == 0

    def test_a_rebuild_that_fails_leaves_the_old_index(self, engine: Engine) -> None:
        engine.put([document("旧", id="CG-1")])

        def broken():  # type: ignore[no-untyped-def]
            yield document("新", id="CG-2")
            raise RuntimeError("database went away")

        with pytest.raises(RuntimeError):
            engine.rebuild(broken())
        assert engine.versions() == {"CG-1": 1}
        assert engine.put([document("新", id="CG-2")]) == {}

    def test_what_is_held_names_removed_ones(self, engine: Engine) -> None:
        engine.put([document("除氟", id="CG-1", version=3), document("脱硫", id="CG-2")])
        engine.drop([("CG-2", 1)])
        assert engine.held(["CG-1", "CG-2", "CG-3"]) == {"CG-1": (3, False), "CG-2": (1, True)}
        assert sorted(engine.scan()) == [("CG-1", "achievement", 3), ("CG-2", "~", 1)]
        assert engine.versions() == {"CG-1": 3}
        assert engine.held([]) == {}

    def test_an_id_that_is_removed_and_published_again_many_times_is_one(self, engine: Engine) -> None:
        for version in range(1, 40, 2):
            engine.put([document("除氟", id="CG-1", version=version)])
            engine.drop([("CG-1", version + 1)])
        engine.put([document("除氟", id="CG-1", version=41)])
        assert (engine.find(Query(text="除氟")).total, engine.status().documents) == (1, 1)

    # Matching

    def test_a_term_of_the_demands_title_weighs_more(self, engine: Engine) -> None:
        engine.put([document("除氟填料", id="CG-1"), document("蒸发结晶", id="CG-2")])
        asked = document("高盐废水除氟", id="XQ-1", kind="demand", body="现有蒸发设备运行良好")
        assert [h.id for h in engine.similar(asked, kinds=["achievement"])] == ["CG-1", "CG-2"]
        other = document("高盐废水蒸发", id="XQ-1", kind="demand", body="现有除氟设备运行良好")
        assert [h.id for h in engine.similar(other, kinds=["achievement"])] == ["CG-2", "CG-1"]

    def test_only_the_asked_kinds_and_never_ones_own(self, engine: Engine) -> None:
        mine = document("除氟", id="XQ-1", kind="demand", owner="7")
        engine.put([mine, document("除氟", id="CG-1", owner="7"), document("除氟", id="CG-2", owner="8")])
        assert [h.id for h in engine.similar(mine, kinds=["achievement"])] == ["CG-1", "CG-2"]
        assert [h.id for h in engine.similar(mine, kinds=["achievement"], exclude_owner="7")] == ["CG-2"]
        assert [h.id for h in engine.similar(mine, kinds=["demand"])] == []

    def test_equal_scores_are_ordered_by_number_and_the_limit_holds(self, engine: Engine) -> None:
        names = [f"CG-{n:03d}" for n in range(150)]
        shuffled = names[:]
        random.Random(3).shuffle(shuffled)
        engine.put([document("除氟", id=name) for name in shuffled[:75]])
        engine.put([document("除氟", id=name) for name in shuffled[75:]])
        asked = document("除氟", id="XQ-1", kind="demand")
        assert [h.id for h in engine.similar(asked, limit=10)] == names[:10]

    def test_a_text_that_shares_nothing_matches_nothing(self, engine: Engine) -> None:
        engine.put([document("羊绒分梳")])
        assert engine.similar(document("稀土永磁", id="XQ-1")) == []
        assert engine.similar(document("，。", id="XQ-1")) == []

    def test_frequencies_count_documents(self, engine: Engine) -> None:
        engine.put([document("除氟除氟"), document("除氟"), document("脱硫")])
        assert engine.frequencies("bi", ["除氟", "脱硫", "储氢"]) == (3, {"除氟": 2, "脱硫": 1, "储氢": 0})
