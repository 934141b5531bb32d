from django.urls import path

from .views import details, lists

urlpatterns = [
    path(f"{kind}s/", lists.listing_list, {"kind": kind}, name=f"{kind}s")
    for kind in ("achievement", "demand", "expert", "project")
]
urlpatterns += [
    path(f"{kind}s/<str:number>/", details.listing_detail, {"kind": kind}, name=kind)
    for kind in ("achievement", "demand", "expert", "project")
]
