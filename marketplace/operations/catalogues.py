"""Message catalogues without gettext's programs: a fresh machine has no msgfmt, so compiled ones are committed.

`stale` compares what a .po says with what its .mo says, by content: times mean nothing in a fresh clone.
"""

from __future__ import annotations

import ast
import gettext
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

_LINE = re.compile(r'^(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)?\s*(".*")$')


@dataclass
class _Entry:
    texts: dict[str, str] = field(default_factory=dict)
    strings: dict[int, str] = field(default_factory=dict)
    is_fuzzy: bool = False

    def message(self) -> tuple[str, str] | None:
        """The pair as a .mo file holds it, or None for what is not translated."""
        if "msgid" not in self.texts or (self.is_fuzzy and self.texts["msgid"]) or not any(self.strings.values()):
            return None
        key = self.texts["msgid"]
        if "msgid_plural" in self.texts:
            key += "\0" + self.texts["msgid_plural"]
        if "msgctxt" in self.texts:
            key = self.texts["msgctxt"] + "\x04" + key
        return key, "\0".join(text for _n, text in sorted(self.strings.items()))


def read_po(path: Path) -> dict[str, str]:
    """Every finished message of a .po file. Raises ValueError with the line number for what is no .po."""
    found: dict[str, str] = {}
    entry, last = _Entry(), ("", 0)

    def close() -> None:
        pair = entry.message()
        if pair is not None:
            found[pair[0]] = pair[1]

    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if line.startswith("#") or not line:
            if entry.strings:
                close()
                entry = _Entry()
            entry.is_fuzzy |= line.startswith("#,") and "fuzzy" in line
            continue
        match = _LINE.match(line)
        if match is None:
            raise ValueError(f"{path.name}:{number}: not a line of a catalogue")
        keyword, index, text = match.groups()
        if keyword in ("msgid", "msgctxt") and entry.strings:
            close()
            entry = _Entry()
        last = (keyword, int(index or 0)) if keyword else last
        value = ast.literal_eval(text)
        if last[0].startswith("msgstr"):
            entry.strings[last[1]] = entry.strings.get(last[1], "") + value
        else:
            entry.texts[last[0]] = entry.texts.get(last[0], "") + value
    close()
    return found


def mo_bytes(messages: dict[str, str]) -> bytes:
    """The .mo file of these messages: sorted keys, no hash table, little-endian."""
    keys = sorted(messages, key=lambda key: key.encode())
    ids, strings, table = b"", b"", []
    for key in keys:
        raw_id, raw_text = key.encode(), messages[key].encode()
        table.append((len(raw_id), len(ids), len(raw_text), len(strings)))
        ids += raw_id + b"\0"
        strings += raw_text + b"\0"
    begin_keys = 7 * 4
    begin_texts = begin_keys + 8 * len(keys)
    begin_ids = begin_texts + 8 * len(keys)
    begin_strings = begin_ids + len(ids)
    head = struct.pack("<7I", 0x950412DE, 0, len(keys), begin_keys, begin_texts, 0, begin_keys)
    of_keys = b"".join(struct.pack("<2I", size, begin_ids + at) for size, at, _s, _a in table)
    of_texts = b"".join(struct.pack("<2I", size, begin_strings + at) for _s, _a, size, at in table)
    return head + of_keys + of_texts + ids + strings


def read_mo(path: Path) -> dict[str, str]:
    """Every message of a .mo file as gettext understands it. Raises OSError when it is damaged."""
    with path.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return {(key if isinstance(key, str) else f"{key[0]}\0{key[1]}"): text for key, text in catalogue.items()}


def _as_gettext_says(messages: dict[str, str]) -> dict[str, str]:
    """The same messages in the shape of `read_mo`, so that the two can be compared."""
    said: dict[str, str] = {}
    for key, text in messages.items():
        if "\0" in key:
            for n, form in enumerate(text.split("\0")):
                said[f"{key.split(chr(0))[0]}\0{n}"] = form
        else:
            said[key] = text
    return said


def stale(root: Path) -> list[Path]:
    """The .po files below `root`/locale whose .mo is missing, damaged or says something else."""
    found = []
    for po in sorted(root.glob("locale/*/LC_MESSAGES/*.po")):
        mo = po.with_suffix(".mo")
        try:
            same = read_mo(mo) == _as_gettext_says(read_po(po))
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            found.append(po)
    return found


def compile_all(root: Path) -> list[Path]:
    """Write the .mo of every stale catalogue; which ones."""
    found = stale(root)
    for po in found:
        po.with_suffix(".mo").write_bytes(mo_bytes(read_po(po)))
    return found
