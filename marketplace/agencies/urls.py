from django.urls import path

from . import views

urlpatterns = [
    path("deals/mandates/", views.mandates, name="mandates"),
    path("deals/mandates/<int:pk>/<str:act>/", views.mandate_act, name="mandate_act"),
]
