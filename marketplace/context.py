"""What base.html reads of the site itself."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """`site`, `acting` (the organisation this person acts for now, or None), `large` (大字版)."""
    return {
        "site": {
            "name": settings.WAGTAIL_SITE_NAME,
            "is_demo": settings.DEMO,
            "organiser": "鄂尔多斯市科学技术主管部门（演示）" if settings.DEMO else "",
            "operator": "鄂尔多斯技术转移服务中心（虚构）" if settings.DEMO else "",
            "phone": "0477-000 0000（工作日 8:30–12:00，14:30–17:30）" if settings.DEMO else "",
            "icp": "蒙ICP备00000000号（演示）" if settings.DEMO else "",
            "police": "蒙公网安备00000000000000号（演示）" if settings.DEMO else "",
            "site_code": "0000000000（演示）" if settings.DEMO else "",
        },
        "acting": getattr(request, "acting", None),
        "large": (request.GET.get("large") or request.COOKIES.get("large")) == "1",
    }
