"""indicators/: the catalogue, the turnover with its breakdowns, and the ledger entries that it counts."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.contracts.models import Contract
from marketplace.indicators import catalogue
from marketplace.indicators.permissions import is_insider

from .pagination import Pages
from .serializers import yuan

PARAMETERS = [
    OpenApiParameter("area", str, description="行政区划代码，缺省 150600"),
    OpenApiParameter("from", str, description="起始日，缺省今年 1 月 1 日；外部访问须为整月"),
    OpenApiParameter("to", str, description="截止日（含），缺省今天"),
    OpenApiParameter("basis", str, enum=list(catalogue.BASES)),
]


class GroupSerializer(serializers.Serializer):
    key = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)
    suppressed = serializers.BooleanField()


class FigureSerializer(serializers.Serializer):
    """A figure; `rows` is the address of the entries that it sums. Null and `suppressed` where it would name a firm."""

    indicator = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()
    basis = serializers.CharField()
    area = serializers.CharField()
    start = serializers.DateField()
    end = serializers.DateField()
    as_of = serializers.CharField(allow_null=True)
    entries = serializers.IntegerField(allow_null=True)
    suppressed = serializers.BooleanField()
    rows = serializers.URLField()
    groups = GroupSerializer(many=True, required=False)


class EntrySerializer(serializers.Serializer):
    """One entry of the ledger; amounts are null where the asker may not see them."""

    sequence = serializers.IntegerField()
    entered_on = serializers.DateField()
    kind = serializers.CharField()
    number = serializers.CharField()
    amount_total = serializers.CharField(allow_null=True)
    amount_tech = serializers.CharField(allow_null=True)


@dataclass(frozen=True)
class Asked:
    """A checked question for the turnover."""

    area: str
    start: dt.date
    end: dt.date
    basis: str
    outsider: bool

    @classmethod
    def read(cls, request: Request) -> Asked:
        """ValidationError names each parameter that is wrong. Outsiders get whole months: days would single one out."""
        query, today = request.query_params, timezone.localdate()
        errors: dict[str, list[str]] = {}
        area = query.get("area") or catalogue.CITY
        if not re.fullmatch(r"\d{2}(\d{2}){0,2}", area):
            errors["area"] = [_("地区代码“%(x)s”不对，应为 2、4 或 6 位数字。") % {"x": area[:20]}]
        basis = query.get("basis") or "output"
        if basis not in catalogue.BASES:
            errors["basis"] = [_("口径“%(x)s”不存在。") % {"x": basis[:20]}]
        start, end = dt.date(today.year, 1, 1), today
        for name in ("from", "to"):
            typed = query.get(name)
            if not typed:
                continue
            try:
                day = dt.date.fromisoformat(typed)
            except ValueError:
                errors[name] = [_("“%(x)s”不是 2026-01-31 这样的日期。") % {"x": typed[:20]}]
                continue
            start, end = (day, end) if name == "from" else (start, day)
        outsider = not is_insider(request.user)
        if not errors and end < start:
            errors["to"] = [_("截止日早于起始日。")]
        if not errors and outsider and not catalogue.is_whole_months(start, end, today):
            errors["from"] = [_("对外只按整月公布：起始日应为 1 日，截止日应为月末或今天。")]
        if errors:
            raise ValidationError(errors)
        return cls(area, start, end, basis, outsider)

    def figure(self) -> catalogue.Figure:
        return catalogue.turnover(area=self.area, start=self.start, end=self.end, basis=self.basis)

    def hides(self, figure: catalogue.Figure) -> bool:
        """True where the whole figure would name a firm."""
        return self.outsider and catalogue.is_too_small(figure)

    @property
    def query(self) -> str:
        query = QueryDict(mutable=True)
        query.update({"area": self.area, "from": str(self.start), "to": str(self.end), "basis": self.basis})
        return query.urlencode()


def _figure(asked: Asked, request: Request) -> dict[str, Any]:
    figure = asked.figure()
    hidden = asked.hides(figure)
    rows = f"{reverse('api_turnover_rows')}?{asked.query}"
    return {
        "indicator": "turnover",
        "value": None if hidden else yuan(figure.value),
        "count": None if hidden else figure.count,
        "unit": figure.unit,
        "basis": figure.basis,
        "area": asked.area,
        "start": asked.start.isoformat(),
        "end": asked.end.isoformat(),
        "as_of": figure.as_of,
        "entries": None if hidden else figure.entries,
        "suppressed": hidden,
        "rows": request.build_absolute_uri(rows),
    }


class Indicators(APIView):
    """Every indicator with its figure of the running year."""

    @extend_schema(
        tags=["indicators"],
        operation_id="indicators_list",
        description="各项指标今年到今天的数。",
        responses=FigureSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [{"name": catalogue.TURNOVER.name, **_figure(Asked.read(request), request)}]})


class Turnover(APIView):
    """技术合同成交额 of an area and a period, with `by` also by month, type, field or region."""

    @extend_schema(
        tags=["indicators"],
        operation_id="turnover",
        description="技术合同成交额：按地区、期间和口径；by 给出分组。小于 3 项或 3 个卖方的组对外不公布。",
        parameters=[*PARAMETERS, OpenApiParameter("by", str, enum=list(catalogue.DIMENSIONS))],
        responses=FigureSerializer,
    )
    def get(self, request: Request) -> Response:
        asked = Asked.read(request)
        found = _figure(asked, request)
        by = request.query_params.get("by", "")
        if by:
            if by not in catalogue.DIMENSIONS:
                raise ValidationError({"by": [_("没有这样的分组：%(x)s") % {"x": by[:20]}]})
            # A hidden total is not given away by its parts.
            groups = [] if found["suppressed"] else catalogue.groups(asked.figure(), by, outsider=asked.outsider)
            found["groups"] = [
                {"key": g.key, "value": yuan(g.value), "count": g.count, "suppressed": g.suppressed} for g in groups
            ]
        return Response(found)


class TurnoverRows(GenericAPIView):
    """The ledger entries that the figure sums, newest first."""

    serializer_class = EntrySerializer
    pagination_class = Pages

    @extend_schema(
        tags=["indicators"],
        operation_id="turnover_rows",
        description="这个数所数的台账行，合计就是这个数；未同意公开的金额为 null。",
        parameters=PARAMETERS,
    )
    def get(self, request: Request) -> Response:
        asked = Asked.read(request)
        figure = asked.figure()
        if asked.hides(figure):
            raise ValidationError({"area": [_("这个范围内的合同或卖方太少，逐笔公布会看出是谁，因此不公布。")]})
        rows = figure.rows.select_related("registration__contract").order_by("-sequence")
        pages = Pages()
        page = pages.paginate_queryset(rows, request, self) or []
        own: set[int] = set()
        if asked.outsider and request.user.is_authenticated:
            keys = [entry.registration.contract_id for entry in page]
            own = set(Contract.objects.visible_to(request.user).filter(pk__in=keys).values_list("pk", flat=True))
        return pages.get_paginated_response([_entry(entry, asked.outsider, own) for entry in page])


def _entry(entry: Any, outsider: bool, own: set[int]) -> dict[str, Any]:
    contract = entry.registration.contract
    shows = not outsider or contract.consents_to_amount or contract.pk in own
    return {
        "sequence": entry.sequence,
        "entered_on": entry.entered_on.isoformat(),
        "kind": entry.kind,
        "number": entry.registration.registration_number,
        "amount_total": yuan(entry.amount_total) if shows else None,
        "amount_tech": yuan(entry.amount_tech) if shows else None,
    }
