"""Rows of the registration form: parties, deductions, rights. Each row is a form, each side or list a formset."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as gl

from cms.identifiers import check_credit_code, half_width
from cms.models import Industry
from marketplace.posting.fields import NumberField, RegionChoice, WanField

from . import identity
from .form_base import LenientMixin, codes
from .models import Deduction, Party, PartyNature

COUNTRIES = [
    ("CHN", gl("中国")),
    ("HKG", gl("中国香港")),
    ("MAC", gl("中国澳门")),
    ("TWN", gl("中国台湾")),
    ("DEU", gl("德国")),
    ("USA", gl("美国")),
    ("JPN", gl("日本")),
    ("KOR", gl("韩国")),
    ("MNG", gl("蒙古")),
    ("RUS", gl("俄罗斯")),
    ("GBR", gl("英国")),
    ("FRA", gl("法国")),
    ("AUS", gl("澳大利亚")),
    ("CAN", gl("加拿大")),
    ("SGP", gl("新加坡")),
    ("ZZZ", gl("其他国家和地区")),
]


class PartyForm(LenientMixin, forms.Form):
    """One party of a side. The resident number is asked, checked and not kept."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=gl("种类"), choices=Party.KINDS, widget=forms.RadioSelect)
    name = forms.CharField(label=gl("名称"), max_length=120, help_text=gl("与印章一致的全称"))
    is_lead = forms.BooleanField(label=gl("主要一方"), required=False, help_text=gl("每边只有一个"))
    share = NumberField(
        label=gl("份额"), max_digits=5, decimal_places=2, min_value=Decimal("0.01"), max_value=Decimal(100)
    )
    credit_code = forms.CharField(label=gl("统一社会信用代码"), required=False, max_length=40)
    id_number = forms.CharField(
        label=gl("居民身份证号"), required=False, max_length=40, help_text=gl("自然人填写；只用于核对，不保存号码")
    )
    country = forms.ChoiceField(label=gl("国别（地区）"), choices=COUNTRIES)
    region = RegionChoice(label=gl("行政区划"), required=False)
    nature = codes(PartyNature, gl("性质"))
    industry = codes(Industry, gl("所属国民经济行业"), required=False)
    scale = forms.ChoiceField(label=gl("企业规模"), choices=Party.SCALES)
    legal_representative = forms.CharField(label=gl("法定代表人"), required=False, max_length=50)
    contact_name = forms.CharField(label=gl("联系人"), max_length=50)
    contact_phone = forms.CharField(label=gl("联系电话"), max_length=40, help_text=gl("只供登记机构联系，不公开"))
    address = forms.CharField(label=gl("地址"), max_length=200)
    postcode = forms.CharField(label=gl("邮编"), required=False, max_length=12)
    is_rd_organization = forms.BooleanField(label=gl("研发机构"), required=False)
    is_transfer_organization = forms.BooleanField(label=gl("技术转移机构"), required=False)
    is_converted_institute = forms.BooleanField(label=gl("转制科研院所"), required=False)
    is_in_hightech_zone = forms.BooleanField(label=gl("国家高新区内企业"), required=False)
    is_hightech_enterprise = forms.BooleanField(label=gl("高新技术企业"), required=False)
    is_listed = forms.BooleanField(label=gl("上市公司"), required=False)
    FLAGS = (
        "is_rd_organization",
        "is_transfer_organization",
        "is_converted_institute",
        "is_in_hightech_zone",
        "is_hightech_enterprise",
        "is_listed",
    )

    def __init__(self, *args: Any, known: dict[int, Party] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known or {}
        region = self.fields["region"]
        region.choices = region.grouped(self.initial.get("region"), self.data.get(self.add_prefix("region")))
        self.fields["industry"].queryset = Industry.objects.filter(is_active=True, code__regex=r"^\d{2}$")
        self._ask_by_kind()
        for field in self.fields.values():
            field.error_messages["required"] = _("请填写%(label)s。") % {"label": field.label}

    def _ask_by_kind(self) -> None:
        """Which fields are compulsory follows from what the party is; the page then does not call them optional."""
        if self.lenient:
            return

        def stands(name: str) -> Any:
            return self.data.get(self.add_prefix(name)) if self.is_bound else self.initial.get(name)

        kind = stands("kind")
        for name in ("credit_code", "legal_representative", "industry"):
            self.fields[name].required = kind == "organization"
        self.fields["region"].required = stands("country") == "CHN"
        known = self.known.get(int(stands("id") or 0)) if str(stands("id") or 0).isdecimal() else None
        self.fields["id_number"].required = kind == "person" and not (known and known.id_hash)

    @property
    def old(self) -> Party | None:
        """The party that this row began from, if it stands in this contract."""
        value = self.cleaned_data.get("id") if hasattr(self, "cleaned_data") else self.initial.get("id")
        return self.known.get(value or 0)

    @property
    def flags(self) -> list[Any]:
        return [self[name] for name in self.FLAGS]

    def clean_credit_code(self) -> str:
        text = self.cleaned_data["credit_code"]
        return check_credit_code(text).value if text else ""

    def clean_postcode(self) -> str:
        code = half_width(self.cleaned_data["postcode"])
        if code and not (len(code) == 6 and code.isdigit()):
            raise ValidationError(_("邮编应为 6 位数字，您填的是“%(code)s”。") % {"code": code})
        return code

    def clean_id_number(self) -> str:
        number = self.cleaned_data["id_number"]
        if number:
            identity.keep(number)
        return number

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        kind = data.get("kind")
        self.ask("credit_code", kind == "organization", _("境内单位请填写统一社会信用代码。"))
        self.ask("legal_representative", kind == "organization", _("请填写法定代表人。"))
        self.ask("industry", kind == "organization", _("请选择所属国民经济行业。"))
        self.ask("region", data.get("country") == "CHN", _("境内当事人请选择行政区划。"))
        kept = self.old is not None and self.old.id_hash
        self.ask("id_number", kind == "person" and not kept, _("自然人请填写居民身份证号。"))
        if kind == "foreign" and data.get("country") == "CHN":
            self.add_error("country", _("境外机构请选择国别（地区）。"))
        return data

    def row(self) -> dict[str, Any]:
        """What `services.fill` takes of a party; the link to an organisation of this site stays with the row."""
        data = {name: value for name, value in self.cleaned_data.items() if name != "DELETE"}
        data["scale"] = data.get("scale") or "none"
        data["country"] = data.get("country") or "CHN"
        data["kind"] = data.get("kind") or "organization"
        data["share"] = data.get("share") or Decimal(100)
        if data["kind"] != "person":
            data["id_number"] = ""
        data["organization"] = self.old.organization if self.old is not None else None
        return data


class PartyBase(forms.BaseFormSet):
    """Parties of a side: shares sum to 100 %, one lead. Lenient sets skip both."""

    lenient = False

    def clean(self) -> None:
        if any(self.errors) or self.lenient:
            return
        rows = [form.cleaned_data for form in self.forms if not form.cleaned_data.get("DELETE")]
        if not rows:
            raise ValidationError(_("至少要有一方。"))
        total = sum((row["share"] for row in rows), Decimal(0))
        if total != 100:
            raise ValidationError(_("份额合计 %(n)s%%，应为 100%%。") % {"n": f"{total.normalize():f}"})
        if len(rows) > 1 and sum(bool(row.get("is_lead")) for row in rows) != 1:
            raise ValidationError(_("请只给一方勾选“主要一方”。"))


PartySet = forms.formset_factory(PartyForm, formset=PartyBase, extra=0, can_delete=True, max_num=20, absolute_max=21)


class DeductionForm(LenientMixin, forms.Form):
    kind = forms.ChoiceField(label=gl("类别"), choices=[("", gl("请选择")), *Deduction.KINDS])
    amount = WanField(label=gl("金额"), required=True)
    clause = forms.CharField(label=gl("合同条款"), required=False, max_length=80)


class IPItemForm(LenientMixin, forms.Form):
    number = forms.CharField(label=gl("编号"), max_length=40)
    title = forms.CharField(label=gl("名称"), required=False, max_length=200)
    holder = forms.CharField(label=gl("权利人"), required=False, max_length=120)
    legal_status = forms.CharField(label=gl("法律状态"), required=False, max_length=40)


DeductionSet = forms.formset_factory(DeductionForm, extra=2, can_delete=True, max_num=30, absolute_max=31)
IPItemSet = forms.formset_factory(IPItemForm, extra=2, can_delete=True, max_num=30, absolute_max=31)
