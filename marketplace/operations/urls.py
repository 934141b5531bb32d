from django.urls import URLPattern, URLResolver, path

from . import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("reports/new/", views.report_new, name="report_new"),
    path("reports/done/", views.report_done, name="report_done"),
    path("desk/reports/", views.reports, name="reports"),
    path("desk/reports/<int:pk>/", views.report, name="report"),
]
