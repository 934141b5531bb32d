"""achievements/, demands/, experts/, projects/: lists by the pages' FilterSets, details, matches of two kinds."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from cms.models import Listing, ListingRecord, listing_model
from cms.models.access import log_view
from marketplace.deals import cards
from marketplace.deals.models import Match
from marketplace.library import details, finding
from marketplace.library.fields import CodesFilter
from marketplace.library.filters import FILTERSETS

from .pagination import Pages
from .serializers import DetailSerializer, MatchSerializer, RowSerializer

KINDS = tuple(FILTERSETS)
PARTS = ("lexical", "static", "e5", "signals")


class ListingList(GenericAPIView):
    """Public listings of one kind. A repeated parameter means OR, different ones AND."""

    kind = ""
    serializer_class = RowSerializer
    pagination_class = Pages

    def get(self, request: Request) -> Response:
        filters = FILTERSETS[self.kind](request.query_params, user=request.user)
        if not filters.form.is_valid():
            raise ValidationError({name: [str(e) for e in errors] for name, errors in filters.form.errors.items()})
        pages = Pages()
        asked, size = pages.numbers(request)
        found = finding.find(filters, request.user, page=asked, page_size=size)
        pages.answer(found.page, asked)
        response = pages.get_paginated_response(self.get_serializer(found.rows, many=True).data)
        if found.is_fallback:
            # The engine was down: filters hold, for q the rows are a subset in order of change.
            response["X-Answered-By"] = "database"
        return response


class ListingDetail(GenericAPIView):
    """One listing with every text that the asker may read."""

    kind = ""
    serializer_class = DetailSerializer
    pagination_class = None

    def get(self, request: Request, number: str) -> Response:
        reading = details.load(self.kind, number, request.user)
        if not reading.listing.live:
            raise Http404
        if reading.is_restricted and reading.may_read:
            log_view(reading.record, request.user, getattr(request, "acting", None))
        return Response(self.get_serializer(reading).data)


class MatchList(GenericAPIView):
    """The kept matches of a demand or an achievement, best first; between public listings anyone may read them."""

    kind = ""
    serializer_class = MatchSerializer
    pagination_class = Pages

    def get(self, request: Request, number: str) -> Response:
        listing: Listing = get_object_or_404(
            listing_model(self.kind).objects.visible_to(request.user).published().select_related("record"),
            record__number=number,
        )
        other = {"demand": "supply", "achievement": "demand"}[self.kind]
        mine, rank = {"demand": ("demand", "rank_for_demand"), "achievement": ("supply", "rank_for_supply")}[self.kind]
        rows = (
            Match.objects.visible_to(request.user)
            .current()
            .filter(**{mine: listing.record, f"{rank}__isnull": False})
            .select_related("demand__demand", "supply__achievement")
            .order_by(rank, "pk")
        )
        pages = Pages()
        page = pages.paginate_queryset(rows, request, self) or []
        data = [_match(row, getattr(row, other), getattr(row, rank), request) for row in page]
        return pages.get_paginated_response(data)


def _match(row: Match, record: ListingRecord, rank: int, request: Request) -> dict[str, Any]:
    reasons = cards.reasons_now(row)
    return {
        "rank": rank,
        "kind": record.kind,
        "number": record.number,
        "title": record.listing.title,
        "score": row.score,
        "parts": {name: float(row.parts.get(name, 0.0)) for name in PARTS},
        "band": row.band,
        "reasons": {
            "phrases": [{"text": p["text"], "in": p.get("in", {})} for p in reasons["phrases"]],
            "conditions": reasons["conditions"],
            "against": reasons["against"],
            "meaning": reasons["meaning"],
        },
        "versions": row.versions,
        "url": request.build_absolute_uri(record.get_absolute_url()),
    }


def _parameters(kind: str) -> list[OpenApiParameter]:
    """The FilterSet's parameters as the schema names them."""
    found = [OpenApiParameter("page", int), OpenApiParameter("page_size", int, description="≤ 100")]
    for name, one in FILTERSETS[kind].base_filters.items():
        many = isinstance(one, CodesFilter)
        found.append(OpenApiParameter(name, OpenApiTypes.STR, description=str(one.label), many=many))
    return found


def _documented(view: type[GenericAPIView], kind: str, name: str, description: str, **schema: Any) -> Any:
    """A view of one kind, its part of the schema named after the kind and told in Chinese."""
    made = type(f"{kind.title()}{view.__name__}", (view,), {"kind": kind, "__doc__": view.__doc__})
    told = extend_schema(tags=[f"{kind}s"], operation_id=f"{kind}s_{name}", description=description, **schema)
    return extend_schema_view(get=told)(made).as_view()


LIST_TEXT = "公开的条目。同名参数重复出现是“或”，不同参数之间是“且”。"
DETAIL_TEXT = "一个条目的全部公开文字。restricted 为真表示还有内容只对获授权者开放；不含联系方式。"
MATCH_TEXT = "保存的匹配，从最接近的开始，附理由；双方都公开时任何人可读。"

LISTS = {kind: _documented(ListingList, kind, "list", LIST_TEXT, parameters=_parameters(kind)) for kind in KINDS}
DETAILS = {kind: _documented(ListingDetail, kind, "read", DETAIL_TEXT) for kind in KINDS}
MATCHES = {kind: _documented(MatchList, kind, "matches", MATCH_TEXT) for kind in ("demand", "achievement")}
