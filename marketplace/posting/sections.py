"""The form's sections in order: which fields stand where, and how far each is filled (the task list at the left)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


@dataclass(frozen=True)
class Section:
    """One block of the form. `rows` names a formset; `optional` sections never count as open."""

    key: str
    title: Any
    fields: tuple[str, ...]
    rows: str = ""
    optional: bool = False


DEMAND = (
    Section("problem", gettext_lazy("要解决的问题"), ("title", "demand_type", "problem", "summary")),
    Section("field", gettext_lazy("领域与行业"), ("technology_field", "key_technologies", "industries", "keywords")),
    Section("targets", gettext_lazy("量化指标"), (), "targets", True),
    Section("present", gettext_lazy("现状与已有条件"), ("body",), "", True),
    Section("budget", gettext_lazy("预算与期限"), ("is_budget_negotiable", "budget_min", "budget_max", "deadline")),
    Section("modes", gettext_lazy("合作方式"), ("cooperation_modes",)),
    Section("disclosure", gettext_lazy("保密与公开范围"), ("disclosure_level", "is_anonymous")),
    Section(
        "contact",
        gettext_lazy("联系人与有效期"),
        ("owner", "region", "contact_name", "contact_phone", "contact_email", "valid_until"),
    ),
    Section("english", gettext_lazy("英文介绍"), ("title_en", "summary_en"), "", True),
)

ACHIEVEMENT = (
    Section("what", gettext_lazy("成果与用途"), ("title", "achievement_type", "summary", "problem")),
    Section("field", gettext_lazy("领域与行业"), ("technology_field", "key_technologies", "industries", "keywords")),
    Section("detail", gettext_lazy("技术内容与成熟度"), ("trl", "body", "inventors")),
    Section("kpis", gettext_lazy("技术指标"), (), "kpis", True),
    Section("patents", gettext_lazy("知识产权"), (), "patents", True),
    Section(
        "price",
        gettext_lazy("转化方式与价格"),
        ("transfer_modes", "price_type", "price_min", "price_max", "is_state_institution", "pricing_mode"),
    ),
    Section("disclosure", gettext_lazy("公开范围"), ("disclosure_level",)),
    Section(
        "contact",
        gettext_lazy("联系人与有效期"),
        ("owner", "region", "contact_name", "contact_phone", "contact_email", "valid_until"),
    ),
    Section("english", gettext_lazy("英文介绍"), ("title_en", "summary_en"), "", True),
)

SECTIONS = {"demand": DEMAND, "achievement": ACHIEVEMENT}


def tasks(form: Any, lacks: list[Any]) -> list[dict[str, Any]]:
    """Items of the task list: done, error (what was typed cannot stay so), todo or optional."""
    lacking = {lack.field for lack in lacks}
    if form.is_bound:
        # What was posted is not in the listing yet: an empty box that a publication needs is still to be filled.
        lacking |= {name for name in form.needed if form[name].value() in (None, "", [])}
    items = []
    for section in SECTIONS[form.instance.KIND]:
        formset = form.formsets.get(section.rows) if section.rows else None
        wrong = bool(set(section.fields) & set(form.errors)) or (
            formset is not None and formset.is_bound and formset.total_error_count() > 0
        )
        if wrong:
            state = "error"
        elif section.optional:
            state = "done" if _has_content(form, section, formset) else "optional"
        else:
            state = "todo" if lacking & set(section.fields) else "done"
        items.append({"label": section.title, "href": f"#{section.key}", "state": state, "state_label": _label(state)})
    return items


def _label(state: str) -> str:
    return {"todo": _("待填写")}.get(state, "")


def _has_content(form: Any, section: Section, formset: Any) -> bool:
    if formset is not None:
        return formset.initial_form_count() > 0 or (formset.is_bound and any(f.has_changed() for f in formset.forms))
    return any(form[name].value() for name in section.fields if name in form.fields)
