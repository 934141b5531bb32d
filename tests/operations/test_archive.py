"""What was backed up comes back equal; what is not sound is refused with nothing changed."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import tarfile
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection

from marketplace.operations import archive
from search.engines.locks import FileLock
from tests import databases
from tests.operations.markets import Market

# The template that a market is copied from is made by the database fixture.
pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(scope="module")
def saved(tmp_path_factory, django_db_setup):
    """A market with a person and files, and its archive."""
    market = Market(tmp_path_factory.mktemp("saved") / "var").migrated()
    market.add_person("someone@example.org")
    for name in ("media/images/a.png", "private/contracts/合同.pdf"):
        path = market.folder / name
        path.parent.mkdir(parents=True)
        path.write_bytes(name.encode() * 1000)
    file = market.folder.parent / "market.tar.gz"
    done = market.run("backup", file)
    assert done.returncode == 0, done.stderr
    return market, file


def _empty(tmp_path) -> Market:
    return Market(tmp_path / "other").migrated()


def _rewritten(file, target, change):
    """A copy of an archive whose members went through `change(name, content) -> (name, content) or None`."""
    with tarfile.open(file) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            changed = change(member.name, old.extractfile(member).read())
            if changed is not None:
                about = tarfile.TarInfo(changed[0])
                about.size = len(changed[1])
                new.addfile(about, io.BytesIO(changed[1]))
    return target


def test_a_market_comes_back_equal_with_its_key(saved, tmp_path):
    market, file = saved
    other = _empty(tmp_path)
    done = other.run("restore", file)
    assert done.returncode == 0, done.stderr
    assert other.state() == market.state()
    assert (other.folder / "secret_key").read_text() == (market.folder / "secret_key").read_text()
    assert not list(other.folder.glob("restore-*"))
    assert "缺少" not in other.run("doctor").stdout


def test_the_archive_is_its_makers_alone_and_never_overwritten(saved):
    market, file = saved
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_bytes()
    assert market.run("backup", file).returncode == 2
    assert file.read_bytes() == before


def test_a_market_with_people_is_replaced_only_when_told_and_kept_aside(saved, tmp_path):
    _market, file = saved
    other = _empty(tmp_path)
    other.add_person("stays@example.org")
    before = other.state()
    refused = other.run("restore", file)
    assert (refused.returncode, other.state()) == (1, before)
    assert "--replace" in refused.stderr
    assert other.run("restore", file, "--replace").returncode == 0
    assert other.people() == ["someone@example.org"]
    aside = next(other.folder.glob("replaced-*"))
    assert _people_of(aside) == ["stays@example.org"]


def _people_of(aside) -> list[str]:
    """The people of the market that was moved aside."""
    if connection.vendor == "sqlite":
        return Market(aside).people()
    other = Market(aside).migrated()
    shutil.copy(aside / "database.dump", aside / "database")
    with connections_to(other):
        archive.put_in(aside / "database")
    return other.people()


@contextmanager
def connections_to(market):
    """This process talks to the market's own PostgreSQL database while the block runs."""
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = market.name
    try:
        yield
    finally:
        connection.settings_dict["NAME"] = before


@pytest.mark.postgres
def test_what_a_newer_program_left_behind_does_not_stand_in_the_way(saved, tmp_path):
    """Tables and triggers that the archive does not know go, also where they point to those that it replaces."""
    market, file = saved
    other = _empty(tmp_path)
    other.sql("CREATE TABLE later (id int PRIMARY KEY, who bigint REFERENCES accounts_user (id))")
    done = other.run("restore", file, "--replace")
    assert done.returncode == 0, done.stderr
    assert other.state() == market.state()
    other.sql(
        "INSERT INTO accounts_user (password, is_superuser, email, name, phone, is_active, date_joined) "
        "VALUES ('!', '0', 'next@example.org', '某人', '', '1', '2026-01-01')"
    )  # sequences go on
    assert other.people() == ["next@example.org", "someone@example.org"]


