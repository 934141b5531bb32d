"""The FilterSets of the four lists, one for page, API and export: they parse, check, ask the engine or filter rows.

`to_query()` feeds the engine; `.qs` answers when it is down. Values within a parameter are joined with OR, parameters
with AND. A test holds both to the same rows for filters; for `q` the rows of `.qs` are a subset.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache
from typing import Any

import django_filters
from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from cms.models import Availability, Listing, listing_model
from marketplace.accounts.models import Organization
from search.query import NEGOTIABLE, PRICE_BANDS, TRL_BANDS, Query

from .fields import AreaFilter, BandFilter, CodesFilter, IndustryFilter, KeyTechnologyFilter, TextFilter

# Value of a parameter → words of its choice beside the list.
ORDERINGS = {
    "": _("相关度"),
    "-updated_at": _("最近更新"),
    "-published_at": _("最新发布"),
    "price": _("价格从低到高"),
    "-price": _("价格从高到低"),
    "-trl": _("成熟度"),
}


def findable(model: type[Listing], user: Any) -> QuerySet:
    """What this person may find of a kind: published and visible to him."""
    return model.objects.visible_to(user).published()


class OwnerFilter(CodesFilter):
    """The listings of an organisation by its number. An anonymous need is never found under its owner's name."""

    pattern = r"DW-\d{4}-[0-9A-Z]{6}"

    def condition(self, code: str) -> Q:
        wanted = Q(record__owner__number=code)
        return wanted & Q(is_anonymous=False) if self.parent.KIND == "demand" else wanted

    def terms(self, value: list[str]) -> dict[str, list[str]]:
        if not value:
            return {}
        known = Organization.objects.filter(number__in=value).values_list("pk", flat=True)
        return {self.facet: [str(pk) for pk in known] or ["-"]}


class ListingFilterSet(django_filters.FilterSet):
    """What all four lists can be asked."""

    KIND = ""
    # Facets drawn beside the list, in this order.
    SHOWN: Sequence[str] = ("technology_field", "region")
    ORDERED: Sequence[str] = ("", "-updated_at", "-published_at")
    # What the list sorts and filters by in 元, as the index has it: the first of these columns that is filled.
    PRICE: Sequence[str] = ()

    q = TextFilter(label=_("查找内容"))
    technology_field = AreaFilter(facet="technology_field", path="technology_field__code", label=_("技术领域"))
    industry = IndustryFilter(facet="industry", path="industries__code", many=True, label=_("应用行业"))
    key_technology = KeyTechnologyFilter(
        facet="key_technology", path="key_technologies__code", many=True, label=_("重点产业关键技术")
    )
    region = AreaFilter(facet="region", path="region__code", label=_("地区"))
    availability = CodesFilter(
        facet="availability", path="record__availability", label=_("对接状态"), pattern="|".join(Availability.values)
    )
    owner = OwnerFilter(facet="owner", path="record__owner", label=_("单位"))
    ordering = django_filters.ChoiceFilter(
        choices=list(ORDERINGS.items()), method="keep", label=_("排序"), empty_label=None
    )

    def __init__(self, data: Any = None, queryset: QuerySet | None = None, *, user: Any = None, **kwargs: Any) -> None:
        model = listing_model(self.KIND)
        super().__init__(data, findable(model, user) if queryset is None else queryset, **kwargs)
        self.model = model

    @classmethod
    @cache
    def _form_class(cls) -> type[forms.Form]:
        """Made once: its fields are the class's own, and each form copies them."""
        fields = {name: one.field for name, one in copy.deepcopy(cls.base_filters).items()}
        fields["ordering"].choices = [(o, ORDERINGS[o]) for o in cls.ORDERED if o]
        return type(f"{cls.__name__}Form", (forms.Form,), fields)

    def get_form_class(self) -> type[forms.Form]:
        return self._form_class()

    def keep(self, queryset: QuerySet, name: str, value: Any) -> QuerySet:
        """Ordering narrows nothing."""
        return queryset

    @property
    def values(self) -> dict[str, Any]:
        """What was asked, cleaned; what makes no sense counts as not asked (the page says so, the API refuses)."""
        self.form.is_valid()
        return {name: value for name, value in self.form.cleaned_data.items() if value not in (None, "", [])}

    def refused(self) -> list[str]:
        """One sentence for each parameter that could not be understood."""
        return [str(error) for errors in self.form.errors.values() for error in errors]

    def codes(self, name: str) -> list[str]:
        return list(self.values.get(name) or [])

    @property
    def coded(self) -> dict[str, CodesFilter]:
        """The filters that are facets of the index, by parameter."""
        return {name: f for name, f in self.filters.items() if isinstance(f, CodesFilter)}

    def to_query(self, *, facets: Sequence[str] = (), page: int = 1, page_size: int = 20) -> Query:
        """The same question for the engine. `facets` are parameters of this set."""
        asked: dict[str, Sequence[str]] = {}
        for name, one in self.coded.items():
            asked |= one.terms(self.codes(name))
        trl_min = self.values.get("trl_min")
        return Query(
            text=self.values.get("q", ""),
            kinds=(self.KIND,),
            filters=asked,
            ranges={"trl": (int(trl_min), None)} if trl_min else {},
            facets=[self.coded[name].facet for name in facets],
            ordering=self.values.get("ordering", ""),
            page=page,
            page_size=page_size,
        )

    @property
    def qs(self) -> QuerySet:
        """The rows of the database that fit, in the asked order; nothing in it needs the engine."""
        rows = self.queryset.exclude(disclosure_level="L3")
        if self.PRICE:
            rows = rows.alias(listed_price=Coalesce(*self.PRICE))
        for name, value in self.values.items():
            rows = self.filters[name].filter(rows, value)
        return rows.order_by(*self._order(), "-pk")

    def _order(self) -> list[Any]:
        asked = self.values.get("ordering", "") or "-updated_at"
        if asked.endswith("price"):
            column = F("listed_price")
            return [column.desc(nulls_last=True) if asked.startswith("-") else column.asc(nulls_last=True)]
        return {
            "-updated_at": ["-record__changed_at"],
            "-published_at": [F("record__first_published_at").desc(nulls_last=True)],
            "-trl": [F("trl").desc(nulls_last=True)],
        }[asked]


