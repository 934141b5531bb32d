from django.urls import path

from . import views

urlpatterns = [
    path("indicators/", views.indicators, name="indicators"),
    path("indicators/turnover/", views.turnover, name="turnover"),
    path("indicators/turnover/rows/", views.rows, name="turnover_rows"),
    path("indicators/turnover/rows.csv", views.rows_csv, name="turnover_csv"),
]
