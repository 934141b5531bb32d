"""Charts computed on the server: prepared points in, coordinates for components/chart_line and chart_columns out.

No script and no style attribute is needed. Every chart comes in two drawings, wide and narrow, rather than one shrunk
until its text is 8 px. Values are in the unit of the axis (亿元), the caller has summed and rounded them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil, floor, log10
from typing import Any

from django.utils.translation import gettext as _

Value = Decimal | float | int

TOP, BOTTOM = 14, 26
STEPS = (1, 2, 2.5, 5)


@dataclass(frozen=True)
class Frame:
    """The paper of one drawing, in its own units: as wide as it is shown, so that text keeps its size."""

    name: str
    width: int
    height: int
    left: int
    right: int
    every: int

    @property
    def plot_width(self) -> float:
        return self.width - self.left - self.right

    @property
    def plot_height(self) -> float:
        return self.height - TOP - BOTTOM

    @property
    def floor(self) -> float:
        return self.height - BOTTOM


LINE_FRAMES = (Frame("wide", 740, 300, 34, 110, 1), Frame("narrow", 358, 250, 28, 12, 3))
COLUMN_FRAMES = (Frame("wide", 358, 300, 30, 4, 1), Frame("narrow", 358, 240, 28, 4, 1))


@dataclass(frozen=True)
class Point:
    """A value at a place on the time axis. at: months since the start of the year, 0–12. label: said beside it."""

    at: float
    value: Value
    label: str = ""
    mark: bool = False


@dataclass(frozen=True)
class Series:
    """kind: now, goal or prev. end: the words at the line's end. None among the points breaks the line."""

    kind: str
    label: str
    points: Sequence[Point | None]
    end: str = ""


@dataclass(frozen=True)
class Month:
    """One month of a column chart. value None: no data, a gap; prev None: nothing to compare; part: not yet over."""

    label: str
    value: Value | None
    prev: Value | None = None
    part: bool = False
    show: bool = False


@dataclass
class Drawing:
    """Everything the templates draw, as numbers."""

    name: str
    width: int
    height: int
    label_x: float
    grid: list[dict[str, Any]] = field(default_factory=list)
    ticks: list[dict[str, Any]] = field(default_factory=list)
    paths: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)


def scale(highest: Value) -> tuple[float, float]:
    """(top of the axis, step between grid lines): three to six lines from zero, on round numbers."""
    high = float(highest)
    if high <= 0:
        return 1.0, 0.5
    power = 10.0 ** floor(log10(high))
    steps = sorted(s * power * factor for s in STEPS for factor in (0.1, 1))
    step = next(s for s in steps if high <= s * 5 * (1 + 1e-9))
    lines = ceil(high / step - 1e-9)
    return round(lines * step, 10), round(step, 10)


def _n(value: float) -> str:
    # A point in every language, and no long tails in the markup.
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _drawing(frame: Frame, top: float, step: float) -> Drawing:
    drawing = Drawing(frame.name, frame.width, frame.height, frame.left - 6)
    places = 0 if step >= 1 and float(step).is_integer() else 1 if step >= 0.1 else 2
    count = round(top / step)
    for i in range(count + 1):
        y = frame.floor - frame.plot_height * i / count
        drawing.grid.append(
            {
                "y": _n(y),
                "text_y": _n(y + 4),
                "x1": frame.left,
                "x2": frame.width - frame.right,
                "text": f"{i * step:.{places}f}",
            }
        )
    return drawing


