"""Wagtail's pages for users with our fields: an e-mail address, one name, groups.

An administrator gives and takes platform roles. He sets no passwords (the person asks for a link by mail), and sees no
superuser unless he is one: else he could make himself one by changing another's address.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.utils.functional import cached_property
from wagtail.admin.ui.tables import BooleanColumn, Column, DateColumn, TitleColumn
from wagtail.users.forms import UserCreationForm, UserEditForm
from wagtail.users.views.users import EditView as WagtailEditView
from wagtail.users.views.users import IndexView as WagtailIndexView
from wagtail.users.views.users import UserViewSet as WagtailUserViewSet

from .models import User
from .names import tidy


class OurFields(forms.ModelForm):
    """What both forms share."""

    password_enabled = False
    name = forms.CharField(label="姓名", max_length=50)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name", "is_superuser"):
            self.fields.pop(name, None)

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()

    def clean_name(self) -> str:
        return tidy(self.cleaned_data["name"])


class EditForm(OurFields, UserEditForm):
    def __init__(self, *args: Any, editing_self: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Nobody locks himself out.
        if editing_self:
            del self.fields["is_active"]
        if getattr(self.instance, "demo_account", None) is not None:
            # Every visitor of the demo shares it: one who plays the administrator must not lock out the next.
            for field in self.fields.values():
                field.disabled = True

    class Meta(UserEditForm.Meta):
        model = User
        fields = {"email", "name", "is_active", "groups"}


class CreationForm(OurFields, UserCreationForm):
    class Meta(UserCreationForm.Meta):
        model = User
        fields = {"email", "name", "groups"}

    def save(self, commit: bool = True) -> User:
        self.instance.set_unusable_password()
        return super().save(commit)


def _manageable(request: Any) -> QuerySet[User]:
    users = User.objects.all()
    return users if request.user.is_superuser else users.filter(is_superuser=False)


class IndexView(WagtailIndexView):
    default_ordering = "name"
    search_fields = ["name", "email"]

    def get_base_queryset(self) -> QuerySet[User]:
        return _manageable(self.request).prefetch_related("groups", "memberships__organization")

    def order_queryset(self, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.order_by(self.ordering or "name", "pk")

    @cached_property
    def columns(self) -> list[Column]:
        return [
            TitleColumn("name", label="姓名", sort_key="name", get_url=self.get_edit_url),
            Column("email", label="邮箱", sort_key="email"),
            Column("roles", label="平台角色", accessor=_roles),
            Column("organizations", label="单位", accessor=_organizations),
            BooleanColumn("is_active", label="可登录", sort_key="is_active"),
            DateColumn("last_login", label="最近登录", sort_key="last_login"),
        ]


def _roles(user: User) -> str:
    return "、".join(group.name for group in user.groups.all())


def _organizations(user: User) -> str:
    return "、".join(m.organization.label for m in user.memberships.all() if m.state == "approved")


class EditView(WagtailEditView):
    def get_object(self, queryset: Any = None) -> User:
        user = super().get_object(queryset)
        if user.is_superuser and not self.request.user.is_superuser:
            raise PermissionDenied
        return user


class UserViewSet(WagtailUserViewSet):
    index_view_class = IndexView
    edit_view_class = EditView

    def get_form_class(self, for_update: bool = False) -> Any:
        return EditForm if for_update else CreationForm
