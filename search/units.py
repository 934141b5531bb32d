"""Figures with units, compared as an engineer would: 0.8 mg/L against ≤ 1 g/m³, 20 次 against ≥ 15 次.

A unit that is not in the table equals only itself. Nothing is guessed: where two figures cannot be compared, the
condition is "not stated", never "not met".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from .data import read_words

# Dimension → unit → how many of the first unit it is. Written as engineers write them; see `_find` for case.
UNITS: dict[str, dict[str, str]] = {
    "concentration": {"mg/L": "1", "g/L": "1000", "μg/L": "1/1000", "mg/m3": "1/1000", "g/m3": "1", "kg/m3": "1000"},
    "flow": {
        "m3/h": "1",
        "m3/d": "1/24",
        "m3/min": "60",
        "m3/s": "3600",
        "L/h": "1/1000",
        "L/min": "60/1000",
        "L/s": "36/10",
    },
    "standard flow": {"Nm3/h": "1", "Nm3/d": "1/24", "Nm3/min": "60"},
    "mass flow": {"t/h": "1", "t/d": "1/24", "kg/h": "1/1000", "kg/d": "1/24000"},
    "yearly mass": {"t/a": "1", "kt/a": "1000", "kg/a": "1/1000"},
    "yearly volume": {"m3/a": "1"},
    "share": {"%": "1", "‰": "1/10", "ppm": "1/10000"},
    "time": {"s": "1", "ms": "1/1000", "min": "60", "h": "3600", "d": "86400"},
    "calendar": {"月": "1", "a": "12"},
    "length": {"mm": "1", "nm": "1/1000000", "μm": "1/1000", "cm": "10", "m": "1000", "km": "1000000"},
    "area": {"m2": "1", "cm2": "1/10000", "mm2": "1/1000000", "亩": "2000/3", "hm2": "10000", "km2": "1000000"},
    "volume": {"m3": "1", "L": "1/1000", "mL": "1/1000000"},
    "mass": {"kg": "1", "mg": "1/1000000", "g": "1/1000", "t": "1000", "kt": "1000000"},
    "pressure": {"Pa": "1", "kPa": "1000", "MPa": "1000000", "GPa": "1000000000", "bar": "100000", "N/mm2": "1000000"},
    "power": {"W": "1", "kW": "1000", "MW": "1000000", "GW": "1000000000"},
    "energy": {"kWh": "1", "Wh": "1/1000", "MWh": "1000", "GWh": "1000000"},
    "heat": {"J": "1", "kJ": "1000", "MJ": "1000000", "GJ": "1000000000"},
    "energy per mass": {"kWh/t": "1", "kWh/kg": "1000"},
    "heat per mass": {"kJ/kg": "1", "MJ/kg": "1000", "GJ/t": "1000"},
    "energy density": {"Wh/kg": "1", "Wh/g": "1000"},
    "energy per volume": {"kWh/m3": "1"},
    "energy per gas": {"kWh/Nm3": "1"},
    "temperature": {"℃": "1"},
    "money": {"元": "1"},
    "money per mass": {"元/t": "1", "元/kg": "1000"},
    "money per volume": {"元/m3": "1"},
    "money per energy": {"元/kWh": "1"},
    "consumption": {"kg/t": "1", "g/t": "1/1000", "g/kg": "1", "mg/kg": "1/1000", "t/t": "1000"},
    "water per product": {"m3/t": "1"},
    "capacity": {"mg/g": "1"},
    "mass per area": {"kg/亩": "1", "t/亩": "1000", "kg/hm2": "1/15", "t/hm2": "1000/15"},
    "water per area": {"m3/亩": "1", "m3/hm2": "1/15"},
    "voltage": {"V": "1", "mV": "1/1000", "kV": "1000"},
    "current": {"A": "1", "mA": "1/1000", "kA": "1000"},
    "current density": {"A/cm2": "1", "mA/cm2": "1/1000", "A/m2": "1/10000"},
    "frequency": {"Hz": "1", "kHz": "1000", "MHz": "1000000", "GHz": "1000000000"},
    "speed": {"m/s": "1", "mm/s": "1/1000", "m/min": "1/60", "km/h": "10/36"},
    "rotation": {"r/min": "1", "r/s": "60"},
    "force": {"N": "1", "kN": "1000", "MN": "1000000"},
    "density": {"g/cm3": "1", "kg/L": "1", "t/m3": "1"},
}

# Chinese words and other spellings → as in the table. Longer words first, so that 平方米 is not read as 米.
_SPELLINGS = sorted(
    (pair.split("=") for pair in read_words("unit_spellings.txt")), key=lambda pair: len(pair[0]), reverse=True
)
_MULTIPLES = {"亿": 10**8, "万": 10**4}

_TABLE = {unit: (dimension, Fraction(size)) for dimension, units in UNITS.items() for unit, size in units.items()}
# Spelt in another case a unit is still itself where that is not ambiguous: mpa could be MPa or mPa, so it is nothing.
_AMBIGUOUS = {"mpa", "mw", "mv", "mj", "mwh", "mn", "mhz", "mg"}
_FOLDED: dict[str, str] = {}
for _unit in _TABLE:
    _FOLDED.setdefault(_unit.lower(), _unit)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit read: its dimension and its size in the dimension's first unit. `dimension` is the spelling itself where
    the table does not know it."""

    dimension: str
    size: Fraction


