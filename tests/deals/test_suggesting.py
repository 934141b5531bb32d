"""Matches that are kept: both ways, settled first, run twice, told once a day, imports in one go."""

import datetime as dt

import pytest
from django.utils import timezone

from cms import publishing
from cms.models import Availability, ListingRecord, Source
from marketplace.deals import due, services, suggesting
from marketplace.deals.models import Comparison, Match, MatchDue
from marketplace.notifications.models import Notice
from search import changes
from search.engines import EngineDown
from tests.factories import AchievementFactory, DemandFactory, OrganizationFactory, kpi, member, target

from . import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("index")]

OTHERS = ("羊绒分梳机", "智能采煤工作面", "沙棘籽油提取", "光伏支架除尘机器人", "稀土永磁电机")


def answered(**demand):
    """A demand, its strong answer and five that have nothing to do with it."""
    of = factories.sides(
        demand={"title": "高盐废水中氟离子深度去除", "targets": [target()], **demand},
        achievement={"title": "煤化工高盐废水除氟填料与再生方法", "kpis": [kpi()]},
    )
    for title in OTHERS:
        AchievementFactory(published=True, title=title, summary=f"{title}，已在两处试用。", body="")
    return of


def settle(**kwargs):
    changes.drain()
    return services.work_off_due(**kwargs)


def work_off_all():
    """Until nothing is due: an achievement makes its demands due again."""
    for _round in range(10):
        settle(seconds=60)
        if not MatchDue.objects.exists():
            return
    raise AssertionError("matches stay due")


def test_publishing_makes_matches_due_and_working_off_keeps_them():
    of = answered()
    assert MatchDue.objects.count() == 7
    work_off_all()
    row = Match.objects.get(demand=of.need, supply=of.supply)
    assert (row.band, row.rank_for_demand, row.rank_for_supply, row.is_current) == ("strong", 1, 1, True)
    assert row.score == pytest.approx(sum(row.parts.values()))
    assert (row.demand_revision, row.supply_revision) == (of.demand.live_revision, of.achievement.live_revision)
    assert {c["state"] for c in row.reasons["conditions"] if c["name"].startswith("出水氟离子")} == {"met"}
    assert all(set(p["in"]) == {"demand", "achievement"} for p in row.reasons["phrases"])
    compared = Comparison.objects.get(record=of.need)
    assert (compared.compared_with, compared.search_version) == (6, of.need.search_version)


def test_a_listing_that_the_index_has_not_taken_in_waits_and_counts_no_try():
    of = answered()
    # Nothing was drained: the nudge runs after commit, and a test's transaction never commits.
    assert services.work_off_due() == {"matched": 0, "waiting": 7, "failed": 0}
    assert set(MatchDue.objects.values_list("tries", flat=True)) == {0}
    assert not Match.objects.filter(demand=of.need).exists()


def test_a_second_run_changes_nothing():
    of = answered()
    work_off_all()
    rows = lambda: list(Match.objects.order_by("pk").values_list("pk", "demand", "supply", "rank_for_demand", "band"))  # noqa: E731
    before = rows()
    services.suggest(of.need)
    services.suggest(of.need)
    assert rows() == before


def test_what_no_longer_matches_is_kept_but_not_current():
    of = answered()
    work_off_all()
    row = Match.objects.get(demand=of.need, supply=of.supply)
    publishing.set_availability(of.supply, Availability.TRANSFERRED, reference="HT-2026-000001")
    work_off_all()
    row.refresh_from_db()
    assert (row.is_current, row.rank_for_demand, row.rank_for_supply) == (False, None, None)


def test_withdrawing_ends_the_matches_at_once():
    of = answered()
    work_off_all()
    publishing.withdraw(of.achievement, by=of.seller, on_behalf_of=of.university, reason="已另行合作")
    assert not Match.objects.current().filter(supply=of.supply).exists()
    assert not MatchDue.objects.filter(record=of.supply).exists()


def test_two_workers_compute_a_row_once(monkeypatch):
    answered()
    changes.drain()
    first = MatchDue.objects.select_related("record").first()
    assert suggesting._claim(first) is True
    assert suggesting._claim(first) is False


def test_a_change_during_the_computing_stays_due(monkeypatch):
    of = answered()
    work_off_all()
    suggesting.ask_again([of.need.pk])
    real = suggesting.suggest

    def meanwhile(record, **kwargs):
        done = real(record, **kwargs)
        publishing.set_availability(of.need, Availability.NEGOTIATING, reference="DJ-2026-000001")
        return done

    monkeypatch.setattr(suggesting, "suggest", meanwhile)
    settle()
    assert MatchDue.objects.filter(record=of.need).exists()


def test_a_failing_row_is_put_off_and_parked_while_the_others_go_on(monkeypatch):
    of = answered()
    changes.drain()
    real = suggesting.suggest

    def poisoned(record, **kwargs):
        if record.pk == of.supply.pk:
            raise ValueError("cannot be read")
        return real(record, **kwargs)

    monkeypatch.setattr(suggesting, "suggest", poisoned)
    assert services.work_off_due(seconds=60)["failed"] == 1
    row = MatchDue.objects.get(record=of.supply)
    assert (row.tries, row.error) == (1, "ValueError: cannot be read")
    assert row.not_before > timezone.now() + dt.timedelta(seconds=5)
    for _try in range(5):
        MatchDue.objects.update(not_before=timezone.now())
        services.work_off_due(seconds=60)
    row.refresh_from_db()
    assert row.tries == suggesting.TRIES
    MatchDue.objects.update(not_before=timezone.now())
    assert services.work_off_due(seconds=60)["failed"] == 0
    assert Match.objects.filter(demand=of.need).exists()


