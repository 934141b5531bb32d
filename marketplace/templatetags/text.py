"""What the `market` tags do with words, dates and names, as plain functions (also for API, mails and exports)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeData, SafeString, mark_safe
from django.utils.translation import gettext as _

NBSP = "\u00a0"
# A token longer than this would itself run out of a 320 px screen: it may break.
LONGEST = 28
_NUMBER = r"\d[\d,.]*\d|\d"
_UNIT = r"[A-Za-zµμΩ°℃‰%][A-Za-z0-9µμΩ°℃‰%²³⁻¹₂₃₄·/-]*"
_DAY = r"\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2})?"
_TOKEN = re.compile(rf"{_DAY}|[≤≥<>≈±]?[ ]?(?:{_NUMBER})(?:[–~−-](?:{_NUMBER}))*(?:[ ]?(?:{_UNIT}))?")
_TAGS = re.compile(r"(<[^>]*>|&#?\w+;)")
_COMPOUND = [
    "欧阳",
    "上官",
    "司马",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "司徒",
    "令狐",
    "夏侯",
    "呼延",
    "端木",
    "独孤",
    "南宫",
    "宇文",
    "长孙",
    "鲜于",
    "闾丘",
    "百里",
    "东郭",
]


def keep_together(text: Any) -> SafeString:
    """Text in which 35–42, 2026-11-20, ≤ 1 and 40 m³/h never break over two lines. Escapes unless already safe."""
    safe = str(conditional_escape(text)) if isinstance(text, SafeData) else str(escape(str(text)))
    parts = _TAGS.split(safe)
    # Odd parts are tags and entities: left alone.
    return mark_safe("".join(part if i % 2 else _glue(part) for i, part in enumerate(parts)))


def _glue(text: str) -> str:
    glued = _TOKEN.sub(_piece, text)
    return re.sub(r"(?<=[\d>]) (?=[\u3400-\u9fff℃])", NBSP, glued)


def _piece(found: re.Match[str]) -> str:
    token = found[0]
    lead = " " if token.startswith(" ") else ""
    body = token.removeprefix(" ")
    if len(body) > LONGEST or not re.search(r"[ –~−/≤≥<>≈±-]", body):
        return token
    return f'{lead}<span class="nb">{body.replace(" ", NBSP)}</span>'


def marked(text: str, spans: Iterable[Any]) -> SafeString:
    """Text with the named stretches in <mark>; spans are (start, end) pairs or mappings with those keys.

    Spans out of order, overlapping or beyond the text are merged and cut, never an error: they come from an index that
    may be a moment older than the text.
    """
    pairs = sorted(_pair(span) for span in spans)
    out, at = [], 0
    for start, end in pairs:
        start, end = max(start, at), min(end, len(text))
        if start >= end:
            continue
        out += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    out.append(escape(text[at:]))
    return mark_safe("".join(out).replace("</mark><mark>", ""))


def _pair(span: Any) -> tuple[int, int]:
    if isinstance(span, dict):
        return int(span["start"]), int(span["end"])
    start, end = span
    return int(start), int(end)


def as_date(value: Any) -> date | None:
    """The local day of a date, an aware or a naive datetime; None for anything else."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value if isinstance(value, date) else None


def day(value: Any) -> str:
    """2026-11-20, in tables (GB/T 7408); an empty string for no date."""
    found = as_date(value)
    return found.isoformat() if found else ""


def day_short(value: Any) -> str:
    """11-20 within this year, else the whole date."""
    found = as_date(value)
    if found is None:
        return ""
    return found.strftime("%m-%d") if found.year == timezone.localdate().year else found.isoformat()


def day_long(value: Any) -> str:
    """2026 年 11 月 20 日, in documents."""
    found = as_date(value)
    return f"{found.year} 年 {found.month} 月 {found.day} 日".replace(" ", NBSP) if found else ""


def moment(value: Any) -> str:
    """2026-11-20 10:42, local time, 24 hours."""
    if not isinstance(value, datetime):
        return day(value)
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    return local.strftime("%Y-%m-%d %H:%M")


def days_left(value: Any) -> str:
    """还有 39 天, 今天截止 or 已过 3 天, counted from today in Asia/Shanghai."""
    found = as_date(value)
    if found is None:
        return ""
    days = (found - timezone.localdate()).days
    if days == 0:
        return _("今天截止")
    if days > 0:
        return _("还有 %(days)d 天") % {"days": days}
    return _("已过 %(days)d 天") % {"days": -days}


def days_since(value: Any) -> int | None:
    """Whole days from a date to today; negative for the future; None for no date."""
    found = as_date(value)
    return (timezone.localdate() - found).days if found else None


def mask_name(name: str) -> str:
    """张*, 欧阳**: the family name stays; with a · the part before it stays."""
    name = name.strip()
    if len(name) < 2:
        return "*" * len(name)
    if "·" in name:
        return name.split("·", 1)[0] + "·**"
    keep = 2 if len(name) > 2 and name[:2] in _COMPOUND else 1
    return name[:keep] + "*" * (len(name) - keep)


def mask(value: str) -> str:
    """A name, phone number, mail address or long number with its middle hidden.

    张三 → 张*, 13800008000 → 138****8000, zhang@a.cn → z***@a.cn, longer numbers keep the first three and last four.
    """
    text = str(value or "").strip()
    if "@" in text:
        local, host = text.split("@", 1)
        return f"{local[:1]}***@{host}"
    bare = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"\+?[0-9A-Za-z]+", bare) and len(bare) >= 8:
        return bare[:3] + "*" * (len(bare) - 7) + bare[-4:]
    return mask_name(text)
