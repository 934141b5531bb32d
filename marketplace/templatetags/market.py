"""Template tags and filters of the site. Loaded as a builtin, so templates need no {% load %}.

Filters: wan, yi, yuan, money, capital, nb, day, day_short, day_long, moment, days_left, days_since, stamp, percent,
mask, lookup, at, grouped, coord, trl_word, page_numbers.
Tags: icon, mark, csrf_field, qs, site_facts, widget, field_kind, form_errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django import forms, template
from django.core.paginator import Page
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.middleware.csrf import get_token
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from marketplace import money as amounts
from marketplace.templatetags import text

register = template.Library()

register.filter("nb", text.keep_together, is_safe=True)
register.filter("day", text.day)
register.filter("day_short", text.day_short)
register.filter("day_long", text.day_long)
register.filter("moment", text.moment)
register.filter("days_left", text.days_left)
register.filter("days_since", text.days_since)
register.filter("mask", text.mask)


def _decimal(value: Any) -> Decimal | None:
    try:
        number = None if value is None or value == "" else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _figure(value: Any, form: Callable[[Decimal], str]) -> str:
    number = _decimal(value)
    return "" if number is None else form(number)


@register.filter
def yuan(value: Any) -> str:
    """元 as 1,234.00; nothing for nothing."""
    return _figure(value, amounts.yuan)


@register.filter
def wan(value: Any) -> str:
    """元 as 万元 with two places, no unit (the unit stands in the column head)."""
    return _figure(value, amounts.wan)


@register.filter
def yi(value: Any) -> str:
    """元 as 亿元 with two places, no unit."""
    return _figure(value, amounts.yi)


@register.filter
def capital(value: Any) -> str:
    """元 as 人民币大写."""
    return _figure(value, amounts.capital)


@register.filter
def money(value: Any, form: str = "auto") -> str | SafeString:
    """An amount of 元 with the exact 元 in its title.

    form: auto (亿元 from one 亿 on, else 万元), 万元, 亿元 or 元 for a fixed unit, table for 万元 without the unit.
    """
    number = _decimal(value)
    if number is None:
        return ""
    exact = f"{amounts.yuan(number)} 元"
    if form == "table":
        return format_html('<span class="money" title="{}">{}</span>', exact, amounts.wan(number))
    unit = amounts.unit_for(number) if form == "auto" else form
    return format_html(
        '<span class="money" title="{}">{}<span class="money__unit">\u00a0{}</span></span>',
        exact,
        amounts.figure_in(number, unit),
        unit,
    )


@register.filter
def percent(value: Any, form: str = "") -> str:
    """A ratio (0.262) as 26.2%. form: sign puts + before growth; bare leaves the sign % to the column head."""
    number = _decimal(value)
    if number is None:
        return ""
    rounded = (number * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    sign = "−" if rounded < 0 else "+" if "sign" in form and rounded > 0 else ""
    return f"{sign}{abs(rounded):,}" + ("" if "bare" in form else "%")


@register.filter
def lookup(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """mapping[key], or None; keys that are numbers in one and text in the other find each other."""
    if not mapping:
        return None
    found = mapping.get(key)
    return mapping.get(str(key)) if found is None else found


@register.filter
def at(items: Sequence[Any], index: int) -> Any:
    """items[index], or nothing beyond the end."""
    return items[index] if items and 0 <= index < len(items) else ""


@register.filter
def grouped(value: Any) -> str:
    """A whole number with commas: 3,486; other things as they are."""
    number = _decimal(value)
    return str(value) if number is None else f"{number:,f}"


@register.filter
def coord(value: Any) -> str:
    """A number for an SVG attribute: a point in every language, at most two places."""
    number = _decimal(value) or Decimal(0)
    return f"{number:.2f}".rstrip("0").rstrip(".")


@register.filter
def stamp(value: Any) -> str:
    """11-20 10:42 within this year, else with the year; a bare date without the time."""
    full = text.moment(value)
    year = f"{timezone.localdate().year}-"
    return full.removeprefix(year) if full.startswith(year) else full


TRL_WORDS = (
    _("原理"),
    _("概念"),
    _("验证"),
    _("实验室"),
    _("小试"),
    _("中试"),
    _("示范"),
    _("定型"),
    _("批量应用"),
)


@register.filter
def trl_word(level: Any) -> str:
    """The stage's short name of a technology readiness level 1–9 (GB/T 22900), empty outside."""
    number = int(level or 0)
    return str(TRL_WORDS[number - 1]) if 1 <= number <= len(TRL_WORDS) else ""


@register.filter
def trl_x(index: int) -> str:
    """Left edge of the box of that index (0–8) in the TRL scale, 7 from box to box."""
    return f"{0.5 + index * 7}"


