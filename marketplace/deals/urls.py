from django.urls import path

from .views import deals, inquiries, matches

urlpatterns = [
    path("demands/<str:number>/matches/", matches.matches, {"kind": "demand"}, name="demand_matches"),
    path("achievements/<str:number>/matches/", matches.matches, {"kind": "achievement"}, name="achievement_matches"),
    path("deals/", deals.deals, name="deals"),
    path("deals/inquire/<str:number>/", inquiries.new, name="inquiry_new"),
    path("deals/inquiries/<int:pk>/", inquiries.inquiry, name="inquiry"),
    path("deals/inquiries/<int:pk>/<str:act>/", inquiries.inquiry_act, name="inquiry_act"),
    path("deals/<str:number>/", deals.deal, name="deal"),
    path("deals/<str:number>/<str:act>/", deals.deal_act, name="deal_act"),
]
