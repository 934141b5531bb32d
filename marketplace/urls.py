"""Every address of the site. Names are the same in templates; no language prefix."""

from django.conf import settings
from django.urls import include, path
from django.views.generic import RedirectView
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls
from wagtail.views import serve as wagtail_serve

from marketplace.styleguide import styleguide

urlpatterns = [
    # Wagtail's own sign-in would skip allauth's limits and second factor.
    path("admin/login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    path("accounts/", include("marketplace.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("api/", include("marketplace.api.urls")),
    path("jobs/", include("marketplace.jobs.urls")),
    path("notices/", include("marketplace.notifications.urls")),
    path("styleguide/", styleguide, name="styleguide"),
    path("", include("marketplace.operations.urls")),
    path("", include("marketplace.posting.urls")),
    path("", include("marketplace.intake.urls")),
    path("", include("marketplace.agencies.urls")),
    path("", include("marketplace.deals.urls")),
    path("", include("marketplace.contracts.urls")),
    path("", include("marketplace.indicators.urls")),
    path("", include("marketplace.library.urls")),
]
if settings.DEMO:
    urlpatterns.append(path("demo/", include("marketplace.demo.urls")))
# Wagtail answers it like any page; the name lets the navigation point to it.
urlpatterns.append(path("news/", wagtail_serve, {"path": "news/"}, name="news"))
urlpatterns.append(path("", include(wagtail_urls)))

handler400 = "marketplace.errors.bad_request"
handler403 = "marketplace.errors.forbidden"
handler404 = "marketplace.errors.not_found"
handler500 = "marketplace.errors.server_error"
