"""What the clock does for registrations: lapsed supplements, and a word before a limit is reached. Safe twice."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from marketplace.workflow import MoveNotAllowed

from .models import Registration
from .services import lapse
from .services.common import tell_applicant, tell_officers

# Days before a limit on which people are reminded (ours).
SUPPLEMENT_DAYS = 7
OFFICE_DAYS = 3


def run() -> dict[str, int]:
    """Refuse what was not supplied in time, remind applicants and officers. Returns how many of each."""
    today = timezone.localdate()
    done = {"lapsed": 0, "supplement_reminders": 0, "limit_reminders": 0}
    overdue = Registration.objects.filter(state="supplement", supplement_due_on__lt=today).select_related("contract")
    for registration in overdue:
        try:
            lapse(registration)
        except MoveNotAllowed:
            # Supplied in this very moment: it is in time.
            continue
        done["lapsed"] += 1
    soon = Registration.objects.filter(
        state="supplement", supplement_due_on__range=(today, today + dt.timedelta(days=SUPPLEMENT_DAYS))
    ).select_related("contract__applicant")
    for registration in soon:
        done["supplement_reminders"] += tell_applicant(
            registration, "supplement_due", dedupe=str(registration.supplement_due_on)
        )
    limit = Registration.objects.filter(
        state__in=("accepted", "second_review", "expert_review"), due_on__lte=today + dt.timedelta(days=OFFICE_DAYS)
    ).select_related("contract")
    for registration in limit:
        post = {"second_review": True} if registration.state == "second_review" else {"first_review": True}
        done["limit_reminders"] += tell_officers(
            registration, "due_soon", dedupe=f"{registration.state}:{registration.due_on}", **post
        )
    return done
