"""Somebody who works all the while: acts on listings through the real services, written into a journal.

A line before each act ("begun") and one after its commit ("done" or "failed"), each in one write of the operating
system: what a killed process had said it did is still there. Each text carries a word that stands nowhere else, so that
the index can be asked whether it has just this text.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# How often each act comes, in hundredths. "undone" is published in a transaction that is then rolled back.
MIX = {"publish": 25, "edit": 42, "withdraw": 12, "return": 10, "availability": 6, "undone": 5}
KINDS = {"achievement": 50, "demand": 20, "expert": 15, "project": 15}
WORDS = [
    "除氟",
    "膜浓缩",
    "结晶",
    "催化",
    "煤层气",
    "储能",
    "氢能",
    "草原修复",
    "光伏",
    "稀土",
    "陶瓷",
    "智能采掘",
    "余热",
    "碳捕集",
    "甲醇",
    "风机",
    "轴承",
    "环保",
    "传感",
]


class _Undone(Exception):
    """Leaves a transaction so that nothing of it stays."""


@dataclass
class Writer:
    """One worker with listings of its own, so that two never get into each other's way."""

    name: str
    chance: random.Random
    journal: int
    owner: int
    live: list[tuple[str, int]] = field(default_factory=list)
    withdrawn: list[tuple[str, int]] = field(default_factory=list)
    count: int = 0

    def mark(self) -> str:
        self.count += 1
        return f"gm{self.name}x{self.count}"

    def step(self) -> None:
        """One act, journalled; whatever it raises is a failed save."""
        act = self.chance.choices(list(MIX), list(MIX.values()))[0]
        if act in ("edit", "withdraw", "availability") and not self.live:
            act = "publish"
        if act == "return" and not self.withdrawn:
            act = "publish"
        mark = self.mark()
        self.note(state="begun", act=act, mark=mark)
        began = time.monotonic()
        try:
            number = getattr(self, f"_{act}")(mark)
        except Exception as error:
            self.note(state="failed", act=act, mark=mark, error=f"{type(error).__name__}: {error}"[:300])
        else:
            seconds = round(time.monotonic() - began, 4)
            self.note(state="done", act=act, mark=mark, number=number, seconds=seconds)

    def note(self, **line: Any) -> None:
        os.write(self.journal, (json.dumps({"at": time.time(), **line}, ensure_ascii=False) + "\n").encode())

    # Acts

    def _publish(self, mark: str) -> str:
        from cms import publishing
        from cms.models import ListingRecord, listing_model

        kind = self.chance.choices(list(KINDS), list(KINDS.values()))[0]
        record = ListingRecord(kind=kind, owner_id=self.owner)
        listing = listing_model(kind)(record=record, live=False, **self._words(mark))
        publishing.save_draft(listing, by=None)
        publishing.publish(listing, by=None, note="gate")
        self.live.append((kind, listing.pk))
        return listing.record.number

    def _words(self, mark: str) -> dict[str, Any]:
        some = self.chance.sample(WORDS, 4)
        level = "L3" if self.chance.random() < 0.05 else "L0"
        return {
            "title": f"{some[0]}{some[1]}试验 {mark}",
            "summary": f"用于{some[2]}与{some[3]}的连续运行装置，已在侧线运行。",
            "body": "、".join(self.chance.sample(WORDS, 8)),
            "technology_field_id": self.chance.choice(["0701", "0601", "0801"]),
            "region_id": self.chance.choice(["150602", "150623", "150625"]),
            "disclosure_level": level,
        }

    def _of(self, one: tuple[str, int]) -> Any:
        from cms.models import listing_model

        kind, pk = one
        return listing_model(kind)._base_manager.select_related("record").get(pk=pk)

    def _edit(self, mark: str) -> str:
        from cms import publishing

        listing = self._of(self.chance.choice(self.live)).get_latest_revision_as_object()
        for name, value in self._words(mark).items():
            setattr(listing, name, value)
        publishing.save_draft(listing, by=None)
        publishing.publish(listing, by=None, note="gate")
        return listing.record.number

    def _withdraw(self, mark: str) -> str:
        from cms import publishing

        one = self.chance.choice(self.live)
        listing = self._of(one)
        publishing.withdraw(listing, by=None, on_behalf_of=None, reason="gate")
        self.live.remove(one)
        self.withdrawn.append(one)
        return listing.record.number

    def _return(self, mark: str) -> str:
        from cms import publishing

        one = self.chance.choice(self.withdrawn)
        listing = self._of(one).get_latest_revision_as_object()
        listing.title = f"重新发布 {mark}"
        publishing.save_draft(listing, by=None)
        publishing.publish(listing, by=None, note="gate")
        self.withdrawn.remove(one)
        self.live.append(one)
        return listing.record.number

    def _availability(self, mark: str) -> str:
        from cms import publishing

        record = self._of(self.chance.choice(self.live)).record
        publishing.set_availability(record, self.chance.choice(["open", "negotiating"]), reference=mark)
        return record.number

    def _undone(self, mark: str) -> str:
        from django.db import transaction

        known = list(self.live)
        with contextlib.suppress(_Undone), transaction.atomic():
            number = self._publish(mark)
            raise _Undone
        self.live = known
        return number


