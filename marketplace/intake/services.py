"""Operator's intake: many listings from one file, past moderation where told so, known ones updated, nobody notified.

Rows go in by bulk: a listing costs a few statements, not Wagtail's seventy. They have no revision until somebody edits
them, which Wagtail bears. The record, the search's change row and the matches' due row still come in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone
from wagtail.models import ModelLogEntry

from cms.models import Listing, ListingRecord, Source, listing_model
from cms.publishing import DEFAULT_VALIDITY
from cms.signals import listing_changed
from marketplace.accounts.models import Organization, OrganizationName
from marketplace.accounts.models.organizations import fold
from search import changes

from .models import ImportBatch
from .rows import Reader, Row, is_person

BATCH = 500
# A file with more faults than this is the wrong file; the table stays readable.
MOST_ERRORS = 500
LOG_ACTIONS = {"listing.import": "批量导入"}


class DryRun(Exception):
    """Carries nothing: makes the transaction of a trial run go back."""


def import_listings(
    path: Path,
    *,
    kind: str,
    organization: Organization | None = None,
    mapping: dict[str, str] | None = None,
    publish: bool = False,
    dry_run: bool = False,
    by: Any = None,
    progress: Callable[[int], None] | None = None,
) -> ImportBatch:
    """Read a JSON Lines file into listings of one kind and give back the batch with its counts and row errors.

    organization: owner of all rows; else each row names its own (unknown ones are made: unverified, without code and
    members; a person's name makes no organisation). publish: at once, past moderation, said in the log. A known (owner,
    source id) is updated; one that was edited on the site meanwhile is left alone and named. Raises OSError where the
    file cannot be read.
    """
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    batch = ImportBatch.objects.create(kind=kind, file_name=path.name, sha256=digest, by=by, is_dry_run=dry_run)
    rows = iter(Reader(path, kind, mapping or {}, owner_given=organization is not None))
    work = _Work(batch, kind, organization, publish, by)
    try:
        with transaction.atomic(), changes.without_nudges():
            while chunk := list(islice(rows, BATCH)):
                work.take(chunk)
                if progress is not None:
                    progress(batch.rows)
            if dry_run:
                raise DryRun
    except DryRun:
        pass
    batch.finished_at = timezone.now()
    batch.save()
    return batch


class _Work:
    """One run: owners once resolved are remembered, counts go into the batch."""

    def __init__(
        self, batch: ImportBatch, kind: str, organization: Organization | None, publish: bool, by: Any
    ) -> None:
        self.batch, self.kind, self.organization, self.publish, self.by = batch, kind, organization, publish, by
        self.model = listing_model(kind)
        self.owners: dict[str, Organization] = {}
        self.now = timezone.now()
        self.content_type = ContentType.objects.get_for_model(self.model)

    def take(self, chunk: list[Row]) -> None:
        self.batch.rows += len(chunk)
        good = []
        for row in chunk:
            if row.errors:
                self._note(row.errors)
            else:
                good.append(row)
        self._resolve({row.owner for row in good if row.owner and not is_person(row.owner)})
        known = self._known(good)
        fresh = [row for row in good if self._key(row) not in known]
        self._create(fresh)
        for row in good:
            record = known.get(self._key(row))
            if record is not None:
                self._update(row, record)

    def _note(self, errors: list[dict[str, Any]]) -> None:
        room = MOST_ERRORS - len(self.batch.errors)
        self.batch.errors.extend(errors[:room])

    # Owners

    def _resolve(self, names: set[str]) -> None:
        """Find or make the organisations of these names."""
        if self.organization is not None:
            return
        wanted = {fold(name): name for name in names if name not in self.owners}
        found: dict[str, list[Organization]] = {}
        for row in OrganizationName.objects.filter(folded__in=wanted).select_related("organization"):
            found.setdefault(row.folded, []).append(row.organization)
        missing = []
        for folded, name in wanted.items():
            if folded in found:
                self.owners[name] = found[folded][0]
            else:
                missing.append(Organization(name=name, kind=_kind_of(name), is_imported=True))
        made = Organization.objects.bulk_create(missing)
        OrganizationName.objects.bulk_create(
            [OrganizationName(organization=o, name=o.name, folded=fold(o.name)) for o in made]
        )
        self.owners.update({o.name: o for o in made})
        by_fold = {fold(name): owner for name, owner in self.owners.items()}
        # The same name written in two ways is one organisation.
        self.owners.update({name: by_fold[fold(name)] for name in names if name not in self.owners})

    def _owner(self, row: Row) -> tuple[int | None, str]:
        """(organisation's key, holder's name): exactly one is given."""
        if self.organization is not None:
            return self.organization.pk, ""
        if is_person(row.owner):
            return None, row.owner
        return self.owners[row.owner].pk, ""

    def _key(self, row: Row) -> tuple[int | None, str, str]:
        return (*self._owner(row), row.external_id)

    def _known(self, rows: Iterable[Row]) -> dict[tuple[int | None, str, str], ListingRecord]:
        ids = [row.external_id for row in rows]
        records = ListingRecord.objects.filter(kind=self.kind, external_id__in=ids).select_related(self.kind)
        return {(r.owner_id, "" if r.owner_id else r.holder_name, r.external_id): r for r in records}

    # Listings

    def _create(self, rows: list[Row]) -> None:
        records = []
        for row in rows:
            owner_id, holder = self._owner(row)
            records.append(
                ListingRecord(
                    kind=self.kind,
                    owner_id=owner_id,
                    holder_name=holder,
                    source=Source.IMPORTED,
                    external_id=row.external_id,
                    created_by=self.by,
                    valid_until=timezone.localdate() + DEFAULT_VALIDITY,
                    first_published_at=self.now if self.publish else None,
                    changed_at=self.now,
                )
            )
        records = ListingRecord.objects.bulk_create(records)
        listings = [
            self.model(
                record=record,
                live=self.publish,
                has_unpublished_changes=not self.publish,
                first_published_at=self.now if self.publish else None,
                last_published_at=self.now if self.publish else None,
                **_columns(row.words),
            )
            for record, row in zip(records, rows, strict=True)
        ]
        listings = self.model._base_manager.bulk_create(listings)
        self._log(listings, "created")
        if self.publish:
            for record, listing in zip(records, listings, strict=True):
                setattr(record, self.kind, listing)
                listing_changed.send(sender=ListingRecord, record=record, what="published")
        self.batch.created += len(listings)

    def _update(self, row: Row, record: ListingRecord) -> None:
        listing = record.listing
        changed = {n: v for n, v in _columns(row.words).items() if getattr(listing, n) != v}
        goes_live = self.publish and not listing.live and not record.withdrawn_at and not record.expired_at
        if not changed and not goes_live:
            self.batch.unchanged += 1
            return
        if changed and listing.latest_revision_id is not None:
            row.fault("", "这一条已在网站上修改过，没有覆盖", record.number)
            self._note(row.errors)
            self.batch.unchanged += 1
            return
        if goes_live:
            changed.update(live=True, has_unpublished_changes=False, last_published_at=self.now)
            first = listing.first_published_at or self.now
            changed["first_published_at"] = first
            ListingRecord.objects.filter(pk=record.pk).update(first_published_at=first)
        self.model._base_manager.filter(pk=listing.pk).update(**changed)
        for name, value in changed.items():
            setattr(listing, name, value)
        self._log([listing], "updated")
        if listing.live:
            record.raise_search_version()
            listing_changed.send(sender=ListingRecord, record=record, what="published")
        self.batch.updated += 1

    def _log(self, listings: list[Listing], what: str) -> None:
        note = f"导入 {self.batch.file_name}" + ("，未经审核直接公开" if self.publish else "，存为草稿")
        ModelLogEntry.objects.bulk_create(
            ModelLogEntry(
                content_type=self.content_type,
                object_id=str(listing.pk),
                label=listing.title[:200],
                action="listing.import",
                timestamp=self.now,
                user=self.by,
                content_changed=True,
                data={"note": note, "batch": self.batch.pk, "what": what},
            )
            for listing in listings
        )


def _columns(words: dict[str, str]) -> dict[str, Any]:
    """Words as model columns: codes go to the foreign key's column."""
    codes = {"technology_field": "technology_field_id", "region": "region_id"}
    return {codes.get(name, name): value for name, value in words.items()}


def _kind_of(name: str) -> str:
    """What sort of organisation a name tells of; an operator corrects it when it is verified."""
    if name.endswith(("大学", "学院", "学校")):
        return "university"
    if any(word in name for word in ("研究院", "研究所", "科学院", "研究中心", "实验室")) and "公司" not in name:
        return "institute"
    return "company" if name.endswith(("公司", "厂", "集团", "企业")) or "公司" in name else "other"