def price_bands(negotiable: Q) -> dict[str, Q]:
    """Conditions of the price bands in 元; what is open to negotiation stands in a band of its own."""
    found: dict[str, Q] = {NEGOTIABLE: negotiable}
    for name, low, high in PRICE_BANDS:
        band = Q(listed_price__gte=low)
        found[name] = band & ~negotiable & (Q() if high is None else Q(listed_price__lt=high))
    return found


TRL_CONDITIONS = {name: Q(trl__gte=low, trl__lte=high) for name, low, high in TRL_BANDS}


class AchievementFilterSet(ListingFilterSet):
    KIND = "achievement"
    SHOWN = (
        "technology_field",
        "trl_band",
        "price_band",
        "transfer_mode",
        "achievement_type",
        "region",
        "key_technology",
    )
    ORDERED = ("", "-updated_at", "-published_at", "price", "-price", "-trl")
    PRICE = ("price_min", "price_max")

    transfer_mode = CodesFilter(facet="transfer_mode", path="transfer_modes__code", many=True, label=_("交易方式"))
    achievement_type = CodesFilter(facet="achievement_type", path="achievement_type_id", label=_("成果类型"))
    trl_band = BandFilter(facet="trl_band", conditions=TRL_CONDITIONS, label=_("成熟度"))
    price_band = BandFilter(
        facet="price_band", conditions=price_bands(Q(price_type="negotiable")), label=_("价格（万元）")
    )
    trl_min = django_filters.NumberFilter(
        field_name="trl", lookup_expr="gte", min_value=1, max_value=9, label=_("成熟度不低于")
    )


class DemandFilterSet(ListingFilterSet):
    KIND = "demand"
    SHOWN = (
        "technology_field",
        "demand_type",
        "price_band",
        "transfer_mode",
        "region",
        "availability",
        "key_technology",
    )
    ORDERED = ("", "-updated_at", "-published_at", "price", "-price")
    PRICE = ("budget_max", "budget_min")

    transfer_mode = CodesFilter(facet="transfer_mode", path="cooperation_modes__code", many=True, label=_("合作方式"))
    demand_type = CodesFilter(facet="demand_type", path="demand_type_id", label=_("需求类型"))
    price_band = BandFilter(
        facet="price_band", conditions=price_bands(Q(is_budget_negotiable=True)), label=_("预算（万元）")
    )


class ExpertFilterSet(ListingFilterSet):
    KIND = "expert"
    SHOWN = ("technology_field", "region", "industry", "key_technology")


class ProjectFilterSet(ListingFilterSet):
    KIND = "project"
    SHOWN = ("technology_field", "stage", "region", "industry", "key_technology")

    stage = CodesFilter(facet="stage", path="stage", label=_("阶段"))


FILTERSETS: dict[str, type[ListingFilterSet]] = {
    found.KIND: found for found in (AchievementFilterSet, DemandFilterSet, ExpertFilterSet, ProjectFilterSet)
}
