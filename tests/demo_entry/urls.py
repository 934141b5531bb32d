"""The site's addresses with the demo's, as they are routed where DEMO is on."""

from django.urls import include, path

from marketplace.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("demo/", include("marketplace.demo.urls")), *urlpatterns]
