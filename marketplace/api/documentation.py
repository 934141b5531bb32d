"""/api/schema/ and /api/docs/: the OpenAPI text and a page over it that the site's strict policy lets run."""

from __future__ import annotations

from django.urls import reverse_lazy
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class Schema(SpectacularAPIView):
    """OpenAPI 3 of /api/v1/."""


class Docs(SpectacularSwaggerSplitView):
    """The page loads its start script from its own address (?script=), so nothing runs inline."""

    url_name = "api_schema"
    url_self = reverse_lazy("api_docs")  # type: ignore[assignment]
    template_name = "drf_spectacular/swagger_ui.html"
