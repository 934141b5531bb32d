"""Private files: stored under random names outside any public folder, served only by views that ask who is asking."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.http import FileResponse
from django.utils.translation import gettext as _

# Suffix → the bytes such a file begins with. Both must fit: a mislabelled file is refused.
KINDS = {
    ".pdf": (b"%PDF-",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".docx": (b"PK\x03\x04",),
}
CONTENT_TYPES = {
    ".pdf": "application/pdf",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def private_storage() -> Storage:
    """The storage for files that are never public."""
    return storages["private"]


@dataclass(frozen=True)
class Checked:
    """What was found out about an uploaded file: its tidied name, suffix, size in bytes and SHA-256."""

    name: str
    suffix: str
    size: int
    sha256: str


def clean_name(name: str) -> str:
    """A file name without path, control and invisible characters, at most 120 characters."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] != "C").strip()
    return name[-120:] or "file"


def check(upload: Any, *, allowed: tuple[str, ...] = (".pdf",), limit: int | None = None) -> Checked:
    """Read an upload once and say what it is. Raises ValidationError (Chinese, with the cure) for a file that is empty,
    larger than `limit` bytes (default CONTRACT_FILE_LIMIT), of another kind, or not what its suffix says."""
    limit = limit or settings.CONTRACT_FILE_LIMIT
    name = clean_name(upload.name)
    suffix = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    kinds = "、".join(s[1:].upper() for s in allowed)
    if upload.size == 0:
        raise ValidationError(_("文件“%(name)s”是空的，请重新选择。") % {"name": name})
    if upload.size > limit:
        raise ValidationError(
            _("文件“%(name)s”有 %(size).1f MB，超过 %(limit)d MB 的上限，请压缩或分成几个文件。")
            % {"name": name, "size": upload.size / 1048576, "limit": limit // 1048576}
        )
    if suffix not in allowed:
        raise ValidationError(_("文件“%(name)s”不是 %(kinds)s 格式，请转换后再传。") % {"name": name, "kinds": kinds})
    digest = hashlib.sha256()
    upload.seek(0)
    head = upload.read(16)
    if not any(head.startswith(start) for start in KINDS[suffix]):
        raise ValidationError(
            _("文件“%(name)s”的内容不是 %(kind)s，可能只改过后缀，请用原文件另存。")
            % {"name": name, "kind": suffix[1:].upper()}
        )
    upload.seek(0)
    for chunk in upload.chunks():
        digest.update(chunk)
    upload.seek(0)
    return Checked(name, suffix, upload.size, digest.hexdigest())


def serve(file: Any, name: str, *, inline: bool = False) -> FileResponse:
    """A response with a private file: never sniffed, never cached; the caller has checked the right to it."""
    suffix = "." + name.rsplit(".", 1)[-1].lower()
    response = FileResponse(
        file.open("rb"),
        as_attachment=not inline,
        filename=name,
        content_type=CONTENT_TYPES.get(suffix, "application/octet-stream"),
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response
