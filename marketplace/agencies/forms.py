"""A client's mandate to a broker."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cms.models import ListingRecord
from marketplace.accounts.models import Organization
from marketplace.posting.fields import DayField

from .models import Broker

KINDS = ("demand", "achievement")


class MandateForm(forms.Form):
    """Which broker, for what, from when to when, for which fee."""

    broker = forms.ModelChoiceField(
        label=_lazy("技术经理人"), queryset=Broker.objects.none(), empty_label=_lazy("请选择")
    )
    record = forms.ChoiceField(label=_lazy("委托范围"), required=False)
    starts_on = DayField(label=_lazy("自"), required=True)
    ends_on = DayField(label=_lazy("至"), required=True)
    commission = forms.CharField(
        label=_lazy("佣金约定"),
        max_length=200,
        required=False,
        help_text=_lazy("例如：按技术交易额 2%，登记后 30 日内支付。没有统一标准，由双方约定。"),
    )

    def __init__(self, *args: Any, client: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = client
        brokers = Broker.objects.active().select_related("user", "organization").order_by("user__name")
        self.fields["broker"].queryset = brokers  # type: ignore[attr-defined]
        self.fields["broker"].label_from_instance = self._broker_label  # type: ignore[attr-defined]
        live = Q(demand__live=True) | Q(achievement__live=True)
        rows = ListingRecord.objects.filter(live, owner=client).select_related(*KINDS).order_by("-first_published_at")
        self.records = list(rows[:300])
        choices = [("", _("本单位全部成果和需求"))] + [
            (r.number, f"{r.number} {r.listing.title}") for r in self.records
        ]
        self.fields["record"].choices = choices  # type: ignore[attr-defined]
        if not self.is_bound:
            today = timezone.localdate()
            self.initial.setdefault("starts_on", today)
            self.initial.setdefault("ends_on", today + dt.timedelta(days=365))

    @staticmethod
    def _broker_label(broker: Broker) -> str:
        agency = f"（{broker.organization.label}）" if broker.organization else ""
        return f"{broker}{agency} {broker.get_level_display()}"

    def act(self) -> dict[str, Any]:
        """Arguments for services.give_mandate."""
        cleaned = {**self.cleaned_data}
        number = cleaned.pop("record")
        return {**cleaned, "client": self.client, "record": next((r for r in self.records if r.number == number), None)}
