"""Pages of the API: `{"count","next","previous","results"}`, page_size at most 100."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from search.query import DEPTH_LIMIT


class Pages(PageNumberPagination):
    """Over rows of the database, and (`numbers`, `answer`) over what the search engine has already cut into a page."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def numbers(self, request: Request) -> tuple[int, int]:
        """Page and page size as asked. ValidationError for a page that is no number."""
        self.request = request
        asked = request.query_params.get("page", "1")
        if not asked.isdecimal() or len(asked) > 8 or int(asked) < 1:
            raise ValidationError({"page": [_("页码应为 1 起的整数。")]})
        size = self.get_page_size(request) or self.page_size
        if (int(asked) - 1) * size >= DEPTH_LIMIT:
            raise NotFound(_("没有这一页。"))
        return int(asked), size

    def answer(self, page: Any, asked: int) -> None:
        """Take a page of Django's paginator that was found elsewhere. NotFound where there is no such page."""
        if page.number != asked:
            raise NotFound(_("没有这一页。"))
        self.page = page
