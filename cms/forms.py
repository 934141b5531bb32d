"""Forms of the back office: a listing's words, with its record made beside it; code lists that remember an edit."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.forms import WagtailAdminModelForm

from .models import Listing, ListingRecord
from .publishing import DEFAULT_VALIDITY
from .secrecy import REFUSAL, find_mark


def _organizations() -> Any:
    """The owners to choose from. cms knows organisations only through its own foreign key."""
    return ListingRecord._meta.get_field("owner").related_model._default_manager.filter(is_active=True)


class ListingAdminForm(WagtailAdminModelForm):
    """On creating: whose listing it is and until when it holds. Later both are the record's and change by acts."""

    owner = forms.ModelChoiceField(
        queryset=ListingRecord.objects.none(), label=_("单位"), help_text=_("建立后不能在这里更改")
    )
    valid_until = forms.DateField(
        label=_("有效期至"), required=False, help_text=_("写成 2027-12-31；不填为一年"), widget=forms.DateInput
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["owner"], self.fields["valid_until"]
        else:
            self.fields["owner"].queryset = _organizations()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if find_mark(value for name in self.data for value in self.data.getlist(name)):
            raise ValidationError(REFUSAL)
        day = data.get("valid_until")
        if day is not None and day <= timezone.localdate():
            self.add_error("valid_until", _("有效期要在今天之后。"))
        return data

    def save(self, commit: bool = True) -> Listing:
        listing: Listing = self.instance
        if listing.pk is None:
            # The row cannot stand without its record; Wagtail's view holds the transaction.
            listing.record = ListingRecord.objects.create(
                kind=listing.KIND,
                owner=self.cleaned_data["owner"],
                created_by=self.for_user,
                valid_until=self.cleaned_data.get("valid_until") or timezone.localdate() + DEFAULT_VALIDITY,
            )
        return super().save(commit)


class CodeForm(WagtailAdminModelForm):
    """An operator's edit marks the row, so that later migrations leave it alone."""

    def save(self, commit: bool = True) -> Any:
        self.instance.is_edited = True
        return super().save(commit)
