"""Names of organisations: tidied, and free of letters that look like others."""

from __future__ import annotations

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

PUNCTUATION = set("（）()［］[]·•・&-–—、.,，。“”\"'‘’《》/+：:　 ")
SCRIPTS = ("CJK ", "MONGOLIAN ", "IDEOGRAPHIC ")
SHORTEST, LONGEST = 4, 120


def tidy(text: str) -> str:
    """A name without invisible and control characters and outer spaces; else as it was typed."""
    kept = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in ("Cf", "Cc"))
    return "".join(kept).strip()


def check_organization_name(text: str) -> str:
    """Give back the tidied name. ValidationError names the letter that belongs to another script: a Cyrillic А in a
    company's name is either a slip or an attempt to look like another company."""
    name = tidy(text)
    if not SHORTEST <= len(name) <= LONGEST:
        raise ValidationError(_("单位名称应为 4 到 120 个字，请按营业执照或法人证书填写全称。"))
    for character in name:
        if not _is_usual(character):
            raise ValidationError(
                _("名称里的“%(c)s”不是汉字、蒙古文、英文字母或数字，可能是外观相近的其他文字，请重新输入这个字。")
                % {"c": character}
            )
    return name


def _is_usual(character: str) -> bool:
    plain = unicodedata.normalize("NFKC", character)
    if character in PUNCTUATION or (plain.isascii() and plain.isalnum()):
        return True
    return unicodedata.name(character, "").startswith(SCRIPTS)
