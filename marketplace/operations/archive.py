"""One archive that holds a market: database, media, private files, signing key, each with its checksum.

    manifest.json   last member: format, version, when, database kind, applied migrations, SHA-256 of every other member
    database        an SQLite file, or PostgreSQL's own dump format
    media/… private/… secret_key

`restore` looks at everything first, in a folder beside the data, and touches nothing until all of it is sound. What
stood there before is moved aside, never deleted. The search index is not kept: it is made anew from the database.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

FORMAT = "technology-market-backup"
VERSION = 1
MANIFEST = "manifest.json"
DATABASE = "database"
CHUNK = 1024 * 1024
# Somebody still at work in the database (a worker, a console) is waited for this long.
LOCK_SECONDS = 30


class NotRestored(Exception):
    """Why an archive was refused, in Chinese; nothing has been changed."""


class CannotRun(Exception):
    """What is missing for this to run at all, in Chinese with the cure."""


@dataclass(frozen=True)
class Manifest:
    """What an archive says of itself. `files` maps each member's name to its SHA-256."""

    vendor: str
    created_at: str
    migrations: list[str]
    files: dict[str, str]

    def as_json(self) -> bytes:
        body = {"format": FORMAT, "version": VERSION, **self.__dict__}
        return json.dumps(body, ensure_ascii=False, indent=1).encode()


def _folders() -> dict[str, Path]:
    return {"media": Path(settings.MEDIA_ROOT), "private": Path(settings.PRIVATE_ROOT)}


def _key_file() -> Path:
    return Path(settings.DATA_DIR) / "secret_key"


# Making one


def backup(target: Path) -> Manifest:
    """Write the market as it is now to `target`; may be done while the site runs. Raises CannotRun."""
    if target.exists():
        raise CannotRun(f"{target} 已存在，不覆盖。请换一个文件名。")
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    files: dict[str, str] = {}
    try:
        # Names of people and contracts lie in it: for its maker alone.
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as raw, tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as archive:
            with tempfile.TemporaryDirectory() as scratch:
                # The database first: every file that it names is there already.
                copy = Path(scratch) / DATABASE
                _dump(copy)
                files[DATABASE] = _add(archive, copy, DATABASE)
            for name, path in _members():
                files[name] = _add(archive, path, name)
            manifest = Manifest(connection.vendor, timezone.now().isoformat(), _applied(), files)
            _add_bytes(archive, MANIFEST, manifest.as_json())
        draft.replace(target)
    except OSError as error:
        raise CannotRun(f"写不了 {target}：{error.strerror or error}。请检查文件夹和磁盘空间。") from error
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _members() -> Iterator[tuple[str, Path]]:
    for label, folder in _folders().items():
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
            yield f"{label}/{path.relative_to(folder).as_posix()}", path
    if _key_file().is_file():
        yield "secret_key", _key_file()


def _add(archive: tarfile.TarFile, path: Path, name: str) -> str:
    """Add a file and return the SHA-256 of exactly the bytes that went in."""
    with path.open("rb") as file:
        about = archive.gettarinfo(arcname=name, fileobj=file)
        about.uid = about.gid = 0
        about.uname = about.gname = ""
        reader = _Hashing(file)
        archive.addfile(about, reader)  # type: ignore[arg-type]
        return reader.digest.hexdigest()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:

    about = tarfile.TarInfo(name)
    about.size = len(content)
    archive.addfile(about, io.BytesIO(content))


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self.file.read(size)
        self.digest.update(chunk)
        return chunk


def _applied() -> list[str]:
    loader = MigrationLoader(connection)
    return sorted(f"{app}.{name}" for app, name in loader.applied_migrations)


def _dump(copy: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(copy)) as target:
            connection.connection.backup(target)
        return
    _postgres("pg_dump", "--format=custom", "--no-owner", f"--file={copy}")


