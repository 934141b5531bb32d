"""Targets and published figures in Wagtail's back office."""

from __future__ import annotations

from wagtail.snippets.models import register_snippet

from .snippets import IndicatorGroup

register_snippet(IndicatorGroup)
