"""My contracts, one contract as its parties and officers see it, its files, its certificate."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from marketplace import files

from .. import items, paper, rules, selectors
from ..models import Certificate, Contract, Party
from ..models.registration import EDITABLE_STATES, Registration, is_applicant, is_concerned
from .common import log_entries, state_mark, state_steps, visible_contract
from .form import returned_lines, task_items

PAGE = 20
TABS = (
    ("", "全部", None),
    ("draft", "草稿", ("draft",)),
    ("office", "办理中", ("submitted", "accepted", "expert_review", "second_review")),
    ("supplement", "待补正", ("supplement",)),
    ("registered", "已登记", ("registered",)),
    ("refused", "不予登记", ("refused",)),
)
# Chrome draws a PDF only where its own policy lets a plugin be; nothing else in the file may run.
FILE_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"


@login_required
def contracts(request: HttpRequest) -> HttpResponse:
    """Contracts of one's organisations and of deals one brokers, by state."""
    mine = (
        Registration.objects.filter(contract__in=_own(request.user))
        .exclude(source="imported")
        .select_related("contract__contract_type", "contract__applicant")
        .prefetch_related("contract__parties")
        .order_by("-contract__created_at")
    )
    chosen = request.GET.get("state", "")
    states = list(mine.order_by().values_list("state", flat=True))
    tabs = []
    for key, label, wanted in TABS:
        count = len(states) if wanted is None else sum(state in wanted for state in states)
        tabs.append(
            {"label": _(label), "href": f"?state={key}" if key else "?", "current": key == chosen, "count": count}
        )
    wanted = next((w for key, _label, w in TABS if key == chosen), None)
    page = Paginator(mine.filter(state__in=wanted) if wanted else mine, PAGE).get_page(request.GET.get("page"))
    rows = [{"registration": r, "contract": r.contract, "mark": state_mark(r)} for r in page.object_list]
    context = {
        "tabs": tabs,
        "rows": rows,
        "page_obj": page,
        "query": f"state={chosen}" if chosen else "",
        "nav_current": "registry",
        "is_officer": request.user.officer_posts.filter(is_active=True).exists(),
    }
    return render(request, "contracts/contracts.html", context)


def _own(user: Any) -> Any:
    """Visible contracts that are this person's own business: not those of the office where he reviews."""
    organizations = user.organization_ids()
    mine = Q(applicant__in=organizations) | Q(
        pk__in=Party.objects.filter(organization__in=organizations).values("contract")
    )
    mine |= Q(deal__mandate__broker__user=user) | Q(deal__second_mandate__broker__user=user)
    return Contract.objects.visible_to(user).filter(mine).values("pk")


@login_required
def contract(request: HttpRequest, number: str) -> HttpResponse:
    """One contract: where it stands, what is to do, what it says, its papers and history."""
    found = visible_contract(request.user, number)
    registration = found.registration
    applies = is_applicant(registration, request.user)
    editable = applies and registration.state in EDITABLE_STATES
    problems = rules.findings(found) if editable else []
    officer = _reviews(request.user, found)
    context = {
        "contract": found,
        "registration": registration,
        "mark": state_mark(registration),
        "state_steps": state_steps(registration),
        "tasks": task_items(found, problems) if editable else [],
        "editable": editable,
        "may_discard": editable and registration.state == "draft" and registration.submitted_at is None,
        "returned": returned_lines(found),
        "items": items.of(found),
        "files": [f for f in found.files.all() if not f.is_removed and (officer or f.kind != "expert")],
        "log": log_entries(registration, inside=officer or request.user.is_administrator),
        "certificate": Certificate.objects.filter(registration=registration).first(),
        "trail": selectors.trail(registration, request.user) if registration.state == "registered" else [],
        "attributions": list(registration.attributions.all()),
        "is_officer": officer,
        "applies": applies,
        "nav_current": "registry",
    }
    return render(request, "contracts/contract.html", context)


def _reviews(user: Any, contract: Contract) -> bool:
    """Whether this person has a post in the contract's office and no part in the contract."""
    registration = contract.registration
    in_office = Registration.objects.queue_of(user).filter(pk=registration.pk).exists()
    return in_office and not is_concerned(registration, user)


@login_required
def file(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A private file, shown in the page where it is a PDF or a picture; only to who may see the contract."""
    found = get_object_or_404(Contract.objects.visible_to(request.user).distinct(), number=number)
    row = get_object_or_404(found.files.filter(is_removed=False), pk=pk)
    if row.kind == "expert" and not (request.user.is_administrator or _reviews(request.user, found)):
        # An expert's name and words are for the office alone.
        raise Http404
    inline = not row.name.lower().endswith(".docx") and "download" not in request.GET
    response = files.serve(row.file, row.name, inline=inline)
    response["Content-Security-Policy"] = FILE_POLICY
    return response


@login_required
def certificate_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The paper, for those who may see the contract. Others check it by its code."""
    found = get_object_or_404(Contract.objects.visible_to(request.user).distinct(), number=number)
    certificate = get_object_or_404(Certificate, registration__contract=found)
    response = HttpResponse(paper.draw(certificate), content_type="application/pdf")
    name = f"{certificate.facts['number']}.pdf"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "no-store"
    response["Content-Security-Policy"] = FILE_POLICY
    return response