def _postgres(program: str, *arguments: str) -> None:
    """Run a client program of PostgreSQL on this market's database. Raises CannotRun with what it said."""
    about: dict[str, Any] = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {"PGOPTIONS": f"-c lock_timeout={LOCK_SECONDS}s"}
    environment |= {**os.environ, **{k: str(about[v]) for k, v in names.items() if about.get(v)}}
    path = shutil.which(program)
    if path is None:
        raise CannotRun(
            f"找不到 {program}。请安装与服务器同版本的 PostgreSQL 客户端（如 apt-get install postgresql-client）。"
        )
    done = subprocess.run([path, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CannotRun(f"{program} 失败：{done.stderr.strip()[-500:]}")


# Taking one back


def restore(source: Path, *, replace: bool = False, migrate: bool = False) -> tuple[Manifest, Path | None]:
    """Put the market of an archive in place; gives its manifest and the folder that holds what stood there before.

    Raises NotRestored (a damaged, foreign, newer or, without `migrate`, older archive; a market that is not empty,
    without `replace`) with nothing changed, and CannotRun.
    """
    folder = Path(settings.DATA_DIR)
    staged = folder / f"restore-{secrets.token_hex(4)}"
    staged.mkdir(parents=True)
    try:
        manifest = _unpack(source, staged)
        _judge(manifest, staged, migrate)
        if not replace and not _is_empty():
            raise NotRestored(
                "这个 DATA_DIR 里已有一个市场。要用备份替换它，请加 --replace（原有内容会移到旁边，不会删除）。"
            )
        return manifest, _swap(staged, folder)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _unpack(source: Path, staged: Path) -> Manifest:
    """Unpack into `staged` and check every member against the manifest."""
    sums: dict[str, str] = {}
    try:
        with tarfile.open(source, mode="r:gz") as archive:
            for member in archive:
                sums[member.name] = _take(archive, member, staged)
    except FileNotFoundError as error:
        raise CannotRun(f"没有 {source} 这个文件。") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise NotRestored(f"这个文件不是完整的备份（{error}）。请用另一份备份。") from error
    sums.pop(MANIFEST, None)
    manifest = _read_manifest(staged / MANIFEST)
    if wrong := sorted(n for n in sums.keys() | manifest.files.keys() if sums.get(n) != manifest.files.get(n)):
        raise NotRestored(f"备份已损坏：{'、'.join(wrong[:5])} 与清单不符（共 {len(wrong)} 个）。请用另一份备份。")
    return manifest


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, staged: Path) -> str:
    """Write one member below `staged` and return its SHA-256; refuse anything but files of known places."""
    name = PurePosixPath(member.name)
    known = member.name in (MANIFEST, DATABASE, "secret_key") or name.parts[:1] in (("media",), ("private",))
    if not member.isreg() or not known or name.is_absolute() or ".." in name.parts:
        raise NotRestored(f"这不是本系统的备份：里面有“{member.name}”。")
    content = archive.extractfile(member)
    assert content is not None
    path = staged / name
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    path.chmod(0o600)
    return digest.hexdigest()


def _read_manifest(path: Path) -> Manifest:
    try:
        body = json.loads(path.read_bytes())
        if body.pop("format") != FORMAT:
            raise ValueError
        version = body.pop("version")
        manifest = Manifest(**body)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotRestored("这不是本系统的备份：没有可读的清单。") from error
    if version != VERSION:
        raise NotRestored(f"备份的格式是第 {version} 版，本程序只认第 {VERSION} 版。请用做备份时的程序版本恢复。")
    return manifest


def _judge(manifest: Manifest, staged: Path, migrate: bool) -> None:
    """Refuse what this code or this database cannot hold."""
    if manifest.vendor != connection.vendor:
        raise NotRestored(f"备份来自 {manifest.vendor} 数据库，这里是 {connection.vendor}，不能互换。")
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations or {}}
    if unknown := sorted(set(manifest.migrations) - known):
        raise NotRestored(f"备份来自更新的程序版本（{unknown[0]} 等 {len(unknown)} 个迁移这里没有）。请先升级程序。")
    if (missing := sorted(known - set(manifest.migrations))) and not migrate:
        raise NotRestored(
            f"备份来自较旧的程序版本（缺 {missing[0]} 等 {len(missing)} 个迁移）。"
            "请用当时的版本恢复，或加 --migrate 在恢复后升级。"
        )
    if manifest.vendor == "sqlite":
        try:
            with closing(sqlite3.connect(staged / DATABASE)) as database:
                # Check constraints call functions that only Django's own connections have; rows passed them once.
                database.execute("PRAGMA ignore_check_constraints = ON")
                verdict = database.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            raise NotRestored(f"备份里的数据库不完整：{verdict}")
    else:
        _read_dump(staged / DATABASE)


def _read_dump(dump: Path) -> Path:
    """A PostgreSQL dump as SQL, in a file beside it: reading it whole shows whether this client can. NotRestored."""
    script = dump.with_name(f"{dump.name}.sql")
    try:
        _postgres("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump))
    except CannotRun as error:
        if shutil.which("pg_restore") is None:
            raise
        raise NotRestored(f"备份里的数据库读不出来：{error}") from error
    return script


def put_in(dump: Path) -> None:
    """Make PostgreSQL's database what the dump says, in one transaction: what is not in the dump goes. Raises
    CannotRun (a table is in use, the account may not), NotRestored (not a dump); then nothing has changed."""
    connections.close_all()
    script = _read_dump(dump)
    cleared = script.with_suffix(".clear")
    cleared.write_text("DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n")
    _postgres(
        "psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null",
        f"--file={cleared}", f"--file={script}",
    )  # fmt: skip


def _is_empty() -> bool:
    from .startup import is_empty

    if "accounts_user" not in connection.introspection.table_names():
        return True
    return is_empty() and not any(any(f.rglob("*")) for f in _folders().values() if f.exists())


def _swap(staged: Path, folder: Path) -> Path | None:
    """Move what stands here aside and the unpacked market in."""
    aside = folder / f"replaced-{timezone.localtime():%Y%m%d-%H%M%S}"
    moved = False
    if connection.vendor != "sqlite":
        if not _is_empty():
            aside.mkdir()
            _dump(aside / f"{DATABASE}.dump")
            moved = True
        # When it fails, no file has been moved yet.
        put_in(staged / DATABASE)
    places = {**_folders(), "secret_key": _key_file()}
    if connection.vendor == "sqlite":
        database = Path(connection.settings_dict["NAME"])
        places[DATABASE] = database
        connections.close_all()
        places |= {f"{DATABASE}{suffix}": Path(f"{database}{suffix}") for suffix in ("-wal", "-shm")}
    for name, place in places.items():
        if place.exists() and (name != "secret_key" or (staged / name).exists()):
            aside.mkdir(exist_ok=True)
            place.replace(aside / place.name)
            moved = True
        if (staged / name).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            (staged / name).replace(place)
    # Made from another database; the site makes it anew at its first sweep.
    shutil.rmtree(folder / "search", ignore_errors=True)
    return aside if moved else None
