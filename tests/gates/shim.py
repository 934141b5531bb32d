"""What differs in a process under test: sabotages that break one thing, and clocks that run faster.

Read from the environment by `child` alone; the product knows nothing of it.

    GATE_SABOTAGE   name of one sabotage below
    GATE_SCHEMA     another SCHEMA_VERSION and one more field: the next version of the product
    GATE_SLOW_ROWS  milliseconds that reading one document for a rebuild takes longer
    GATE_LEASES     seconds that the claims of a dead process last (minutes in the product)
    GATE_JOBS       a file: jobs of the kind "gate.effect" tell in it each time that they run
    GATE_POISON     a word: what has it in its title can be neither indexed nor matched
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def early() -> None:
    """After Django is set up and before an engine is loaded: the schema, which the engines copy when imported."""
    wanted = os.environ.get("GATE_SCHEMA")
    if wanted:
        assert not any(name.startswith("search.engines.") for name in sys.modules), "an engine is loaded already"
        import search.query as query

        query.SCHEMA_VERSION = int(wanted)
        query.FACETS = (*query.FACETS, f"gate_{wanted}")


def late() -> None:
    """After that."""
    _slow_rows(float(os.environ.get("GATE_SLOW_ROWS") or 0) / 1000)
    _short_leases(float(os.environ.get("GATE_LEASES") or 0))
    _poison(os.environ.get("GATE_POISON", ""))
    _jobs(os.environ.get("GATE_JOBS", ""))
    name = os.environ.get("GATE_SABOTAGE", "")
    if name:
        SABOTAGES[name]()


def _slow_rows(seconds: float) -> None:
    if not seconds:
        return
    from search import sources

    read = sources.chunks

    def chunks(failed: dict[str, str]) -> Iterator[Any]:
        for documents in read(failed):
            time.sleep(seconds * len(documents))
            yield documents

    sources.chunks = chunks


def _short_leases(seconds: float) -> None:
    if not seconds:
        return
    import datetime as dt

    from marketplace.deals import suggesting
    from marketplace.jobs import runner
    from marketplace.notifications import sending
    from search import rebuilding, taking

    lease = dt.timedelta(seconds=seconds)
    runner.LEASE = suggesting.LEASE = taking.LEASE = rebuilding.LEASE = lease
    suggesting.FIRST_WAIT = taking.FIRST_WAIT = 0.1
    rebuilding.RENEW_SECONDS = seconds / 5
    sending.CLAIM_MINUTES = seconds / 60


def _poison(word: str) -> None:
    if not word:
        return
    from search import listings, matching, sources

    def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(listing: Any, *args: Any, **kwargs: Any) -> Any:
            if word in listing.title:
                raise ValueError("毒丸")
            return function(listing, *args, **kwargs)

        return wrapped

    listings.to_document = refusing(listings.to_document)
    matching.candidates = refusing(matching.candidates)
    for kind in sources.kinds():
        source = sources._sources[kind]
        sources.register(kind, source.queryset, refusing(source.to_document), source.key)


def _jobs(path: str) -> None:
    if not path:
        return
    from marketplace.jobs import services as jobs
    from marketplace.notifications.services import notify

    def effect(job: Any, progress: Any) -> None:
        with open(path, "a") as file:
            file.write(f"{job.pk}\n")
        progress.stage("gate", total=1)
        # Its effect, once however often it runs: the second notice with the same key is none.
        notify([job.by], "jobs/notices/finished", dedupe=f"gate-{job.pk}", mail=False, context={"job": job})
        progress.step()

    jobs.register("gate.effect", effect)


# Sabotages


def _engine() -> type[Any]:
    from django.conf import settings

    if settings.SEARCH_URL.startswith("embedded"):
        from search.engines.embedded import EmbeddedEngine

        return EmbeddedEngine
    from search.engines.elastic import ElasticEngine

    return ElasticEngine


def _replace_method(cls: type[Any], name: str, wrapper: Callable[..., Any]) -> None:
    """Replace a method by `wrapper(original bound to its object, …)`."""
    original = getattr(cls, name)

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return wrapper(functools.partial(original, self), *args, **kwargs)

    setattr(cls, name, method)


def lose_on_error() -> None:
    """A put that fails says that it did not: what an index that is down would lose."""

    def put(original: Any, documents: Any) -> dict[str, str]:
        try:
            original(documents)
        except Exception:
            return {}
        return {}

    def drop(original: Any, versions: Any) -> None:
        try:
            original(versions)
        except Exception:
            return

    _replace_method(_engine(), "put", put)
    _replace_method(_engine(), "drop", drop)


def ack_early() -> None:
    """A put answers at once and writes half a second later: a process that dies in between has lost it."""

    def put(original: Any, documents: Any) -> dict[str, str]:
        kept = list(documents)

        def later() -> None:
            time.sleep(0.5)
            original(kept)

        threading.Thread(target=later, daemon=True).start()
        return {}

    _replace_method(_engine(), "put", put)


def never_rebuild() -> None:
    """An index that cannot be read is left as it is."""
    _engine().needs_rebuild = lambda self: ""


def no_fallback() -> None:
    """A list whose engine is down does not turn to the database."""
    from marketplace.library import finding
    from search.engines import get_engine

    finding.ask = lambda query, *args, **kwargs: get_engine().find(query)


def any_version() -> None:
    """The version of a document is not looked at: a late old write overwrites a new one."""
    import dataclasses

    counter = iter(range(int(time.time() * 1000), 1 << 62))

    def put(original: Any, documents: Any) -> Any:
        return original([dataclasses.replace(d, version=next(counter)) for d in documents])

    _replace_method(_engine(), "put", put)


def parsed_query() -> None:
    """What was typed is given to the engine's own query language."""
    if _engine().name == "embedded":
        import tantivy

        from search.engines import tantivy_queries as queries

        def strict(schema: Any, text: str) -> Any:
            if not text.strip():
                return None
            return tantivy.Index(schema).parse_query(text, ["uni", "bi"])

        queries.strict = strict
        return
    from elasticsearch.dsl.query import QueryString

    from search.engines import elastic_queries

    elastic_queries.strict = lambda text: QueryString(query=text, fields=["uni", "bi"]) if text.strip() else None


