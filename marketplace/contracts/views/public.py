"""The public register and the certificate check: what anybody may know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from cms.models import Region, TechnologyField
from marketplace import errors, limits

from .. import certificates, selectors
from ..filters import GROUPS, RegistryFilter
from ..models import Registration

PAGE = 20
FILTERS = ("contract_type", "technology_field", "region", "year", "source")
# Tries of unknown codes from one address within a minute; sixty bits cannot be guessed anyhow.
TRIES, WINDOW = 30, 60


def registry(request: HttpRequest) -> HttpResponse:
    """Registered contracts, ours and imported ones, newest first, with filters in the query string."""
    found = RegistryFilter(request.GET, queryset=selectors.registered()).qs.distinct()
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "page_obj": page,
        "rows": selectors.public_rows(page.object_list, request.user),
        "query": query.urlencode(),
        "selects": _selects(request),
        "is_filtered": any(request.GET.get(name) for name in FILTERS),
        "nav_current": "registry",
    }
    return render(request, "contracts/registry.html", context)


def _selects(request: HttpRequest) -> list[dict[str, Any]]:
    """The five choices above the register, each with what is chosen now."""
    years = Registration.objects.public().dates("registered_on", "year", order="DESC")
    fields = TechnologyField.objects.filter(is_active=True, code__regex=r"^\d{2}$")
    places = Region.objects.filter(code__startswith="1506").order_by("code")
    rows = [
        ("contract_type", _("合同类别"), [(group, group) for group in GROUPS]),
        ("technology_field", _("技术领域"), [(f.code, f.label) for f in fields]),
        ("region", _("卖方地区"), [(p.code, p.name) for p in places]),
        ("year", _("登记年份"), [(str(d.year), str(d.year)) for d in years]),
        ("source", _("来源"), [("own", _("本站登记")), ("imported", _("导入"))]),
    ]
    return [
        {
            "name": name,
            "label": label,
            "options": [{"value": v, "label": t, "selected": request.GET.get(name) == v} for v, t in choices],
        }
        for name, label, choices in rows
    ]


def registry_entry(request: HttpRequest, number: str) -> HttpResponse:
    """One registered contract: what this person may know of it, and the trail down to the listings."""
    registration = get_object_or_404(selectors.registered(), registration_number=number)
    row = selectors.public_row(registration, request.user)
    entries = registration.entries.order_by("sequence") if row.amount_total is not None else []
    context = {
        "row": row,
        "registration": registration,
        "contract": registration.contract,
        "trail": selectors.trail(registration, request.user),
        "entries": entries,
        "nav_current": "registry",
    }
    return render(request, "contracts/registry_entry.html", context)


def verify(request: HttpRequest) -> HttpResponse:
    """One field: the code on the paper."""
    typed = request.GET.get("code", "")
    if not typed.strip():
        return render(request, "contracts/verify.html", {"nav_current": "verify"})
    code = certificates.tidy_code(typed.replace("\x00", ""))
    if not code:
        return render(request, "contracts/verify.html", {"typed": typed[:40], "unknown": True, "nav_current": "verify"})
    return redirect("certificate", code)


def certificate(request: HttpRequest, code: str) -> HttpResponse:
    """Valid, void or unknown; shows only what the paper shows, and of an unknown code nothing at all."""
    if limits.used(request, "verify") >= TRIES:
        return errors.page(request, 429, _("查验太频繁，请一分钟后再试。"))
    found = certificates.by_code(code)
    if found is None:
        limits.is_too_often(request, "verify", amount=TRIES, seconds=WINDOW)
        context = {"typed": code[:40], "unknown": True, "nav_current": "verify"}
        return render(request, "contracts/verify.html", context, status=404)
    if found.code != code:
        return redirect("certificate", found.code)
    context = {
        "certificate": found,
        "status": certificates.status(found),
        "facts": [{"label": label, "value": value} for label, value in certificates.printed(found)],
        "is_demo": settings.DEMO,
        "nav_current": "verify",
    }
    return render(request, "contracts/certificate.html", context)