@pytest.mark.postgres
def test_a_database_that_cannot_be_replaced_is_left_as_it_was(saved, tmp_path):
    """Somebody holds a table: the restore gives up, and rows and files are those of before."""
    _market, file = saved
    other = _empty(tmp_path)
    other.add_person("stays@example.org")
    (other.folder / "media").mkdir()
    (other.folder / "media/stays.png").write_bytes(b"stays")
    before = other.state()
    with psycopg.connect(databases.url(other.name)) as holder:
        holder.execute("LOCK TABLE accounts_user IN ACCESS SHARE MODE")
        done = other.run("restore", file, "--replace", PGOPTIONS="-c lock_timeout=1s")
    assert (done.returncode, "lock" in done.stderr) == (2, True)
    assert other.state() == before


def _flip(name, content):
    return (name, b"X" + content[1:]) if name.startswith("private/") else (name, content)


def _without_manifest(name, content):
    return None if name == "manifest.json" else (name, content)


def _another_format(name, content):
    return (
        (name, content.replace(b"technology-market-backup", b"something-else-backup"))
        if name == "manifest.json"
        else (name, content)
    )


def _escaping(name, content):
    return ("private/../../escaped.pdf", content) if name.startswith("private/") else (name, content)


def _newer(name, content):
    if name != "manifest.json":
        return name, content
    body = json.loads(content)
    return name, json.dumps({**body, "migrations": [*body["migrations"], "cms.9999_from_the_future"]}).encode()


def _older(name, content):
    if name != "manifest.json":
        return name, content
    body = json.loads(content)
    return name, json.dumps({**body, "migrations": [m for m in body["migrations"] if "jobs." not in m]}).encode()


def _next_version(name, content):
    return (name, content.replace(b'"version": 1', b'"version": 2')) if name == "manifest.json" else (name, content)


def _postgres(name, content):
    """From the other kind of database."""
    swapped = {b'"sqlite"': b'"postgresql"', b'"postgresql"': b'"sqlite"'}
    return (
        (name, re.sub(rb'"(sqlite|postgresql)"', lambda found: swapped[found[0]], content))
        if name == "manifest.json"
        else (name, content)
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_flip, "已损坏"),
        (_without_manifest, "清单"),
        (_another_format, "不是本系统"),
        (_escaping, "不是本系统"),
        (_newer, "更新的程序版本"),
        (_older, "较旧的程序版本"),
        (_next_version, "格式"),
        (_postgres, "不能互换"),
    ],
)
def test_an_unsound_archive_is_refused_and_nothing_has_changed(saved, tmp_path, settings, change, says):
    _market, file = saved
    folder = tmp_path / "var"
    settings.DATA_DIR, settings.MEDIA_ROOT, settings.PRIVATE_ROOT = folder, folder / "media", folder / "private"
    settings.MEDIA_ROOT.mkdir(parents=True)
    (settings.MEDIA_ROOT / "stays.png").write_bytes(b"stays")
    with pytest.raises(archive.NotRestored, match=says):
        archive.restore(_rewritten(file, tmp_path / "bad.tar.gz", change), replace=True)
    assert [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*"))] == ["media", "media/stays.png"]
    assert not (tmp_path / "escaped.pdf").exists()


def test_a_damaged_archive_ends_the_command_with_1_and_nothing_has_changed(saved, tmp_path):
    _market, file = saved
    other = _empty(tmp_path)
    other.add_person("stays@example.org")
    before = other.state()
    done = other.run("restore", _rewritten(file, tmp_path / "bad.tar.gz", _flip), "--replace")
    assert (done.returncode, other.state()) == (1, before)
    assert "什么都没有改动" in done.stderr


def test_a_cut_off_archive_and_any_other_file_are_refused(saved, tmp_path):
    _market, file = saved
    other = _empty(tmp_path)
    before = other.state()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(file.read_bytes()[:-2000])
    text = tmp_path / "text.gz"
    text.write_bytes(gzip.compress(b"not an archive"))
    for bad in (cut, text):
        assert other.run("restore", bad).returncode == 1
    assert other.run("restore", tmp_path / "none").returncode == 2
    assert other.state() == before


def test_nothing_is_restored_under_a_running_site(saved, tmp_path):
    _market, file = saved
    other = _empty(tmp_path)
    lock = FileLock(other.folder / "housekeeping.lock")
    assert lock.acquire()
    try:
        assert other.run("restore", file).returncode == 2
    finally:
        lock.release()
    assert other.people() == []