def forgotten_filters() -> None:
    """A question with a text is asked without its filters."""
    import dataclasses

    def find(original: Any, query: Any) -> Any:
        if query.text and query.filters:
            query = dataclasses.replace(query, filters={})
        return original(query)

    _replace_method(_engine(), "find", find)


def deaf_rebuild() -> None:
    """What is saved while a new index is being filled reaches only the old one: here, none."""
    from django.conf import settings

    flag = Path(settings.DATA_DIR) / "gate-rebuilding"

    def rebuild(original: Any, documents: Any) -> Any:
        flag.touch()
        try:
            return original(documents)
        finally:
            flag.unlink(missing_ok=True)

    def put(original: Any, documents: Any) -> Any:
        return {} if flag.exists() else original(documents)

    _replace_method(_engine(), "rebuild", rebuild)
    _replace_method(_engine(), "put", put)


def forget_first() -> None:
    """A change row is deleted before its document is written: a death in between loses it."""
    from search import sources
    from search.models import SearchChange

    load = sources.load

    def forgetting(kind: str, keys: Any) -> Any:
        wanted = list(keys)
        found = load(kind, wanted)
        SearchChange.objects.filter(key__in=wanted).delete()
        time.sleep(0.3)
        return found

    sources.load = forgetting


def mail_twice() -> None:
    """A mail has another identity each time that it is sent, and no claim holds two off."""
    import secrets

    from marketplace.notifications import sending

    message = sending._message

    def other(notice: Any) -> Any:
        made = message(notice)
        made.extra_headers["Message-ID"] = f"<{secrets.token_hex(8)}@gate>"
        time.sleep(0.05)
        return made

    sending._message = other
    sending._claim = lambda notice: True


def no_repair() -> None:
    """Reconciling compares and mends nothing."""
    from search import changes

    reconcile = changes.reconcile

    @functools.wraps(reconcile)
    def looking(*args: Any, repair: bool = False, **kwargs: Any) -> Any:
        return reconcile(*args, repair=False, **kwargs)

    changes.reconcile = looking


def two_steps() -> None:
    """The old index stops answering before the new one begins."""
    from search.engines.elastic_indexes import Indexes

    def swap(original: Any, name: str, **kwargs: Any) -> Any:
        indexes = original.args[0]
        for index in indexes.all():
            if indexes.prefix in index.aliases:
                names = {"index": index.name, "name": ",".join(sorted(index.aliases))}
                indexes.line.ask(5, lambda client, names=names: client.indices.delete_alias(**names))
        time.sleep(2)
        return original(name, **kwargs)

    _replace_method(Indexes, "swap", swap)


SABOTAGES: dict[str, Callable[[], None]] = {
    "lose-on-error": lose_on_error,
    "ack-early": ack_early,
    "never-rebuild": never_rebuild,
    "no-fallback": no_fallback,
    "any-version": any_version,
    "parsed-query": parsed_query,
    "forgotten-filters": forgotten_filters,
    "deaf-rebuild": deaf_rebuild,
    "no-repair": no_repair,
    "two-steps": two_steps,
    "forget-first": forget_first,
    "mail-twice": mail_twice,
}