def _text(cls: str, x: float, y: float, text: str) -> dict[str, str]:
    return {"cls": cls, "x": _n(x), "y": _n(y), "text": text}


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    say: str = "",
    months: int = 12,
    table: dict[str, Any] | None = None,
    key: Sequence[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """The running total of a year against its path and last year.

    label: what the drawing shows, for readers. say: one sentence above it. table: {columns, rows, foot} of 查看数据.
    """
    highest = max((p.value for s in series for p in s.points if p is not None), default=0)
    top, step = scale(highest)
    drawings = []
    for frame in LINE_FRAMES:
        drawing = _drawing(frame, top, step)
        for month in range(1, months + 1):
            if frame.every == 1 or month % frame.every == 0:
                x = frame.left + frame.plot_width * (month - 0.5) / months
                drawing.ticks.append({"x": _n(x), "y": frame.height - 8, "text": _("%(n)d月") % {"n": month}})
        # The present year last, so that it lies over the others.
        for one in sorted(series, key=lambda s: ("prev", "goal", "now").index(s.kind)):
            _line(drawing, frame, one, top, months)
        drawings.append(drawing)
    keys = key if key is not None else [{"kind": s.kind, "label": s.label} for s in series]
    return {"drawings": drawings, "label": label, "say": say, "key": keys, "table": table}


def _line(drawing: Drawing, frame: Frame, series: Series, top: float, months: int) -> None:
    """Draw one series: its path, its dots, the words beside them."""
    path, pen = [], "M"
    last: tuple[float, float] | None = None
    for point in series.points:
        if point is None:
            pen = "M"
            continue
        x = frame.left + frame.plot_width * point.at / months
        y = frame.floor - frame.plot_height * float(point.value) / top
        path.append(f"{pen}{_n(x)} {_n(y)}")
        pen, last = "L", (x, y)
        if point.mark:
            cls, radius = ("c-dot", 5) if series.kind == "now" else ("c-ring", 2.75)
            drawing.marks.append({"cls": cls, "x": _n(x), "y": _n(y), "r": radius})
        if point.label and frame.name == "wide":
            drawing.texts.append(_text("t-end", x - 6, y - 12, point.label))
    drawing.paths.append({"cls": f"c-{series.kind}", "d": "".join(path)})
    if not last or not series.end:
        return
    x, y = last
    if series.kind == "now":
        drawing.texts.append(_text("t-value t-end", x - 8, y - 10, series.end))
    elif frame.name == "wide":
        cls = "t-goal" if series.kind == "goal" else ""
        drawing.texts.append(_text(cls, x + 8, y + 4, series.end))
    elif series.kind == "goal":
        drawing.texts.append(_text("t-goal t-end", x + 4, y - 10, series.end))


def column_chart(
    months: Sequence[Month],
    *,
    label: str,
    ident: str = "months",
    say: str = "",
    key: Sequence[dict[str, str]] = (),
    table: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Columns by month, last year's outlined beside them. ident: unique on the page, names the hatching pattern."""
    values = [v for m in months for v in (m.value, m.prev) if v is not None]
    top, step = scale(max(values, default=0))
    drawings = []
    for frame in COLUMN_FRAMES:
        drawing = _drawing(frame, top, step)
        slot = frame.plot_width / max(len(months), 1)
        width = slot * 0.36
        for i, month in enumerate(months):
            left = frame.left + slot * i
            drawing.ticks.append({"x": _n(left + slot / 2), "y": frame.height - 8, "text": month.label})
            for value, offset, kind in ((month.prev, 0.12, "prev"), (month.value, 0.5, "now")):
                if value is None:
                    continue
                tall = frame.plot_height * float(value) / top
                cls = "c-outline" if kind == "prev" else "c-part" if month.part else "c-col"
                drawing.columns.append(
                    {
                        "cls": cls,
                        "hatched": cls == "c-part",
                        "x": _n(left + slot * offset),
                        "y": _n(frame.floor - tall),
                        "w": _n(width),
                        "h": _n(tall),
                        "title": f"{month.label} {value}",
                    }
                )
                if kind == "now" and month.show:
                    middle = left + slot * offset + width / 2
                    drawing.texts.append(_text("t-value t-mid", middle, frame.floor - tall - 5, str(value)))
        drawings.append(drawing)
    return {"id": ident, "drawings": drawings, "label": label, "say": say, "key": list(key), "table": table}
