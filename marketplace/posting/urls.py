from django.urls import path

from . import state_views, views

urlpatterns = [
    path("demands/new/", views.new_demand, name="demand_new"),
    path("achievements/new/", views.new_achievement, name="achievement_new"),
    path("desk/listings/", views.mine, name="my_listings"),
    path("desk/listings/<str:number>/", state_views.state, name="listing_state"),
    path("desk/listings/<str:number>/edit/", views.edit, name="listing_edit"),
    path("desk/listings/<str:number>/preview/", views.preview, name="listing_preview"),
    path("desk/listings/<str:number>/submit/", views.submit, name="listing_submit"),
    path("desk/listings/<str:number>/withdraw/", state_views.withdraw, name="listing_withdraw"),
    path("desk/listings/<str:number>/renew/", state_views.renew, name="listing_renew"),
    path("desk/listings/<str:number>/delete/", views.delete, name="listing_delete"),
]
