"""Acts of people and organisations. Every act is one transaction, names who did it and for whom."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from .models import Consent, ConsentText, User


@transaction.atomic
def consent(*, user: User) -> list[Consent]:
    """Write that this person agreed to the texts in force today (个人信息保护法 arts. 14 and 17); once per version."""
    rows = []
    for kind, _label in ConsentText.KINDS:
        text = ConsentText.objects.filter(kind=kind, effective_on__lte=timezone.localdate()).first()
        if text is not None:
            rows.append(Consent.objects.get_or_create(user=user, text=text)[0])
    return rows
