from django.urls import path

from .views import desk, details, home, lists, organizations, search

KINDS = ("achievement", "demand", "expert", "project")

urlpatterns = [
    path("", home.home, name="home"),
    path("desk/", desk.desk_page, name="desk"),
    path("search/", search.search, name="search"),
    path("organizations/<str:number>/", organizations.organization, name="organization"),
]
for kind in KINDS:
    urlpatterns += [
        path(f"{kind}s/", lists.listing_list, {"kind": kind}, name=f"{kind}s"),
        path(f"{kind}s/<str:number>/", details.listing_detail, {"kind": kind}, name=kind),
    ]