def unit(text: str) -> Unit:
    """Read a unit as people write it: `m³/h`, `吨/天`, `万元`, `元/吨`."""
    # NFKC: m³ → m3, ％ → %, ℃ → °C; the micro sign and the Greek letter become one.
    spelt = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    for word, symbol in _SPELLINGS:
        spelt = spelt.replace(word, symbol)
    size = Fraction(1)
    while spelt[:1] in _MULTIPLES and len(spelt) > 1:
        size *= _MULTIPLES[spelt[0]]
        spelt = spelt[1:]
    found = _TABLE.get(spelt) or (
        _TABLE.get(_FOLDED.get(spelt.lower(), "")) if spelt.lower() not in _AMBIGUOUS else None
    )
    return Unit(found[0], size * found[1]) if found else Unit(f"“{spelt.lower()}”", size)


def is_unit(token: str) -> bool:
    """True for a token that is only a unit (mg/l, kwh): it says nothing of what is measured."""
    return token in _FOLDED or token.lower() in _FOLDED


@dataclass(frozen=True, slots=True)
class Figure:
    """A named figure as it was written: operator ge, le, eq or range (value to value_to)."""

    name: str
    operator: str
    value: Decimal
    value_to: Decimal | None = None
    unit: str = ""
    is_hard: bool = True
    condition: str = ""

    def __str__(self) -> str:
        number = plain(self.value)
        if self.operator == "range" and self.value_to is not None:
            number = f"{number}–{plain(self.value_to)}"
        elif self.operator in ("ge", "le"):
            number = f"{'≥' if self.operator == 'ge' else '≤'} {number}"
        return f"{number} {self.unit}".strip()

    def bounds(self) -> tuple[Fraction | None, Fraction | None]:
        """Lowest and highest in the dimension's first unit, both inclusive; None = open."""
        size = unit(self.unit).size
        low, high = (
            Fraction(self.value) * size,
            Fraction(self.value_to if self.value_to is not None else self.value) * size,
        )
        if self.operator == "ge":
            return low, None
        if self.operator == "le":
            return None, low
        return (low, high) if self.operator == "range" else (low, low)


def plain(value: Decimal) -> str:
    """A number without trailing zeros and without an exponent."""
    return f"{value.normalize():f}"


def compare(target: Figure, offered: Figure) -> bool | None:
    """Whether an offered figure meets a target; None where that cannot be said from the two.

    Met where everything the offer allows lies within the target (or, for a range that must be covered, the other way
    round); not met where no value satisfies both. ≤ 60 offered for ≥ 40 says nothing.
    """
    if unit(target.unit).dimension != unit(offered.unit).dimension:
        return None
    low, high = target.bounds()
    least, most = offered.bounds()
    if _within((least, most), (low, high)):
        return True
    if target.operator == offered.operator == "range" and _within((low, high), (least, most)):
        return True
    apart = (high is not None and least is not None and least > high) or (
        low is not None and most is not None and most < low
    )
    return False if apart else None


def _within(inner: tuple[Fraction | None, Fraction | None], outer: tuple[Fraction | None, Fraction | None]) -> bool:
    above = outer[0] is None or (inner[0] is not None and inner[0] >= outer[0])
    below = outer[1] is None or (inner[1] is not None and inner[1] <= outer[1])
    return above and below
