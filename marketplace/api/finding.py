"""search/: the one box, with the number of hits in each kind."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from cms.models import KINDS
from marketplace.library.filters import FILTERSETS
from marketplace.library.views.search import ask
from search.text import highlights

from .pagination import Pages
from .serializers import HitSerializer


class Search(GenericAPIView):
    """What the words of `q` find in all kinds (or in `kind`), best first."""

    serializer_class = HitSerializer
    pagination_class = Pages

    @extend_schema(
        tags=["search"],
        operation_id="search",
        description=(
            "在各种类（或 kind 指定的一类）中查找，按相关度排列；counts 是各种类的数量；"
            "relaxed 为真表示只包含部分字词，fallback 为真表示检索服务不可用、由数据库回答。"
        ),
        parameters=[
            OpenApiParameter("q", str, required=True),
            OpenApiParameter("kind", str, enum=list(KINDS)),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int, description="≤ 100"),
        ],
    )
    def get(self, request: Request) -> Response:
        form = FILTERSETS["achievement"]({"q": request.query_params.get("q", "")}, user=request.user)
        typed = form.values.get("q", "")
        if not typed:
            raise ValidationError({"q": [_("请写明要查找的内容。")]})
        kind = request.query_params.get("kind", "")
        if kind and kind not in KINDS:
            raise ValidationError({"kind": [_("没有这个种类：%(kind)s") % {"kind": kind[:20]}]})
        pages = Pages()
        asked, size = pages.numbers(request)
        answer = ask(typed, kind, request.user, asked, size)
        pages.answer(answer.page, asked)
        hits = [self._hit(listing, typed, answer.scores, request) for listing in answer.page.object_list]
        response = pages.get_paginated_response(hits)
        response.data["counts"] = dict(answer.counts)
        response.data["relaxed"] = answer.relaxed
        response.data["fallback"] = answer.is_fallback
        if answer.is_fallback:
            response["X-Answered-By"] = "database"
        return response

    @staticmethod
    def _hit(listing: Any, typed: str, scores: dict[str, float], request: Request) -> dict[str, Any]:
        marks = [
            {"field": field, "start": start, "end": end}
            for field in ("title", "summary")
            for start, end in highlights(getattr(listing, field), typed)
        ]
        return {
            "kind": listing.KIND,
            "number": listing.record.number,
            "title": listing.title,
            "score": scores.get(listing.record.number),
            "highlights": marks,
            "url": request.build_absolute_uri(listing.get_absolute_url()),
        }
