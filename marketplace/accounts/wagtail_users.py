"""Wagtail's pages for users with our fields: an e-mail address, one name, groups."""

from __future__ import annotations

from typing import Any

from django import forms
from wagtail.users.forms import UserCreationForm, UserEditForm
from wagtail.users.views.users import UserViewSet as WagtailUserViewSet

from .models import User


class EditForm(UserEditForm):
    first_name = None
    last_name = None
    name = forms.CharField(label="姓名", max_length=50)

    class Meta(UserEditForm.Meta):
        model = User
        fields = {"email", "name", "is_active", "groups"}


class CreationForm(UserCreationForm):
    first_name = None
    last_name = None
    name = forms.CharField(label="姓名", max_length=50)

    class Meta(UserCreationForm.Meta):
        model = User
        fields = {"email", "name", "groups"}


class UserViewSet(WagtailUserViewSet):
    def get_form_class(self, for_update: bool = False) -> Any:
        return EditForm if for_update else CreationForm
