"""Error pages in Chinese: what happened, whether anything was saved, what to do, a reference number."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from .workflow import MoveNotAllowed

TITLES = {
    400: "请求有误",
    403: "没有权限",
    404: "没有找到这个页面",
    409: "内容已被别人改动",
    410: "已撤回",
    413: "内容太大",
    429: "访问太频繁",
    500: "系统出错",
}


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def problem(
    request: HttpRequest, status: int, detail: str = "", errors: list[dict[str, str]] | None = None
) -> JsonResponse:
    """An RFC 9457 answer for the API."""
    body = {
        "type": "about:blank",
        "title": _(TITLES.get(status, "请求有误")),
        "status": status,
        "detail": detail,
        "errors": errors or [],
    }
    return JsonResponse(
        body, status=status, content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )


def page(request: HttpRequest, status: int, detail: str = "", **context: Any) -> HttpResponse:
    """The error page of a status (`templates/<status>.html`), or its JSON twin under /api/."""
    if wants_json(request):
        return problem(request, status, detail)
    context = {"reference": getattr(request, "reference", ""), "detail": detail, **context}
    return render(request, f"{status}.html", context, status=status)


def too_large(request: HttpRequest, *, limit: int) -> HttpResponse:
    megabytes = limit // (1024 * 1024)
    detail = _("一次最多提交 %(limit)d MB，请减少内容或把文件分开上传。") % {"limit": megabytes}
    return page(request, 413, detail, limit=megabytes)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, DisallowedHost):
        # Drawn without the request: the page would print its own address, and that is what cannot be told.
        context = {
            "reference": getattr(request, "reference", ""),
            "detail": _("这个域名不是本站的。没有保存任何内容。"),
        }
        return HttpResponse(render_to_string("400.html", context), status=400)
    return page(request, 400, _("地址或内容里有无法识别的字符。没有保存任何内容。"))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(request, 403, str(exception) if exception and str(exception) else "")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return page(request, 500)


def conflict(request: HttpRequest, exception: MoveNotAllowed, **context: Any) -> HttpResponse:
    """409: somebody was first. `context` may hold `mine` (what was typed) and `theirs` (what stands now)."""
    return page(request, 409, str(exception), record=getattr(exception, "record", None), **context)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form is older than the session: what was typed is still in the browser and is offered again."""
    return page(
        request, 403, _("这张表单停留太久，登录状态已失效。没有保存；请返回上一页，重新登录后再提交，填写的内容还在。")
    )


def for_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """The page of an exception of ours that reached the top; None for others."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
        from django.conf import settings

        return too_large(request, limit=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    if isinstance(exception, MoveNotAllowed):
        return conflict(request, exception)
    return None
