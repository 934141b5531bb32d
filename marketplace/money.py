"""Amounts: kept in 元 as Decimal with two places, shown in 元, 万元 or 亿元, typed in 万元.

Pure Python, knows no Django. Rounding is always the last step and is 四舍五入 (ROUND_HALF_UP); sums are made of exact
元 before anything here is called. Negative figures carry the true minus sign (U+2212), groups of three carry commas.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import cn2an

WAN = Decimal(10_000)
YI = Decimal(100_000_000)
CENT = Decimal("0.01")
# Decimal(18, 2) holds sixteen digits before the point; a longer figure cannot be stored.
LIMIT = Decimal(10) ** 16
# From 2 亿元 on, a bare figure in a 万元 field is more likely meant in 元: the average contract is 200–400 万元.
ASK_FROM = Decimal(20_000) * WAN

HINT = "您填的是 %(typed)s 万元（%(large)s）。是 %(meant)s 吗？"

_UNITS = {
    "": WAN,
    "万": WAN,
    "万元": WAN,
    "元": Decimal(1),
    "圆": Decimal(1),
    "亿": YI,
    "亿元": YI,
}
_FIGURE = re.compile(r"(?P<sign>[-−]?)(?P<number>\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?P<unit>万元|亿元|万|亿|元|圆|)")


class NotAnAmount(ValueError):
    """What was typed is no amount; the message says in Chinese what was read and how to write it."""


@dataclass(frozen=True)
class Typed:
    """An amount as typed.

    value: 元, two places. meant: 元 if the figure had been typed in 元 although the field asks for 万元, else None.
    """

    value: Decimal
    meant: Decimal | None = None

    @property
    def params(self) -> dict[str, str]:
        """Figures for HINT, so that a form can translate the sentence and fill it."""
        meant = self.meant if self.meant is not None else self.value
        return {
            "typed": plain_wan(self.value),
            "large": auto(self.value),
            "meant": f"{plain_wan(meant)} 万元",
        }

    @property
    def hint(self) -> str:
        """A question to the writer in Chinese, or an empty string when the figure is plausible."""
        return HINT % self.params if self.meant is not None else ""


def parse_wan(text: str, *, ask_from: Decimal = ASK_FROM) -> Typed:
    """Read an amount typed into a 万元 field: full-width digits, commas, ¥ and units are known.

    ask_from: 元; a bare figure (no unit) from here on is returned with `meant`, for the form to ask about.
    Raises NotAnAmount for anything else, for more than two places of 元 and for figures too long to keep.
    """
    shown = text.strip()
    folded = re.sub(r"[\s¥￥]", "", unicodedata.normalize("NFKC", shown)).replace("，", ",")
    found = _FIGURE.fullmatch(folded)
    if found is None:
        raise NotAnAmount(f"“{shown[:40]}”不是金额。请填数字，例如 180 或 180.50。")
    number = Decimal(found["number"].replace(",", ""))
    value = number * _UNITS[found["unit"]]
    if value >= LIMIT:
        raise NotAnAmount("数字太长。请核对单位，金额按万元填写。")
    if value != value.quantize(CENT):
        raise NotAnAmount("金额最多精确到分，也就是万元的小数点后六位。")
    if found["sign"]:
        value = -value
    asks = not found["unit"] and value >= ask_from
    return Typed(value.quantize(CENT), number.quantize(CENT) if asks else None)


def _fixed(value: Decimal) -> str:
    rounded = value.quantize(CENT, rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.2f}"
    return f"−{text}" if rounded < 0 else text


def yuan(value: Decimal) -> str:
    """元 with commas and two places: 1,234.00."""
    return _fixed(Decimal(value))


def wan(value: Decimal) -> str:
    """元 shown in 万元 with two places, without the unit: 3120000 → 312.00."""
    return _fixed(Decimal(value) / WAN)


def yi(value: Decimal) -> str:
    """元 shown in 亿元 with two places, without the unit: 1246000000 → 12.46."""
    return _fixed(Decimal(value) / YI)


def plain_wan(value: Decimal) -> str:
    """元 shown in 万元 without needless zeros, for sentences and input boxes: 1800000 → 180."""
    number = (Decimal(value) / WAN).normalize()
    text = f"{abs(number):,f}"
    return f"−{text}" if number < 0 else text


def unit_for(value: Decimal) -> str:
    """The unit in which an amount of 元 reads best: 亿元 from one 亿 on, 元 below 100 元 (not zero), else 万元."""
    size = abs(Decimal(value))
    if size >= YI:
        return "亿元"
    return "元" if 0 < size < 100 else "万元"


def figure_in(value: Decimal, unit: str) -> str:
    """The figure of an amount of 元 in the named unit (元, 万元 or 亿元), two places. Others: KeyError."""
    return {"元": yuan, "万元": wan, "亿元": yi}[unit](value)


def auto(value: Decimal) -> str:
    """Figure and unit with a no-break space: 12.46 亿元, 312.00 万元, 58.00 元."""
    unit = unit_for(value)
    return f"{figure_in(value, unit)}\u00a0{unit}"


def capital(value: Decimal) -> str:
    """人民币大写 of an amount of 元, as papers demand it (支付结算办法 附件一): 贰佰捌拾陆万元整, 壹元零伍分.

    Raises ValueError when the amount has fractions of a 分 or more than sixteen digits before the point.
    """
    amount = Decimal(value)
    if amount != amount.quantize(CENT) or abs(amount) >= LIMIT:
        raise ValueError(f"not an amount in 元 with two places: {value}")
    if abs(amount) == 0:
        return "零元整"
    # Through text: cn2an would pass a Decimal through float and lose 分 of large amounts.
    return cn2an.an2cn(format(amount.quantize(CENT), "f").removesuffix(".00"), "rmb")


def fen(value: Decimal) -> int:
    """元 as whole 分, for a gateway. Raises ValueError for fractions of a 分."""
    cents = Decimal(value) * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"fractions of a 分: {value}")
    return int(cents)


def from_fen(cents: int) -> Decimal:
    """Whole 分 as 元 with two places."""
    return (Decimal(cents) / 100).quantize(CENT)
