"""Filters by code, joined with OR by repeating the parameter: as rows of the database and as terms of the index."""

from __future__ import annotations

import copy
import re
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cms.taxonomy import area_prefix
from search import text as analyser

# No list needs more values of one facet; an address with thousands is a mistake or an attack.
VALUES_LIMIT = 40


class Repeated(forms.SelectMultiple):
    """Reads every occurrence of a parameter (?region=15&region=61)."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        values = data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []
        return [values] if isinstance(values, str) else list(values)


class CodesField(forms.Field):
    """Codes of one list, checked for their shape; empty ones are passed over, doubles count once."""

    widget = Repeated

    def __init__(self, *, pattern: str, **kwargs: Any) -> None:
        self.pattern = re.compile(pattern)
        super().__init__(**kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> CodesField:
        """Each form copies its fields: of this one nothing is ever changed by a form, its widget neither."""
        return copy.copy(self)

    def to_python(self, value: Any) -> list[str]:
        return list(dict.fromkeys(v.strip() for v in value or [] if v.strip()))

    def validate(self, value: list[str]) -> None:
        super().validate(value)
        if len(value) > VALUES_LIMIT:
            raise ValidationError(_("一个条件最多选 %(limit)d 个值。") % {"limit": VALUES_LIMIT})
        unknown = [v[:40] for v in value if not self.pattern.fullmatch(v)]
        if unknown:
            raise ValidationError(_("没有这样的代码：%(codes)s") % {"codes": "、".join(unknown[:5])})


class CodesFilter(django_filters.Filter):
    """Any of these codes. `facet` is the index's name of it, `path` the model's; subclasses say how codes nest.

    `many`: the path leads over a table of its own, so that a join would list a listing once a code.
    """

    field_class = CodesField
    # Letters, digits and hyphens: each list's own shape is narrower where codes nest.
    pattern = r"[A-Za-z0-9_-]{1,20}"

    def __init__(self, *, facet: str, path: str, many: bool = False, **kwargs: Any) -> None:
        self.facet, self.path, self.many = facet, path, many
        kwargs.setdefault("pattern", self.pattern)
        super().__init__(**kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> CodesFilter:
        """Each FilterSet copies its filters and tells them whose they are; all else of this one never changes."""
        return copy.copy(self)

    def condition(self, code: str) -> Q:
        return Q(**{self.path: code})

    def filter(self, qs: QuerySet, value: list[str]) -> QuerySet:
        if not value:
            return qs
        wanted = Q()
        for code in value:
            wanted |= self.condition(code)
        if not self.many:
            return qs.filter(wanted)
        return qs.filter(pk__in=qs.model._default_manager.filter(wanted).order_by().values("pk"))

    def terms(self, value: list[str]) -> dict[str, list[str]]:
        return {self.facet: value} if value else {}


class AreaFilter(CodesFilter):
    """Codes that stand for all below them, with trailing 00 pairs dropped: 150600 holds 150602, 07 holds 0701."""

    pattern = r"\d{2}(\d{2}){0,2}"

    def condition(self, code: str) -> Q:
        return Q(**{f"{self.path}__startswith": area_prefix(code)})


class IndustryFilter(CodesFilter):
    """GB/T 4754 divisions: 26 holds 261 and 2611."""

    pattern = r"\d{2,4}"

    def condition(self, code: str) -> Q:
        return Q(**{f"{self.path}__startswith": code})


class KeyTechnologyFilter(CodesFilter):
    """KI1 holds KI1-1 to KI1-4."""

    pattern = r"KI\d{1,2}(-\d{1,2})?"

    def condition(self, code: str) -> Q:
        return Q(**{self.path: code}) | Q(**{f"{self.path}__startswith": f"{code}-"})


class BandFilter(CodesFilter):
    """Named bands of a number; the conditions come from the list that uses it."""

    def __init__(self, *, conditions: dict[str, Q], **kwargs: Any) -> None:
        self.conditions = conditions
        super().__init__(path="", pattern="|".join(map(re.escape, conditions)), **kwargs)

    def condition(self, code: str) -> Q:
        return self.conditions[code]


class TextField(forms.CharField):
    """What was typed into the box: NUL and control characters become spaces; cut where the analyser cuts."""

    def to_python(self, value: Any) -> str:
        plain = re.sub(r"[\x00-\x1f\x7f]+", " ", str(value or ""))[: analyser.BOX_LIMIT]
        return super().to_python(plain)


class TextFilter(django_filters.Filter):
    """The words of the box in the public text; without an engine a subset of what the engine would find."""

    field_class = TextField

    def filter(self, qs: QuerySet, value: str) -> QuerySet:
        if not value:
            return qs
        words = analyser.words(value)
        if not words:
            return qs.none()
        for word in words:
            qs = qs.filter(
                Q(title__icontains=word.text)
                | Q(summary__icontains=word.text)
                | Q(body__icontains=word.text, disclosure_level="L0")
            )
        if all(analyser.is_han(run) for word in words for run in analyser.runs(word.text)):
            return qs
        # A Latin word must stand as a token of its own: pm2 is not found in pm2.5.
        return qs.filter(pk__in=[pk for pk, text in _texts(qs) if _has(text, words)])


def _texts(qs: QuerySet) -> list[tuple[int, str]]:
    rows = qs.order_by().values_list("pk", "title", "summary", "body", "disclosure_level")[:2000]
    return [
        (pk, "\n".join((title, summary, body if level == "L0" else ""))) for pk, title, summary, body, level in rows
    ]


def _has(text: str, words: list[analyser.Word]) -> bool:
    found = analyser.tokens(text)
    terms = {("uni", t) for t in found.uni} | {("bi", t) for t in found.bi}
    return all(set(word.terms) <= terms for word in words)