def _adopted(number: int, of: int) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """The listings that this worker may change: every `of`-th of those there are."""
    from cms.models import KINDS as kinds
    from cms.models import listing_model

    live: list[tuple[str, int]] = []
    withdrawn: list[tuple[str, int]] = []
    for kind in kinds:
        rows = listing_model(kind)._base_manager.filter(title__contains=" gm")
        rows = rows.exclude(latest_revision=None).order_by("pk").values_list("pk", "live")
        for pk, is_live in rows:
            if pk % of == number:
                (live if is_live else withdrawn).append((kind, pk))
    return live, withdrawn


def work(journal: Path, *, seed: str, rate: float, threads: int, stop: threading.Event) -> None:
    """Act `rate` times a second until `stop`, from so many threads with listings of their own."""
    from django.db import connections

    from . import acts

    handle = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    owner = acts.owner()
    begin = time.monotonic()

    def one(number: int) -> None:
        live, withdrawn = _adopted(number, threads)
        # Its name is new in each process, or a mark would be used twice after a restart.
        name = f"{number}p{os.getpid()}t{int(time.time() * 1000) % 10**8}"
        writer = Writer(name, random.Random(f"{seed} {name}"), handle, owner, live, withdrawn)
        turn = 0
        try:
            while not stop.is_set():
                writer.step()
                turn += 1
                # Behind its time it does not hurry: a burst after an outage would be another test.
                due = begin + turn * threads / rate
                stop.wait(max(0.0, due - time.monotonic()))
                if due < time.monotonic() - 1:
                    turn = int((time.monotonic() - begin) * rate / threads)
        finally:
            connections.close_all()

    workers = [threading.Thread(target=one, args=(number,), daemon=True) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    os.close(handle)


def main(arguments: list[str]) -> None:
    """`load JOURNAL RATE SEED`: until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    journal, rate, seed = arguments
    work(Path(journal), seed=seed, rate=float(rate), threads=3, stop=stop)


def from_environment(value: str) -> None:
    """In a site's own process: `JOURNAL RATE SEED`, until the process ends."""
    journal, rate, seed = value.split(" ")
    work(Path(journal), seed=seed, rate=float(rate), threads=1, stop=threading.Event())


# Reading the journal


@dataclass
class Journal:
    """What the workers said."""

    begun: int = 0
    done: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def undone(self) -> list[str]:
        """Marks of texts that were rolled back."""
        return [line["mark"] for line in self.done if line["act"] == "undone"]

    @property
    def saved(self) -> list[dict[str, Any]]:
        return [line for line in self.done if line["act"] != "undone"]

    def seconds(self) -> list[float]:
        return sorted(line["seconds"] for line in self.done)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        for line in path.read_text().splitlines():
            yield json.loads(line)


def read(path: Path) -> Journal:
    found = Journal()
    for line in lines(path):
        if line["state"] == "begun":
            found.begun += 1
        else:
            (found.done if line["state"] == "done" else found.failed).append(line)
    return found
