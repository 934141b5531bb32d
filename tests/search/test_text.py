"""The analyser: what a text is to the engines, and where typed words stand in it."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.text import BOX_LIMIT, TOKEN_LIMIT, excerpt, highlights, mapped, merge, normalize, spaced, tokens, words


@pytest.mark.parametrize(
    ("text", "uni", "bi"),
    [
        ("氢能储运", ["氢", "能", "储", "运"], ["氢能", "能储", "储运"]),
        ("氟", ["氟"], ["氟"]),
        ("V2G 与 GCr15", ["v2g", "与", "gcr15"], ["v2g", "与", "gcr15"]),
        ("ＰＭ２．５监测", ["pm2.5", "监", "测"], ["pm2.5", "监测"]),
        ("3.5 mg/L, A+B-C", ["3.5", "mg/l", "a+b-c"], ["3.5", "mg/l", "a+b-c"]),
        ("氢\u200b能", ["氢", "能"], ["氢能"]),
        ("氢。能", ["氢", "能"], ["氢", "能"]),
        ("𬭛铪", ["𬭛", "铪"], ["𬭛铪"]),
        ("μm 与 α-Al2O3", ["μm", "与", "α-al2o3"], ["μm", "与", "α-al2o3"]),
        ("\x00、。", [], []),
        ("", [], []),
    ],
)
def test_tokens(text: str, uni: list[str], bi: list[str]) -> None:
    found = tokens(text)
    assert (found.uni, found.bi) == (uni, bi)


# Letters, characters, what stands between them, and what folds into something else or into its neighbour.
MIXED = st.text(
    st.one_of(
        st.characters(), st.sampled_from("氢能储运〇㐀𬭛ＰＭaZ9.-/+_，：（）％～\u00a0℃µ¹₂⁻\u0338\u0301\u200bﬁ①İ가")
    )
)


def _plainly(text: str) -> str:
    invisible = "[\u00ad\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f]"
    return unicodedata.normalize("NFKC", re.sub(invisible, "", text)).lower()


@given(MIXED)
def test_the_short_ways_fold_a_text_as_unicode_says(text: str) -> None:
    assert normalize(text) == _plainly(text)


@given(MIXED)
def test_tokens_joined_at_once_are_the_tokens_joined(text: str) -> None:
    found = tokens(text)
    assert spaced(text) == (" ".join(found.uni), " ".join(found.bi))


def test_a_token_of_any_length_is_cut_alike_on_both_sides() -> None:
    assert tokens("x" * 5000).bi == ["x" * TOKEN_LIMIT] == [t for _, t in words("x" * 150)[0].terms]


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("氢能 储", [[("bi", "氢能")], [("uni", "储")]]),
        ("矿井水除氟", [[("bi", "矿井"), ("bi", "井水"), ("bi", "水除"), ("bi", "除氟")]]),
        ("PEM电解槽", [[("bi", "pem"), ("bi", "电解"), ("bi", "解槽")]]),
        ("氢能,氢能", [[("bi", "氢能")], [("bi", "氢能")]]),
        ("“除氟”、pm2.5", [[("bi", "除氟")], [("bi", "pm2.5")]]),
        ("、。", []),
    ],
)
def test_typed_words(typed: str, terms: list[list[tuple[str, str]]]) -> None:
    assert [list(word.terms) for word in words(typed)] == terms


def test_only_the_beginning_of_a_very_long_input_is_read() -> None:
    assert len(words("氢 " * 5000)) == BOX_LIMIT // 2


@given(st.text())
def test_nothing_that_can_be_typed_fails(text: str) -> None:
    found = tokens(text)
    assert all(token and not token.isspace() for token in found.uni + found.bi)
    assert all(" " not in token for token in found.bi), "the engines split our tokens at spaces"
    words(text)
    highlights(text, text)


@given(st.text(alphabet="氢能ＡaB①ﬁ½ \u200b，"))
def test_a_mapped_text_points_back_into_the_original(original: str) -> None:
    place = mapped(original)
    assert len(place.text) == len(place.starts) == len(place.ends)
    for position in range(len(place.text)):
        start, end = place.span(position, position + 1)
        assert place.text[position] in normalize(original[start:end])


@pytest.mark.parametrize(
    ("text", "typed", "marked"),
    [
        ("煤化工高盐废水的除氟", "高盐废水 除氟", ["高盐废水", "除氟"]),
        ("高盐矿井废水", "高盐废水", ["高盐", "废水"]),
        ("ＰＥＭ电解槽", "pem", ["ＰＥＭ"]),
        ("PEMFC 电堆", "pem", []),
        ("氟与氟化物", "氟", ["氟", "氟"]),
        ("智能采煤", "氢能", []),
    ],
)
def test_highlights(text: str, typed: str, marked: list[str]) -> None:
    assert [text[a:b] for a, b in highlights(text, typed)] == marked


def test_merge_joins_what_touches() -> None:
    assert merge([(5, 7), (0, 2), (2, 4), (6, 9)]) == [(0, 4), (5, 9)]


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 8)), max_size=6)


@given(st.text(alphabet="氢能储煤\n，a", min_size=70, max_size=90), SPANS)
def test_an_excerpt_keeps_its_marks_on_the_same_words(text: str, given_spans: list[tuple[int, int]]) -> None:
    spans = merge([(start, start + length) for start, length in given_spans])
    short, marks = excerpt(text, spans, around=3, longest=40)
    wanted = [text[a:b].replace("\n", " ") for a, b in spans]
    shown = [short[a:b] for a, b in marks]
    assert shown == wanted[: len(shown)]
    assert shown or not wanted
    assert "\n" not in short


def test_an_excerpt_by_example() -> None:
    text = "煤制乙二醇装置的高盐废水，膜浓缩后氟离子富集到较高浓度，再生后容量下降一半"
    short, marks = excerpt(text, [(8, 12), (28, 30)], around=2)
    assert short == "…置的高盐废水，膜…度，再生后容…"
    assert [short[a:b] for a, b in marks] == ["高盐废水", "再生"]
    assert excerpt("短文", []) == ("短文", [])
