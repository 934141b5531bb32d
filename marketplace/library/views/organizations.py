"""/organizations/<number>/: who this is, who checked it and when, what it offers and seeks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.accounts.models import Organization

from .. import rows, selectors
from .lists import words_of

SHOWN = 6


def organization(request: HttpRequest, number: str) -> HttpResponse:
    """The public page of an organisation; an anonymous need leaves no trace on it, not even in a count."""
    found = get_object_or_404(
        Organization.objects.visible_to(request.user).select_related("region"), number=number.upper()
    )
    groups = []
    for kind in ("achievement", "demand", "expert", "project"):
        listed = selectors.listings_of(found, kind, request.user)
        total = listed.count()
        if total:
            count = f"{total} {words_of(kind)['unit']}"
            groups.append(
                {
                    "kind": kind,
                    "title": {"achievement": _("提供的成果"), "demand": _("发布的需求")}.get(
                        kind, words_of(kind)["title"]
                    ),
                    "rows": [rows.row(one) for one in listed[:SHOWN]],
                    "note": count if total <= SHOWN else "",
                    "href": f"/{kind}s/?owner={found.number}" if total > SHOWN else "",
                    "link": _("全部 %(count)s") % {"count": count},
                }
            )
    context = {
        "organization": found,
        "facts": _facts(found),
        "groups": groups,
        "is_mine": request.user.is_authenticated and found.pk in request.user.organization_ids(),
        "crumbs": [{"label": _("专家与机构"), "href": "/experts/"}, {"label": found.name}],
        "nav_current": "experts",
    }
    return render(request, "library/organization.html", context)


def _facts(found: Organization) -> list[dict[str, str]]:
    verified = _("未核实")
    if found.verified_at:
        day = timezone.localtime(found.verified_at).date().isoformat()
        verified = _("平台工作人员 %(day)s 核对信用代码与证明材料") % {"day": day}
    former = [name.name for name in found.names.all() if name.until_on]
    facts = [
        {"label": _("统一社会信用代码"), "value": found.credit_code or ""},
        {"label": _("类别"), "value": found.get_kind_display()},
        {"label": _("所在地区"), "value": (found.region.full_name or found.region.name) if found.region else ""},
        {"label": _("核实"), "value": verified},
    ]
    if found.is_state_institution:
        facts.append({"label": _("性质"), "value": _("国家设立的研究开发机构或高等院校")})
    if former:
        facts.append({"label": _("曾用名"), "value": "、".join(former)})
    registered = selectors.register_count(found)
    if registered:
        label = _("公开登记的技术合同")
        facts.append({"label": label, "value": _("%(n)d 项（同意公开名称的）") % {"n": registered}})
    return facts
