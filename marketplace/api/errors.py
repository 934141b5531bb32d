"""API errors in the form of RFC 9457, with Chinese messages."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from marketplace.errors import TITLES


def flatten(detail: Any, field: str = "") -> list[dict[str, str]]:
    """DRF's nested error detail as a list of {"field", "message"}."""
    if isinstance(detail, dict):
        return [row for name, value in detail.items() for row in flatten(value, name)]
    if isinstance(detail, list):
        return [row for value in detail for row in flatten(value, field)]
    return [{"field": field, "message": str(detail)}]


def handle(exception: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: same status and headers, our body."""
    response = exception_handler(exception, context)
    if response is None:
        return None
    is_validation = isinstance(exception, ValidationError)
    detail = response.data.get("detail", "") if isinstance(response.data, dict) else ""
    response.data = {
        "type": "about:blank",
        "title": TITLES.get(response.status_code, "请求有误"),
        "status": response.status_code,
        "detail": "" if is_validation else str(detail),
        "errors": flatten(exception.detail) if is_validation else [],
    }
    response.content_type = "application/problem+json"
    return response
