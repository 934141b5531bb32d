"""Addresses under /notices/."""

from django.urls import URLPattern, URLResolver, path

from . import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.inbox, name="notices"),
    path("read/", views.read_all, name="notices_read"),
    path("<int:pk>/", views.open_notice, name="notice_open"),
    path("<int:pk>/mark/", views.mark, name="notice_mark"),
]
