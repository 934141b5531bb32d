"""Forms of people and organisations."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.identifiers import check_credit_code
from marketplace import files

from .models import Organization
from .names import check_organization_name, tidy
from .regions import RegionFields
from .verification import EVIDENCE_KINDS, EVIDENCE_LIMIT

FULL_NAME = gettext_lazy("与营业执照、事业单位法人证书或登记证书一致的全称")
CODE_HINT = gettext_lazy("证照上的 18 位代码，全角数字也可以，系统会逐位核对")


class SignupDetails(forms.Form):
    """What allauth's sign-up asks besides e-mail and password."""

    name = forms.CharField(
        label=gettext_lazy("姓名"),
        max_length=50,
        help_text=gettext_lazy("会显示在您办理的每一步记录里"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    consent = forms.BooleanField(
        label=gettext_lazy("我已阅读并同意服务协议和个人信息处理告知"),
        error_messages={"required": gettext_lazy("请先阅读服务协议和个人信息处理告知，同意后才能注册。")},
    )

    field_order = ["name", "email", "password1", "password2", "consent"]

    def clean_name(self) -> str:
        return _person_name(self.cleaned_data["name"])

    def signup(self, request: HttpRequest, user: Any) -> None:
        """Called by allauth once the user row exists: the name, and a consent row for each text in force."""
        from . import services

        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        services.consent(user=user)


def _person_name(text: str) -> str:
    name = tidy(text)
    if not name or not any(c.isalpha() for c in name):
        raise ValidationError(_("请填写真实姓名。"))
    return name


class ProfileForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("姓名"), max_length=50)
    phone = forms.CharField(
        label=gettext_lazy("电话"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("只在您发布的条目和对接申请里、向登录用户显示"),
    )

    def clean_name(self) -> str:
        return _person_name(self.cleaned_data["name"])


class CloseForm(forms.Form):
    """Ends the account: the word must be typed, a slip of the mouse is not enough."""

    WORD = gettext_lazy("停用")

    word = forms.CharField(label=gettext_lazy("请输入“停用”两个字"), max_length=10)

    def clean_word(self) -> str:
        if self.cleaned_data["word"].strip() != str(self.WORD):
            raise ValidationError(
                _("您填的是“%(text)s”，要停用账户请输入“停用”。") % {"text": self.cleaned_data["word"]}
            )
        return str(self.WORD)


class FoundForm(RegionFields):
    """A new organisation. Whether name and code are free is asked by the service, in the same transaction."""

    name = forms.CharField(label=gettext_lazy("单位全称"), max_length=120, help_text=FULL_NAME)
    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=Organization.KINDS, widget=forms.RadioSelect)
    credit_code = forms.CharField(label=gettext_lazy("统一社会信用代码"), max_length=60, help_text=CODE_HINT)
    is_state_institution = forms.BooleanField(
        label=gettext_lazy("国家设立的研究开发机构或高等院校"),
        required=False,
        help_text=gettext_lazy("转让职务成果时适用协议定价、挂牌和公示的规定"),
    )
    short_name = forms.CharField(label=gettext_lazy("简称"), max_length=40, required=False)
    address = forms.CharField(label=gettext_lazy("地址"), max_length=200, required=False)

    field_order = ["name", "kind", "credit_code", "province", "city", "county"]

    def clean_name(self) -> str:
        return check_organization_name(self.cleaned_data["name"])

    def clean_credit_code(self) -> str:
        return check_credit_code(self.cleaned_data["credit_code"]).value


class OrganizationForm(forms.Form):
    """What a head may change without staff."""

    short_name = forms.CharField(label=gettext_lazy("简称"), max_length=40, required=False)
    address = forms.CharField(label=gettext_lazy("地址"), max_length=200, required=False)
    introduction = forms.CharField(
        label=gettext_lazy("简介"),
        max_length=3000,
        required=False,
        help_text=gettext_lazy("做什么、有什么条件、做过什么，3000 字以内；显示在单位页"),
        widget=forms.Textarea(attrs={"rows": 8}),
    )


class RenameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("新名称"), max_length=120, help_text=FULL_NAME)
    from_on = forms.DateField(
        label=gettext_lazy("更名日期"),
        required=False,
        help_text=gettext_lazy("证照上的变更日期，写成 2026-03-01；不填按今天"),
    )

    def clean_name(self) -> str:
        return check_organization_name(self.cleaned_data["name"])


class FindForm(forms.Form):
    """Look for the organisation to join, by what only its people know exactly."""

    q = forms.CharField(
        label=gettext_lazy("单位全称、统一社会信用代码或编号"),
        max_length=120,
        help_text=gettext_lazy("要写全称；编号形如 DW-2026-7K3QX9"),
    )


class JoinForm(forms.Form):
    message = forms.CharField(
        label=gettext_lazy("申请说明"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("部门、职务，方便负责人确认您是谁"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class VerificationForm(RegionFields):
    """Who the organisation is, with the document that shows it. `has_document` on a returned request: a new file is
    then optional, the old one stays."""

    credit_code = forms.CharField(label=gettext_lazy("统一社会信用代码"), max_length=60, help_text=CODE_HINT)
    legal_representative = forms.CharField(label=gettext_lazy("法定代表人或负责人"), max_length=50)
    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=Organization.KINDS, widget=forms.RadioSelect)
    is_state_institution = forms.BooleanField(label=gettext_lazy("国家设立的研究开发机构或高等院校"), required=False)
    evidence = forms.FileField(
        label=gettext_lazy("证明材料"),
        help_text=gettext_lazy("加盖公章的营业执照或法人证书，PDF、JPG 或 PNG，不超过 10 MB；只有核实人员能看到"),
    )
    note = forms.CharField(
        label=gettext_lazy("说明"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    field_order = ["credit_code", "legal_representative", "kind", "is_state_institution", "province", "city", "county"]

    def __init__(self, *args: Any, has_document: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_document:
            self.fields["evidence"].required = False

    def clean_credit_code(self) -> str:
        return check_credit_code(self.cleaned_data["credit_code"]).value

    def clean_evidence(self) -> Any:
        upload = self.cleaned_data.get("evidence")
        if upload:
            files.check(upload, allowed=EVIDENCE_KINDS, limit=EVIDENCE_LIMIT)
        return upload


class DecisionForm(forms.Form):
    """What staff says to a request; a return needs its reason."""

    note = forms.CharField(
        label=gettext_lazy("核实意见或退回理由"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("退回时必填，写清哪一项与证明材料不符、应怎样更正；申请人会看到"),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    act = forms.ChoiceField(choices=[("verify", ""), ("return", "")], widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("act") == "return" and not (data.get("note") or "").strip():
            self.add_error("note", _("请写明退回的理由，申请人要据此更正。"))
        return data
