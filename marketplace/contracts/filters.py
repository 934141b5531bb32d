"""The public register's filters, one FilterSet for page and API. A repeated parameter means OR."""

from __future__ import annotations

from functools import reduce
from operator import or_

import django_filters
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as gl

from cms.taxonomy import area_prefix

from .models import Registration

GROUPS = ("技术开发", "技术转让", "技术许可", "技术咨询", "技术服务")


class RegistryFilter(django_filters.FilterSet):
    """contract_type: code or its beginning (TD, TL1) or a group · technology_field, region: prefixes after trailing 00
    pairs · region asks for the seller's place, buyer_region for the buyer's · year · source: own, imported."""

    contract_type = django_filters.CharFilter(method="by_type", label=gl("合同类别"))
    technology_field = django_filters.CharFilter(method="by_field", label=gl("技术领域"))
    region = django_filters.CharFilter(method="by_region", label=gl("卖方地区"))
    buyer_region = django_filters.CharFilter(method="by_buyer", label=gl("买方地区"))
    year = django_filters.CharFilter(method="by_year", label=gl("登记年份"))
    source = django_filters.CharFilter(method="by_source", label=gl("来源"))

    class Meta:
        model = Registration
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        """What cannot be read (a NUL, say) filters nothing, as if it had not been asked."""
        for name in self.form.cleaned_data:
            queryset = self.filters[name].filter(queryset, self.form.cleaned_data[name])
        return queryset

    def _all(self, name: str) -> list[str]:
        values = self.data.getlist(name) if hasattr(self.data, "getlist") else [self.data.get(name, "")]
        return [value.strip() for value in values if value and value.strip() and "\x00" not in value][:20]

    def _any(self, queryset: QuerySet, parts: list[Q]) -> QuerySet:
        return queryset.filter(reduce(or_, parts)) if parts else queryset

    def by_type(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        values = self._all("contract_type")
        return self._any(
            queryset,
            [Q(contract__contract_type__code__startswith=v) | Q(contract__contract_type__group5=v) for v in values],
        )

    def by_field(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        values = self._all("technology_field")
        return self._any(queryset, [Q(contract__technology_field__code__startswith=area_prefix(v)) for v in values])

    def _side(self, queryset: QuerySet, side: str, values: list[str]) -> QuerySet:
        parts = [
            Q(
                contract__parties__side=side,
                contract__parties__is_lead=True,
                contract__parties__region__code__startswith=area_prefix(v),
            )
            for v in values
        ]
        return self._any(queryset, parts)

    def by_region(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return self._side(queryset, "seller", self._all("region"))

    def by_buyer(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return self._side(queryset, "buyer", self._all("buyer_region"))

    def by_year(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        years = [v for v in self._all("year") if v.isdecimal() and len(v) == 4]
        return self._any(queryset, [Q(registered_on__year=int(v)) for v in years if 1 < int(v) < 9999])

    def by_source(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(source__in=self._all("source"))