@register.filter
def page_numbers(page: Page) -> list[int]:
    """Page numbers to link; 0 stands for a gap."""
    last = page.paginator.num_pages
    wanted = sorted({1, last} | {n for n in range(page.number - 2, page.number + 3) if 1 <= n <= last})
    out: list[int] = []
    for number in wanted:
        if out and number > out[-1] + 1:
            # A gap of one page is shorter written as that page.
            out.append(number - 1 if number == out[-1] + 2 else 0)
        out.append(number)
    return out


@register.filter
def facet_rest(options: Sequence[Any], limit: int) -> list[Any]:
    """The unchecked options (mappings or objects) beyond the first `limit`, which hide behind 另 n 项."""
    return [option for option in list(options or ())[limit:] if not _checked(option)]


def _checked(option: Any) -> bool:
    return bool(option.get("checked") if isinstance(option, Mapping) else getattr(option, "checked", False))


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An icon of the sprite. Beside a word it is hidden from readers; alone it needs a label."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>{}',
        f" {css}" if css else "",
        static("icons/sprite.svg"),
        name,
        format_html('<span class="sr">{}</span>', label) if label else "",
    )


@register.simple_tag
def mark(value: Any, spans: Iterable[Any] | None = None) -> SafeString:
    """Text with the stretches (start, end) marked; escapes the rest."""
    return text.marked(str(value or ""), spans or ())


@register.simple_tag(takes_context=True)
def csrf_field(context: Context) -> SafeString:
    """The hidden CSRF input, also inside an include with `only`: there Django's own tag finds no token and prints
    nothing, and the form would be refused. The request itself goes along with every template context."""
    request = getattr(context, "request", None)
    if request is None:
        return SafeString("")
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(request))


@register.simple_tag(takes_context=True)
def qs(context: Context, **changes: Any) -> str:
    """The present address's query with changes, as ?a=1&b=2; None removes a name. Works without a request."""
    request = context.get("request")
    query = request.GET.copy() if request is not None else QueryDict(mutable=True)
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag(takes_context=True)
def site_facts(context: Context) -> Mapping[str, Any]:
    """What the context processor says of the site, also where a view calls something else `site` (allauth does)."""
    found = (layer.get("site") for layer in context.dicts)
    return next((site for site in found if isinstance(site, Mapping)), {})


_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radio"),
    (forms.CheckboxInput, "checkbox"),
    (forms.ClearableFileInput, "file"),
    (forms.FileInput, "file"),
    (forms.Textarea, "textarea"),
    (forms.SelectMultiple, "select"),
    (forms.Select, "select"),
    (forms.HiddenInput, "hidden"),
)


@register.filter
def field_kind(field: BoundField) -> str:
    """checkboxes, radio, checkbox, file, textarea, select, hidden or text: how the field component draws it."""
    widget = field.field.widget
    return next((kind for cls, kind in _KINDS if isinstance(widget, cls)), "text")


@register.filter
def target_id(field: BoundField) -> str:
    """The id that a link in the error summary leads to: the control, or the first of a group."""
    if field_kind(field) in {"radio", "checkboxes"}:
        return f"{field.auto_id}_0"
    return field.id_for_label or field.auto_id


@register.simple_tag
def widget(field: BoundField, hint: str = "", **attrs: Any) -> SafeString:
    """The field's control with our class, and with its hint and errors named for screen readers.

    hint: true when a hint is drawn. Further attributes (autocomplete, inputmode, placeholder, rows) are passed on.
    """
    described = [f"{field.auto_id}_helptext"] if hint else []
    if field.errors:
        described.append(f"{field.auto_id}_error")
        attrs["aria-invalid"] = "true"
    # An empty value stops Django from naming a help text that we do not draw.
    attrs["aria-describedby"] = " ".join(described) or None
    given = field.field.widget.attrs.get("class", "")
    if not isinstance(field.field.widget, forms.CheckboxInput):
        attrs["class"] = f"input {given}".strip()
    return field.as_widget(attrs={k.replace("_", "-"): v for k, v in attrs.items() if v not in (None, "")})


@register.simple_tag
def form_errors(*sources: Any) -> list[dict[str, str]]:
    """Every error of the forms and formsets given, in reading order: {"label", "text", "href"}."""
    found: list[dict[str, str]] = []
    for source in sources:
        if source is None or source == "":
            continue
        if isinstance(source, forms.BaseFormSet):
            found += [{"label": "", "text": str(e), "href": f"#{source.prefix}"} for e in source.non_form_errors()]
            for form in source.forms:
                found += form_errors(form)
            continue
        found += [{"label": "", "text": str(e), "href": ""} for e in source.non_field_errors()]
        for field in source:
            href = f"#{target_id(field)}"
            found += [{"label": str(field.label), "text": str(e), "href": href} for e in field.errors]
    return found
