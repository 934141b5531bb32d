"""Announcements of the demo: Wagtail pages under /news/."""

from __future__ import annotations

from cms.models import NewsIndexPage, NewsPage

from . import clock
from .world import World, rows


def load(world: World) -> None:
    index = NewsIndexPage.objects.get()
    for n, row in enumerate(sorted(rows("news"), key=lambda r: -r["days_ago"]), 1):
        day = world.ago(row["days_ago"])
        with clock.at(clock.moment(day, 9)):
            page = NewsPage(
                title=row["title"],
                slug=f"demo-{n}",
                kind=row["kind"],
                published_on=day,
                origin=row["origin"],
                intro=row["intro"],
                body=row["body"],
                owner=world.staff["秦语桐"],
            )
            index.add_child(instance=page)
            page.save_revision(user=world.staff["秦语桐"]).publish(user=world.staff["秦语桐"])
