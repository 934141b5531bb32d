"""Addresses under /demo/: routed only where DEMO is on."""

from django.urls import URLPattern, URLResolver, path

from . import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("enter/<slug:role>/", views.enter, name="demo_enter"),
    path("mail/", views.mail, name="demo_mail"),
]
