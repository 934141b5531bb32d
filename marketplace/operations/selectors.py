"""What of this app waits for whom."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.desk import Waiting

from .models import Report


def waiting_for(user: Any, acting: Any) -> list[Waiting]:
    """Open reports, oldest first, for moderators."""
    return [
        Waiting(
            title=_("处理举报：%(what)s") % {"what": report.about_title or report.about or _("未指明页面")},
            url=reverse("report", args=[report.pk]),
            detail=str(report.get_kind_display()),
            group=_("纠错与举报"),
            since=timezone.localdate(report.created_at),
        )
        for report in Report.objects.visible_to(user).filter(state="open").order_by("created_at")[:50]
    ]
