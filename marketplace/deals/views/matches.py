"""The working page of a listing's matches: for its owner, his broker and staff; to all others it does not exist."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from cms.models import listing_model
from marketplace.deals import selectors


@login_required
def matches(request: HttpRequest, kind: str, number: str) -> HttpResponse:
    """Everything that matches, with reasons, what speaks against, and the first act."""
    listings = listing_model(kind).objects.select_related("record__owner", "technology_field", "region")
    listing = get_object_or_404(listings, record__number=number)
    record = listing.record
    if not selectors.may_work_on(record, request.user):
        raise Http404
    found = selectors.matches_for(record, request.user)
    return render(
        request,
        "deals/matches.html",
        {
            "listing": listing,
            "record": record,
            "kind": kind,
            "matches": found,
            "org_items": [str(listing.technology_field or ""), str(listing.region or "")],
            "is_public": listing.live and record.availability in selectors.AVAILABLE,
            "nav_current": f"{kind}s",
        },
    )