def test_what_is_asked_for_again_while_a_worker_has_it_is_free_for_the_next(monkeypatch):
    """Two workers: one computes a demand, the other finds an achievement near to it. The demand waits for no lease."""
    of = answered()
    work_off_all()
    suggesting.ask_again([of.need.pk])
    real = suggesting.suggest

    def meanwhile(record, **kwargs):
        suggesting.ask_again([record.pk])
        return real(record, **kwargs)

    monkeypatch.setattr(suggesting, "suggest", meanwhile)
    services.work_off_due(limit=1, seconds=60)
    monkeypatch.undo()
    assert MatchDue.objects.count() == 1
    assert services.work_off_due(limit=1, seconds=60)["matched"] == 1
    assert MatchDue.objects.count() == 0


def test_a_row_that_takes_its_worker_down_each_time_is_parked(monkeypatch):
    """The process ends between claim and outcome: nothing but the claim can count."""
    monkeypatch.setattr(suggesting, "suggest", lambda record, quiet: (_ for _ in ()).throw(KeyboardInterrupt))
    DemandFactory(published=True, title="寻求耐高温涂层")
    changes.drain()
    for _try in range(suggesting.TRIES):
        MatchDue.objects.update(not_before=timezone.now())
        with pytest.raises(KeyboardInterrupt):
            services.work_off_due()
    MatchDue.objects.update(not_before=timezone.now())
    assert services.work_off_due()["matched"] == 0
    due_row = MatchDue.objects.get()
    assert (due_row.tries, due_row.error) == (suggesting.TRIES, "the process ended while matching")


def test_an_engine_that_is_down_loses_nothing(monkeypatch):
    answered()
    changes.drain()

    def down(*args, **kwargs):
        raise EngineDown("gone")

    monkeypatch.setattr("search.matching.candidates", down)
    with pytest.raises(EngineDown):
        services.work_off_due()
    assert MatchDue.objects.filter(tries=0, not_before__lte=timezone.now()).count() == 7


def test_an_owner_is_told_once_a_day():
    of = answered()
    work_off_all()
    notice = Notice.objects.get(recipient=of.buyer)
    assert (notice.kind, notice.url) == ("deals/notices/matched", f"/demands/{of.need.number}/matches/")
    assert of.achievement.title in notice.text
    AchievementFactory(published=True, title="高盐废水氟离子深度去除膜", kpis=[kpi()])
    work_off_all()
    assert Notice.objects.filter(recipient=of.buyer).count() == 1


def test_the_rest_is_told_the_next_day(time_machine):
    time_machine.move_to(dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC), tick=False)
    of = answered()
    work_off_all()
    AchievementFactory(published=True, title="高盐废水氟离子深度去除膜", kpis=[kpi()])
    work_off_all()
    assert due.run()["told"] == 0
    time_machine.move_to(dt.datetime(2026, 11, 25, 2, tzinfo=dt.UTC), tick=False)
    assert due.run()["told"] >= 1
    assert Notice.objects.filter(recipient=of.buyer).count() == 2
    assert due.run()["told"] == 0


def test_imports_are_matched_from_the_demand_side_and_tell_nobody():
    company = OrganizationFactory()
    buyer = member(company)
    demand = DemandFactory(owner=company, published=True, title="高盐废水中氟离子深度去除", targets=[target()])
    work_off_all()
    for title in ("煤化工高盐废水除氟填料与再生方法", *OTHERS):
        imported = AchievementFactory(title=title, summary=title, body="")
        ListingRecord.objects.filter(pk=imported.record.pk).update(source=Source.IMPORTED)
        imported.record.refresh_from_db()
        imported.publish(imported.latest_revision)
    assert MatchDue.objects.filter(is_quiet=True).count() == 6
    changes.drain()
    assert services.work_off_due(seconds=60)["matched"] == 6 + 1
    assert not MatchDue.objects.exists()
    best = Match.objects.get(demand=demand.record, rank_for_demand=1)
    assert (best.band, best.supply.listing.title) == ("strong", "煤化工高盐废水除氟填料与再生方法")
    assert not Notice.objects.filter(recipient=buyer).exists()
    assert due.run()["told"] == 0


def test_a_matchmaker_only_demand_asks_but_is_seen_by_its_owner_alone():
    of = answered(matchmaker_only=True)
    work_off_all()
    row = Match.objects.get(demand=of.need, supply=of.supply)
    assert row.reasons["phrases"] == []
    assert not Match.objects.between_public().filter(pk=row.pk).exists()
    assert not Match.objects.visible_to(of.seller).filter(pk=row.pk).exists()
    assert Match.objects.visible_to(of.buyer).filter(pk=row.pk).exists()


def test_matches_are_kept_within_three_seconds_of_publishing():
    of = answered()
    work_off_all()
    started = timezone.now()
    AchievementFactory(published=True, owner=of.university, title="高盐废水氟离子深度去除膜", kpis=[kpi()])
    work_off_all()
    record = ListingRecord.objects.latest("pk")
    assert Match.objects.filter(demand=of.need, supply=record, rank_for_demand__isnull=False).exists()
    assert (timezone.now() - started).total_seconds() < 3
