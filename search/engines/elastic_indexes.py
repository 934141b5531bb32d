"""Which index answers, which is being built, and how one takes the other's place in one step.

<prefix>                       alias: the index that answers, for people and tools
<prefix>-read-s1-a1            alias: the same index, named by the fields and the analyser it was made with. The
                               site reads through it, so that code of another version finds nothing rather than
                               something wrong
<prefix>-building              alias: the index that a rebuild fills; every write goes there too
<prefix>-000001, -000002 …     the indexes; the last one before the one that answers is kept for `rollback`
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Any

from . import EngineDown
from . import elastic_documents as fields
from .elastic_client import FILL, LOOK, SEARCH, WRITE, Line, Missing

logger = logging.getLogger(__name__)

# While it is filled nobody searches an index, and it needs no copies.
FILLING = {"refresh_interval": "-1", "number_of_replicas": 0}


@dataclass(frozen=True)
class Index:
    """One index of ours as the cluster knows it; `about` is what it was made with."""

    name: str
    aliases: frozenset[str]
    about: dict[str, Any]


class Indexes:
    """The indexes with one prefix. Asks the cluster each time: another process may have swapped a moment ago."""

    def __init__(self, line: Line, prefix: str, shards: int, replicas: int) -> None:
        self.line, self.prefix, self.shards, self.replicas = line, prefix, shards, replicas
        self.building = f"{prefix}-building"
        self._ours = re.compile(re.escape(prefix) + r"-\d{6,}")

    @property
    def reading(self) -> str:
        """The alias that this code asks."""
        made = fields.about()
        return f"{self.prefix}-read-s{made['schema_version']}-a{made['analyzer_version']}"

    def all(self, names: str = "", seconds: float = LOOK) -> list[Index]:
        """Our indexes, oldest first; with `names` only those that these name. Raises EngineDown."""
        answer = self.line.ask(
            seconds,
            lambda client: client.indices.get(
                index=names or f"{self.prefix}-*",
                features=["aliases", "mappings"],
                filter_path="*.aliases,*.mappings._meta",
                ignore_unavailable=True,
                allow_no_indices=True,
            ),
        )
        found = [
            Index(name, frozenset(row.get("aliases", {})), row.get("mappings", {}).get("_meta", {}))
            for name, row in answer.items()
            if self._ours.fullmatch(name)
        ]
        return sorted(found, key=lambda index: (len(index.name), index.name))

    def live(self, seconds: float = LOOK) -> Index | None:
        """The index that answers; None where there is none. Raises EngineDown."""
        answering = [index for index in self.all(self.prefix, seconds) if self.prefix in index.aliases]
        return answering[-1] if answering else None

    def targets(self) -> tuple[list[str], str]:
        """Where a write goes: (names, the one of them that answers or empty).

        An index of another analyser is passed over where one of ours is being built: nobody of ours reads it, and the
        new one holds everything. Raises EngineDown where there is nothing that this code may write into.
        """
        known = self.all(f"{self.prefix},{self.building}", SEARCH)
        building = [index for index in known if self.building in index.aliases]
        for index in building:
            if why := fields.outdated(index.about):
                raise EngineDown(f"an index is being built by another version: {why}")
        names = [index.name for index in building]
        for index in known:
            if self.prefix not in index.aliases:
                continue
            why = fields.outdated(index.about)
            if not why:
                return [*names, index.name], index.name
            if not names:
                raise EngineDown(why)
        if not names:
            raise EngineDown("there is no index yet")
        return names, ""

    def begin(self) -> str:
        """Make the index that a rebuild fills and return its name; what a dead rebuild left and the last but one go."""
        template = fields.template(self.prefix, self.shards, self.replicas)
        self.line.ask(WRITE, lambda client: client.indices.put_index_template(name=self.prefix, **template))
        known = self.all(seconds=WRITE)
        for index in known:
            if self.prefix not in index.aliases:
                self._remove(index.name)
        number = max((int(index.name.rsplit("-", 1)[1]) for index in known), default=0) + 1
        name = f"{self.prefix}-{number:06d}"
        self.line.ask(
            WRITE,
            lambda client: client.indices.create(
                index=name,
                aliases={self.building: {}},
                mappings={"_meta": fields.about()},
                settings={"index": FILLING},
            ),
        )
        return name

    def ready(self, name: str) -> None:
        """Set back what was turned off for filling, and make what was filled findable. Raises EngineDown."""
        settings = {"refresh_interval": None, "number_of_replicas": self.replicas}
        self.line.ask(FILL, lambda client: client.indices.put_settings(index=name, settings={"index": settings}))
        self.line.ask(FILL, lambda client: client.indices.refresh(index=name))

    def swap(self, name: str, *, was_building: bool = True) -> None:
        """Let `name` answer instead of whatever did, in one atomic step. Raises Missing where it is gone."""
        actions: list[dict[str, Any]] = [
            {"remove": {"index": index.name, "aliases": sorted(index.aliases), "must_exist": True}}
            for index in self.all(seconds=WRITE)
            if self.prefix in index.aliases and index.name != name
        ]
        if was_building:
            actions.append({"remove": {"index": name, "alias": self.building, "must_exist": True}})
        actions += [{"add": {"index": name, "alias": alias}} for alias in (self.prefix, self.reading)]
        self.line.ask(FILL, lambda client: client.indices.update_aliases(actions=actions))

    def previous(self) -> Index | None:
        """The index that answered before, as long as no rebuild has removed it."""
        known = self.all(seconds=WRITE)
        kept = [index for index in known if not {self.prefix, self.building} & index.aliases]
        return kept[-1] if kept else None

    def discard(self, name: str) -> None:
        """Remove an index that was not finished, unless it answers; never fails: the next rebuild tries again."""
        try:
            if not any(self.prefix in index.aliases for index in self.all(name, WRITE)):
                self._remove(name)
        except EngineDown as error:
            logger.warning("search: the unfinished index %s stays until the next rebuild: %s", name, error)

    def _remove(self, name: str) -> None:
        try:
            self.line.ask(FILL, lambda client: client.indices.delete(index=name))
        except Missing:
            logger.info("search: %s is gone already", name)

    def remove_all(self) -> None:
        """Remove everything with this prefix, the template too: for indexes that were made to be thrown away."""
        try:
            self.line.ask(WRITE, lambda client: client.indices.delete_index_template(name=self.prefix))
        except Missing:
            logger.info("search: no template %s", self.prefix)
        # An index whose creation was interrupted on our side may still be coming: wait for what the master has queued.
        self.line.ask(FILL, lambda client: client.cluster.health(wait_for_events="languid", timeout="10s"))
        for index in self.all(seconds=WRITE):
            self._remove(index.name)
