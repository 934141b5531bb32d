"""Addresses under /accounts/; those of signing in follow from allauth."""

from django.urls import URLPattern, URLResolver, path, register_converter

from .views import account, organizations, staff


class MembershipAct:
    """What may be done to a membership by an address; anything else is no address."""

    regex = "approve|decline|remove|leave|head|member"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(MembershipAct, "membership_act")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", account.account, name="account"),
    path("profile/", account.profile, name="account_profile"),
    path("my-data.json", account.my_data, name="account_data"),
    path("close/", account.close, name="account_close"),
    path("agree/", account.agree, name="account_agree"),
    path("terms/", account.text, {"kind": "terms"}, name="terms"),
    path("privacy/", account.text, {"kind": "privacy"}, name="privacy"),
    path("acting/", account.choose_acting, name="acting"),
    path("organizations/new/", organizations.found, name="organization_new"),
    path("organizations/join/", organizations.find, name="organization_join"),
    path("organizations/<str:number>/join/", organizations.join, name="organization_join"),
    path("organizations/<str:number>/", organizations.manage, name="organization_manage"),
    path("organizations/<str:number>/edit/", organizations.edit, name="organization_edit"),
    path("organizations/<str:number>/rename/", organizations.rename, name="organization_rename"),
    path("organizations/<str:number>/verify/", organizations.verify, name="organization_verify"),
    path(
        "organizations/<str:number>/members/<int:pk>/<membership_act:act>/",
        organizations.membership_act,
        name="membership_act",
    ),
    path("verifications/", staff.queue, name="verifications"),
    path("verifications/<int:pk>/", staff.detail, name="verification"),
    path("verifications/<int:pk>/file/", staff.document, name="verification_file"),
]
