"""Names, codes and numbers are looked up first, and only for those who may see what they name."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser

from search.resolve import Resolved, Resolvers, resolve
from tests.factories import AchievementFactory, DemandFactory, ExpertFactory, OrganizationFactory, member, patent

pytestmark = pytest.mark.django_db
VISITOR = AnonymousUser()


@pytest.mark.parametrize("spelling", ["{}", " {} ", "lower", "fullwidth"])
def test_a_listing_number_jumps_to_its_page(spelling: str) -> None:
    listing = DemandFactory(published=True)
    number = listing.number
    typed = {"lower": number.lower(), "fullwidth": number.replace("-", "－")}.get(spelling, spelling.format(number))
    (found,) = resolve(typed, VISITOR)
    assert (found.what, found.url, found.numbers) == ("listing", listing.get_absolute_url(), (number,))


def test_a_number_that_this_person_may_not_see_is_as_unknown_as_one_that_does_not_exist() -> None:
    owner = OrganizationFactory()
    for hidden in (DemandFactory(owner=owner), DemandFactory(published=True, matchmaker_only=True, owner=owner)):
        assert resolve(hidden.number, VISITOR) == resolve("XQ-2026-000000", VISITOR) == []
        assert [r.what for r in resolve(hidden.number, member(owner))] == ["listing"]


@pytest.mark.parametrize(
    "typed",
    ["201710601862.3", "ZL201710601862.3", "2017106018623", "zl 2017 1060 1862.3", "ＺＬ２０１７１０６０１８６２．３"],
)
def test_a_patent_number_in_any_spelling_finds_its_listing(typed: str) -> None:
    listing = AchievementFactory(published=True, patents=[patent()])
    (found,) = resolve(typed, VISITOR)
    assert (found.what, found.url) == ("patent", listing.get_absolute_url())


def test_a_patent_in_two_listings_narrows_instead_of_jumping() -> None:
    listings = [AchievementFactory(published=True, patents=[patent()]) for _ in range(2)]
    (found,) = resolve("ZL201710601862.3", VISITOR)
    assert (found.url, set(found.numbers)) == ("", {listing.number for listing in listings})


def test_a_wrong_or_foreign_patent_number_names_nothing() -> None:
    AchievementFactory(published=True, patents=[patent()])
    for typed in ("201710601862.4", "202110012345.9", "12345678", "0477-0000000"):
        assert resolve(typed, VISITOR) == []


def test_the_patents_and_inventors_of_a_restricted_listing_do_not_give_it_away() -> None:
    owner = OrganizationFactory()
    AchievementFactory(published=True, restricted_l2=True, patents=[patent()], inventors="欧阳某、乌兰", owner=owner)
    assert resolve("ZL201710601862.3", VISITOR) == []
    assert resolve("乌兰", VISITOR) == []
    assert [r.what for r in resolve("ZL201710601862.3", member(owner))] == ["patent"]
    assert [r.what for r in resolve("乌兰", member(owner))] == ["person"]


def test_people_are_found_by_their_whole_name() -> None:
    expert = ExpertFactory(published=True, title="乌兰图雅")
    listing = AchievementFactory(published=True, inventors="张某某、乌兰图雅，孟克·巴特尔")
    found = resolve("乌兰图雅", VISITOR)
    assert [(r.url, r.numbers) for r in found] == [
        (expert.get_absolute_url(), (expert.number,)),
        ("", (listing.number,)),
    ]
    assert resolve("乌兰", VISITOR) == []
    assert [r.numbers for r in resolve("孟克·巴特尔", VISITOR)] == [(listing.number,)]


def test_ordinary_words_name_nothing(django_assert_max_num_queries: Any) -> None:
    AchievementFactory(published=True)
    with django_assert_max_num_queries(4):
        for typed in ("", "煤化工高盐废水除氟", "氢能 储运", "a" * 500, "\x00"):
            assert resolve(typed, VISITOR) == []


def test_higher_apps_add_what_only_they_know() -> None:
    resolvers = Resolvers()

    def organizations(typed: str, user: Any) -> list[Resolved]:
        return [Resolved("organization", "北塬煤业", filters={"owner": ["7"]})] if typed == "北塬煤业" else []

    resolvers.register(organizations)
    resolvers.register(organizations)
    assert [r.filters for r in resolvers("北塬煤业", VISITOR)] == [{"owner": ["7"]}]
    assert resolvers("别的", VISITOR) == []
