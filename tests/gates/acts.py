"""Single calls in a process under test, where a command of the product does not offer them."""

from __future__ import annotations

import json
import random
import sys
from typing import Any

CANARIES = ("草稿", "撤回", "仅撮合")


def main(arguments: list[str]) -> None:
    """`act NAME …`: run it and print what it returns as JSON."""
    name, *rest = arguments
    answer = ACTS[name](*rest)
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    from search.engines import close_engine

    close_engine()


def owner() -> int:
    """The organisation that all of the gates' listings belong to."""
    from marketplace.accounts.models import Organization

    found, _ = Organization.objects.get_or_create(name="验收测试有限公司", defaults={"region_id": "150602"})
    return found.pk


def base(count: str, seed: str) -> int:
    """Put so many published listings into an empty market, as an import would: in bulk, each with its change row."""
    from django.db import transaction
    from django.utils import timezone

    from cms.models import ListingRecord, listing_model
    from search import changes

    from .load import KINDS, WORDS

    chance = random.Random(seed)
    organization = owner()
    kinds = chance.choices(list(KINDS), list(KINDS.values()), k=int(count))
    now = timezone.now()
    for start in range(0, len(kinds), 500):
        chunk = kinds[start : start + 500]
        with transaction.atomic(), changes.without_nudges():
            records = [ListingRecord(kind=kind, owner_id=organization, first_published_at=now) for kind in chunk]
            records = ListingRecord.objects.bulk_create(records)
            for kind in KINDS:
                rows = []
                for place, record in enumerate(records):
                    if record.kind == kind:
                        some = chance.sample(WORDS, 6)
                        rows.append(
                            listing_model(kind)(
                                record=record,
                                live=True,
                                first_published_at=now,
                                last_published_at=now,
                                title=f"{some[0]}{some[1]}装置 gmbasex{start + place}",
                                summary=f"用于{some[2]}、{some[3]}与{some[4]}，{some[5]}工况下连续运行。",
                                body="。".join(chance.sample(WORDS, 10)),
                                technology_field_id=chance.choice(["0701", "0601", "0801"]),
                                region_id=chance.choice(["150602", "150623", "150625"]),
                            )
                        )
                listing_model(kind)._base_manager.bulk_create(rows)
            for record in records:
                changes.record(kind=record.kind, key=record.number, version=record.search_version)
    return len(kinds)


def canaries(count: str) -> list[str]:
    """Make listings that nobody outside may find: drafts, withdrawn ones, ones for matchmakers only; their words."""
    from cms import publishing
    from cms.models import Achievement, ListingRecord

    organization = owner()
    words = []
    for place in range(int(count)):
        word = f"canary{place}zq"
        what = CANARIES[place % len(CANARIES)]
        level = "L3" if what == "仅撮合" else "L0"
        listing = Achievement(
            record=ListingRecord(kind="achievement", owner_id=organization),
            live=False,
            title=f"{what} {word} 金丝雀",
            summary=f"{word} 金丝雀",
            disclosure_level=level,
        )
        publishing.save_draft(listing, by=None)
        if what != "草稿":
            publishing.publish(listing, by=None, note="gate")
        if what == "撤回":
            publishing.withdraw(listing, by=None, on_behalf_of=None, reason="gate")
        words.append(word)
    return words


def rollback() -> str:
    """Let the index that was there before the last rebuild answer again."""
    from search.engines import get_engine

    get_engine().rollback()
    return "ok"


POISON = "毒丸"


def feed(batch: str, size: str, poison: str) -> dict[str, int]:
    """Ask for `size` effects of four kinds, and `poison` listings that can be neither indexed nor matched.

    A third are changes of listings (with matches due for some), a third jobs, a third mails.
    """
    from django.db import transaction

    from cms.models import Achievement, ListingRecord
    from cms.signals import listing_changed
    from marketplace.accounts.models import User
    from marketplace.jobs import services as jobs
    from marketplace.notifications.services import notify

    organization, share = owner(), max(1, int(size) // 3)
    user, _ = User.objects.get_or_create(email="gate@example.org", defaults={"name": "验收"})
    for place in range(share + int(poison)):
        word = f"gmfeed{batch}x{place}"
        record = ListingRecord(kind="achievement", owner_id=organization)
        title = f"{POISON if place >= share else '除氟'}装置 {word}"
        with transaction.atomic():
            record.save()
            Achievement(record=record, live=True, title=title, summary="吸附填料连续运行。").save()
            record.raise_search_version()
            # A tenth asks for matches too: each costs as much as a page.
            what = "published" if place % 10 == 0 or place >= share else "access"
            listing_changed.send(sender=ListingRecord, record=record, what=what)
    for place in range(share):
        jobs.start("gate.effect", f"gate {batch} {place}", by=user)
    finished = jobs.Job.objects.order_by("pk").first()
    for place in range(share):
        # The key stands in the address of the notice, and so in the mail.
        key = f"gate-mail-{batch}-{place}"
        notify([user], "jobs/notices/finished", dedupe=key, url=f"/{key}/", context={"job": finished})
    return {"listings": share, "poison": int(poison), "jobs": share, "mails": share}


def duplicates(times: str) -> int:
    """Deliver every task's message so often, as a broker does that has lost an acknowledgement."""
    from marketplace.operations import duties

    count = 0
    for _ in range(int(times)):
        for duty in duties.duties():
            duty.task.apply_async()
            count += 1
    return count


ACTS: dict[str, Any] = {
    "base": base,
    "canaries": canaries,
    "rollback": rollback,
    "feed": feed,
    "duplicates": duplicates,
}
