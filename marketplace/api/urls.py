from django.urls import path

from . import documentation, figures, finding, listings, register

urlpatterns = [
    path("schema/", documentation.Schema.as_view(), name="api_schema"),
    path("docs/", documentation.Docs.as_view(), name="api_docs"),
    path("v1/search/", finding.Search.as_view(), name="api_search"),
    path("v1/registry/", register.Registry.as_view(), name="api_registry"),
    path("v1/verify/<str:code>/", register.Verify.as_view(), name="api_verify"),
    path("v1/indicators/", figures.Indicators.as_view(), name="api_indicators"),
    path("v1/indicators/turnover/", figures.Turnover.as_view(), name="api_turnover"),
    path("v1/indicators/turnover/rows/", figures.TurnoverRows.as_view(), name="api_turnover_rows"),
]
for kind in listings.KINDS:
    urlpatterns += [
        path(f"v1/{kind}s/", listings.LISTS[kind], name=f"api_{kind}s"),
        path(f"v1/{kind}s/<str:number>/", listings.DETAILS[kind], name=f"api_{kind}"),
    ]
urlpatterns += [
    path(f"v1/{kind}s/<str:number>/matches/", view, name=f"api_{kind}_matches")
    for kind, view in listings.MATCHES.items()
]
