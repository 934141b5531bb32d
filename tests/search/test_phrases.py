"""What stands in both texts: it really does, and it says something."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from search.phrases import GENERIC, SHOWN, marks, shared
from search.text import normalize


def flat(term: str) -> float:
    """Every pair weighs the same."""
    return 3.0


DEMAND = {
    "title": "高盐废水中氟离子深度去除（≤1 mg/L）",
    "summary": "煤制乙二醇装置的高盐废水，膜浓缩后氟离子富集。TDS 35–42 g/L。",
    "body": "现用铝基吸附剂两级串联，再生 3–5 次后容量下降一半。",
}
SUPPLY = {
    "title": "煤化工高盐废水分质结晶与除氟耦合工艺",
    "summary": "以改性铝基吸附填料对高盐废水中氟离子深度去除，出水 0.8 mg/L。",
    "body": "关键技术研究与应用，示范水质 ＴＤＳ 28 g/L。",
}


def texts(phrases) -> list[str]:  # type: ignore[no-untyped-def]
    return [p.text for p in phrases]


def test_the_longest_stretches_come_first_and_everyday_words_not_at_all() -> None:
    found = texts(shared(DEMAND, SUPPLY, flat))
    assert found[:2] == ["高盐废水中氟离子深度去除", "铝基吸附"]
    assert "TDS" in found
    assert not {"mg/L", "g/L", "装置", "技术", "28"} & set(found)


def test_places_are_given_in_both_texts_as_written() -> None:
    phrase = next(p for p in shared(DEMAND, SUPPLY, flat) if p.text == "TDS")
    (there,) = phrase.offered
    assert SUPPLY[there.field][there.start : there.end] == "ＴＤＳ"
    assert marks(phrase.asked, "summary") == [(phrase.asked[0].start, phrase.asked[0].end)]
    assert marks(phrase.asked, "title") == []


def test_generic_words_alone_are_never_a_reason() -> None:
    assert shared({"title": "关键技术研究与应用开发"}, {"title": "关键技术研究与应用开发"}, flat) == []


def test_particles_are_taken_off_the_ends() -> None:
    assert texts(shared({"a": "水的氟离子的吸附与膜"}, {"a": "盐的氟离子的吸附与"}, flat)) == ["氟离子的吸附"]
    assert texts(shared({"a": "的井下无机在线"}, {"a": "和井下无机在线"}, flat)) == ["井下无机在线"]


def test_a_stretch_never_spans_punctuation() -> None:
    assert texts(shared({"a": "羊绒，分梳"}, {"a": "羊绒分梳"}, flat)) == ["分梳", "羊绒"]


def test_rare_pairs_weigh_more_than_common_ones() -> None:
    idf = {"羊绒": 9.0, "机械": 4.0}
    found = shared({"a": "羊绒；机械"}, {"a": "机械；羊绒"}, lambda term: idf.get(term, 0.0))
    assert [(p.text, p.weight) for p in found] == [("羊绒", 9.0), ("机械", 4.0)]
    assert shared({"a": "羊绒"}, {"a": "羊绒"}, lambda term: 0.5) == []


WORDS = st.text(alphabet="氢能智储煤技术研究的和，。 aＡ1-", max_size=60)


@given(WORDS, WORDS, WORDS)
def test_every_phrase_stands_in_both_texts_where_it_says(title: str, body: str, other: str) -> None:
    asked, offered = {"title": title, "body": body}, {"body": other}
    found = shared(asked, offered, flat)
    assert len(found) <= SHOWN
    for phrase in found:
        assert len(phrase.text) >= 2
        assert normalize(phrase.text) not in GENERIC
        assert phrase.asked
        assert phrase.offered
        for place in phrase.asked:
            assert normalize(asked[place.field][place.start : place.end]) == normalize(phrase.text)
        for place in phrase.offered:
            assert normalize(offered[place.field][place.start : place.end]) == normalize(phrase.text)
    for one in found:
        assert not any(one is not two and normalize(one.text) == normalize(two.text) for two in found)


@given(
    st.text(alphabet="氢能储煤铝氟", min_size=4, max_size=8),
    st.text(alphabet="甲乙丙", max_size=20),
    st.text(alphabet="丁戊己", max_size=20),
)
def test_the_one_common_stretch_is_found_whole(common: str, before: str, after: str) -> None:
    assert texts(shared({"a": before + common}, {"a": common + after}, flat)) == [common]
