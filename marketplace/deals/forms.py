"""What people type into inquiries, answers, offers and notes. The services check everything once more."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cms.models import ListingRecord, TransferMode
from cms.secrecy import REFUSAL, find_mark
from marketplace.accounts.models import Organization
from marketplace.agencies.models import Mandate
from marketplace.agencies.selectors import mandates_of
from marketplace.posting.fields import DayField, WanField

from . import codes
from .dealing import NEEDS
from .models import DECLINE_REASONS, SHARES, Deal

MESSAGE_MIN = 10


class SafeTextMixin:
    """Texts that bear a mark of secrecy are refused: they must not be sent over an open network."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()  # type: ignore[misc]
        if find_mark(value for value in self.data.values() if isinstance(value, str)):  # type: ignore[attr-defined]
            raise ValidationError(REFUSAL)
        return cleaned or self.cleaned_data  # type: ignore[attr-defined,no-any-return]


class InquiryForm(SafeTextMixin, forms.Form):
    """Who writes, about which of his listings, what, and what he gives with the acceptance."""

    sender = forms.ChoiceField(label=_lazy("代表单位"))
    own = forms.ChoiceField(label=_lazy("本方条目"), required=False)
    message = forms.CharField(
        label=_lazy("来意"),
        min_length=MESSAGE_MIN,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 7}),
        help_text=_lazy("写清您能做什么、依据是什么、希望怎样合作。不要写商业秘密。"),
    )
    shares = forms.MultipleChoiceField(
        label=_lazy("对方接受后提供"),
        choices=SHARES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_lazy("对方接受之前看不到；不勾选的不提供。"),
    )

    def __init__(self, *args: Any, about: ListingRecord, user: Any, acting: Organization | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.about, self.user = about, user
        self.members = [m.organization for m in user.approved_memberships if m.organization_id != about.owner_id]
        named = [f"record__{kind}" for kind in ("achievement", "demand", "expert", "project")]
        rows = mandates_of(user).select_related(*named)
        self.mandates: list[Mandate] = [m for m in rows if m.client_id != about.owner_id]
        choices = [(f"o{o.pk}", o.name) for o in self.members]
        choices += [(f"m{m.pk}", self._mandate_label(m)) for m in self.mandates]
        self.fields["sender"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["sender"].widget = forms.HiddenInput()
        own = [("", _("不指定"))] + [(r.number, self._own_label(r)) for r in self.own_records]
        self.fields["own"].choices = own  # type: ignore[attr-defined]
        if not self.is_bound:
            chosen = self._owner_choice(self.initial.get("own"))
            wanted = f"o{acting.pk}" if acting is not None else ""
            self.initial.setdefault(
                "sender", chosen or (wanted if wanted in dict(choices) else next(iter(dict(choices)), ""))
            )
            self.initial.setdefault("shares", ["contact_name", "phone", "body"])

    @property
    def may_send(self) -> bool:
        """False where this person has nobody to write for."""
        return bool(self.members or self.mandates)

    @property
    def own_records(self) -> list[ListingRecord]:
        """Public listings of the other kind that belong to those he may write for."""
        if not hasattr(self, "_records"):
            owners = [o.pk for o in self.members] + [m.client_id for m in self.mandates]
            kinds = ("achievement", "expert") if self.about.kind in NEEDS else NEEDS
            live = Q()
            for kind in kinds:
                live |= Q(**{f"{kind}__live": True})
            rows = ListingRecord.objects.filter(live, owner__in=owners, kind__in=kinds)
            self._records = list(rows.select_related("owner", *kinds).order_by("-first_published_at")[:200])
        return self._records

    @staticmethod
    def _mandate_label(mandate: Mandate) -> str:
        """Names the listing, too: a client may have given several mandates."""
        scope = mandate.record.listing.title if mandate.record is not None else _("全部成果和需求")
        return _("%(client)s（经纪委托：%(scope)s）") % {"client": mandate.client, "scope": scope}

    def _own_label(self, record: ListingRecord) -> str:
        label = f"{record.number} {record.listing.title}"
        return label if len({r.owner_id for r in self.own_records}) == 1 else f"{label}（{record.owner}）"

    def _owner_choice(self, number: Any) -> str:
        """The sender that goes with the listing that a link proposes."""
        record = next((r for r in self.own_records if r.number == number), None)
        if record is None:
            return ""
        if record.owner_id in {o.pk for o in self.members}:
            return f"o{record.owner_id}"
        return next((f"m{m.pk}" for m in self.mandates if m.client_id == record.owner_id and m.covers(record)), "")

    def act(self) -> dict[str, Any]:
        """Arguments for services.inquire."""
        cleaned = self.cleaned_data
        key, pk = cleaned["sender"][0], int(cleaned["sender"][1:])
        mandate = next((m for m in self.mandates if m.pk == pk), None) if key == "m" else None
        sender = mandate.client if mandate else next(o for o in self.members if o.pk == pk)
        return {
            "on_behalf_of": sender,
            "mandate": mandate,
            "own": next((r for r in self.own_records if r.number == cleaned["own"]), None),
            "message": cleaned["message"],
            "shares": cleaned["shares"],
        }


class AcceptForm(forms.Form):
    """What the receiver gives with his acceptance: his contact, never the listing, which goes with the acceptance
    itself."""

    shares = forms.MultipleChoiceField(
        label=_lazy("同时提供给对方"),
        choices=[choice for choice in SHARES if choice[0] != "body"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class ReasonForm(SafeTextMixin, forms.Form):
    """Why not: a coded reason, and words for 其他."""

    reason = forms.ChoiceField(label=_lazy("原因"), choices=DECLINE_REASONS, widget=forms.RadioSelect)
    note = forms.CharField(
        label=_lazy("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("reason") == "other" and not (cleaned.get("note") or "").strip():
            self.add_error("note", _("选“其他”时请写明原因。"))
        return cleaned


class NoteForm(SafeTextMixin, forms.Form):
    """Why an offer is not accepted."""

    note = forms.CharField(label=_lazy("不接受的原因"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class PlanForm(SafeTextMixin, forms.Form):
    """What comes next and by when."""

    next_step = forms.CharField(label=_lazy("下一步"), max_length=120)
    next_step_on = DayField(label=_lazy("日期"))


class OfferForm(SafeTextMixin, forms.Form):
    """An offer. Amounts are typed in 万元; one that was rather meant in 元 is asked about (`offers`)."""

    side = forms.ChoiceField(label=_lazy("代表"))
    contract_type_code = forms.ChoiceField(label=_lazy("合同类别"))
    transfer_mode = forms.ModelChoiceField(
        label=_lazy("合作方式"), queryset=TransferMode.objects.none(), required=False, empty_label=_lazy("不指定")
    )
    amount_total = WanField(label=_lazy("合同成交额"), required=True)
    amount_tech = WanField(
        label=_lazy("其中技术交易额"),
        required=True,
        help_text=_lazy("合同成交额扣除设备、原材料等非技术费用后的部分，不大于合同成交额。"),
    )
    payment_code = forms.ChoiceField(label=_lazy("支付方式"))
    starts_on = DayField(label=_lazy("拟开始"), required=True)
    ends_on = DayField(label=_lazy("拟完成"), required=True)
    terms = forms.CharField(
        label=_lazy("主要条款"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_lazy("验收指标、付款节点、知识产权归属、改进成果归属。接受后照抄进合同。"),
    )

    def __init__(self, *args: Any, deal: Deal, sides: list[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sides = sides
        self.fields["side"].choices = [(str(o.pk), o.name) for o in sides]  # type: ignore[attr-defined]
        if len(sides) == 1:
            self.fields["side"].widget = forms.HiddenInput()
            self.initial.setdefault("side", str(sides[0].pk))
        types = [("", _("请选择")), *codes.contract_types().items()]
        self.fields["contract_type_code"].choices = types  # type: ignore[attr-defined]
        self.fields["payment_code"].choices = list(codes.payment_methods().items())  # type: ignore[attr-defined]
        self.fields["transfer_mode"].queryset = TransferMode.objects.filter(is_active=True)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        total, tech = cleaned.get("amount_total"), cleaned.get("amount_tech")
        for name, amount in (("amount_total", total), ("amount_tech", tech)):
            if isinstance(amount, Decimal) and amount <= 0:
                self.add_error(name, _("金额要大于零。"))
        if total and tech and tech > total:
            self.add_error("amount_tech", _("技术交易额不能大于合同成交额。"))
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error("ends_on", _("完成日期早于开始日期。"))
        return cleaned

    def act(self) -> dict[str, Any]:
        """Arguments for services.offer."""
        cleaned = {**self.cleaned_data}
        side = int(cleaned.pop("side"))
        return {"on_behalf_of": next(o for o in self.sides if o.pk == side), **cleaned}

    @property
    def offers(self) -> dict[str, dict[str, str]]:
        """For each amount that was probably typed in 元: the button that puts it right."""
        found = {}
        for name, errors in self.errors.as_data().items() if self.is_bound else ():
            for error in errors:
                if error.code == "unit":
                    meant = str((error.params or {})["meant"])
                    value = f"{name}={meant.removesuffix(' 万元').replace(',', '')}"
                    found[name] = {"name": "fix", "value": value, "label": _("改为 %(meant)s") % {"meant": meant}}
        return found
