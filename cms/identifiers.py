"""Numbers that carry a check character: normalise, check, and say which character is wrong and what it should be.

Patent application numbers: ZC 0006-2003 《专利申请号标准》. Unified social credit codes: GB 32100-2015, with the
organisation code of GB 11714 inside (some codes issued before 2018 fail it: a warning, never an error).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CODE_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
INNER_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
PATENT_WEIGHTS = (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)
DEPARTMENTS = "123456789ANY"
PROVINCES = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "10",
    ]
)


def half_width(text: str) -> str:
    """Full-width letters and digits as half-width, upper case, without spaces and invisible characters."""
    kept = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in ("Cf", "Cc", "Zs"))
    return "".join(kept).upper()


# Unified social credit code


@dataclass(frozen=True)
class CreditCode:
    """A code that passed; `warnings` say what is odd without being wrong."""

    value: str
    warnings: tuple[str, ...] = ()


def credit_code_check(body: str) -> str:
    """The 18th character for the first 17 of a credit code."""
    total = sum(CODE_CHARACTERS.index(c) * w for c, w in zip(body[:17], CODE_WEIGHTS, strict=True))
    return CODE_CHARACTERS[(31 - total % 31) % 31]


def inner_check(body: str) -> str:
    """The 9th character of an organisation code (GB 11714) for its first eight."""
    total = sum((int(c) if c.isdigit() else ord(c) - 55) * w for c, w in zip(body[:8], INNER_WEIGHTS, strict=True))
    return {10: "X", 11: "0"}.get(11 - total % 11, str(11 - total % 11))


def check_credit_code(text: str) -> CreditCode:
    """Return the normalised code; ValidationError says which character is wrong and what it should be."""
    code = half_width(text)
    if len(code) != 18:
        raise ValidationError(
            _("统一社会信用代码应为 18 位，您填的“%(code)s”是 %(n)d 位，请核对营业执照或法人证书。")
            % {"code": code, "n": len(code)}
        )
    for position, character in enumerate(code, 1):
        if character not in CODE_CHARACTERS:
            raise ValidationError(
                _("统一社会信用代码第 %(n)d 位“%(c)s”不合规则：代码只用数字和大写字母，不用 I、O、Z、S、V。")
                % {"n": position, "c": character}
            )
    if code[0] not in DEPARTMENTS:
        raise ValidationError(_("统一社会信用代码第 1 位“%(c)s”不是登记管理部门代码，请核对。") % {"c": code[0]})
    expected = credit_code_check(code)
    if code[17] != expected:
        raise ValidationError(
            _("统一社会信用代码的校验位不对：第 18 位是“%(given)s”，按前 17 位应为“%(expected)s”，请逐位核对。")
            % {"given": code[17], "expected": expected}
        )
    warnings = []
    if code[2:4] not in PROVINCES:
        warnings.append(_("第 3、4 位“%(c)s”不是已知的省级代码。") % {"c": code[2:4]})
    if inner_check(code[8:16]) != code[16]:
        warnings.append(_("第 9 到 17 位的组织机构代码校验位不合（2018 年前的部分代码如此），请人工核对。"))
    return CreditCode(code, tuple(warnings))


def make_credit_code(region: str, serial: str, *, department: str = "9", category: str = "1") -> str:
    """A valid code for invented organisations: six-digit region, eight characters of organisation code."""
    body = department + category + region + serial.upper()
    body += inner_check(serial.upper())
    return body + credit_code_check(body)


# Patent numbers


@dataclass(frozen=True)
class PatentNumber:
    """An application number with its dot; `kind` is A01 invention, A02 utility model, A03 design."""

    value: str
    kind: str
    year: int
    is_granted: bool


def patent_check(digits: str) -> str:
    """The check character for the 12 digits (8 before 2003-10-01) of an application number."""
    total = sum(int(d) * w for d, w in zip(digits, PATENT_WEIGHTS, strict=False))
    return "X" if total % 11 == 10 else str(total % 11)


def check_patent_number(text: str) -> PatentNumber:
    """Return the number as it is printed (201710601862.3, ZL in front said apart); ValidationError names the fault."""
    raw = half_width(text)
    granted = raw.startswith("ZL")
    bare = re.sub(r"^(ZL|CN)", "", raw).replace(".", "").replace("．", "")
    if not re.fullmatch(r"(\d{8}|\d{12})[\dX]", bare):
        if re.fullmatch(r"\d{9}[A-CUYSD]?", bare) and raw.startswith("CN"):
            raise ValidationError(
                _("“%(n)s”是公开号，请填申请号或专利号（12 位数字加校验位，如 201710601862.3）。") % {"n": raw}
            )
        raise ValidationError(
            _("专利申请号应为 12 位数字（2003 年 10 月前为 8 位）加一位校验位，如 201710601862.3；您填的是“%(n)s”。")
            % {"n": raw}
        )
    digits, given = bare[:-1], bare[-1]
    kind_digit = digits[4] if len(digits) == 12 else digits[2]
    year = int(digits[:4]) if len(digits) == 12 else 1900 + int(digits[:2])
    if len(digits) == 8 and int(digits[:2]) < 85:
        year += 100
    if not 1985 <= year <= timezone.localdate().year:
        raise ValidationError(_("专利申请号里的年份是 %(y)d，应在 1985 年到今年之间。") % {"y": year})
    kinds = {"1": "A01", "8": "A01", "2": "A02", "9": "A02", "3": "A03"}
    if kind_digit not in kinds:
        raise ValidationError(
            _("专利申请号第 %(p)d 位“%(c)s”应为 1（发明）、2（实用新型）、3（外观设计）、8 或 9（PCT）。")
            % {"p": 5 if len(digits) == 12 else 3, "c": kind_digit}
        )
    expected = patent_check(digits)
    if given != expected:
        raise ValidationError(
            _("专利申请号的校验位不对：最后一位是“%(given)s”，按前 %(n)d 位应为“%(expected)s”，请逐位核对。")
            % {"given": given, "n": len(digits), "expected": expected}
        )
    return PatentNumber(f"{digits}.{given}", kinds[kind_digit], year, granted)
