"""The demo's one-click entries for the sign-in page."""

from __future__ import annotations

from django import template
from django.conf import settings

from ..models import DemoAccount

register = template.Library()


@register.simple_tag
def demo_roles() -> list[DemoAccount]:
    """The roles that one can enter as, in their order; none outside the demo."""
    return list(DemoAccount.objects.all()) if settings.DEMO else []
