"""The steps of the registration form as Django forms. Amounts typed in 万元, dates as people write them.

Strict when a person goes on (compulsory fields are asked for beside the field), lenient when he saves and leaves.
What concerns the form as a whole is asked in `rules`, for every page and act alike.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as gl

from cms.models import Industry, TechnologyField
from cms.secrecy import find_mark
from marketplace import money
from marketplace.posting.fields import DayField, NumberField, WanField

from .form_base import SECRET, LenientMixin, codes
from .models import (
    Contract,
    ContractFile,
    ContractType,
    ExpertOpinion,
    IPType,
    PaymentMethod,
    PlanSource,
    SocialObjective,
)
from .steps import NATURES, PLACES, PRICING_MODES

CURRENCIES = [("CNY", gl("人民币")), ("USD", gl("美元")), ("EUR", gl("欧元")), ("JPY", gl("日元")), ("HKD", gl("港元"))]


class StepForm(LenientMixin, forms.Form):
    """A step's plain fields, with the contract's present values as initial ones."""

    def __init__(self, data: Any = None, *, contract: Contract, **kwargs: Any) -> None:
        initial = {name: self.value_of(contract, name) for name in self.base_fields}
        super().__init__(data, initial=initial, **kwargs)
        self.contract = contract
        for field in self.fields.values():
            field.error_messages["required"] = _("请填写%(label)s。") % {"label": field.label}

    @staticmethod
    def value_of(contract: Contract, name: str) -> Any:
        """The contract's value as a form's initial one."""
        value = getattr(contract, name, None)
        return value.pk if hasattr(value, "pk") else value

    def values(self) -> dict[str, Any]:
        """What `services.fill` takes."""
        return {
            name: "" if value is None and self.is_text(name) else value for name, value in self.cleaned_data.items()
        }

    def is_text(self, name: str) -> bool:
        return Contract._meta.get_field(name).get_internal_type() in ("CharField", "TextField")


class BasicsForm(StepForm):
    project_name = forms.CharField(
        label=gl("项目名称"), min_length=2, max_length=200, help_text=gl("与合同上的项目名称一致，写全称")
    )
    contract_type = codes(ContractType, gl("合同类别"))
    licence_mode = forms.ChoiceField(
        label=gl("许可方式"), required=False, choices=[("", gl("不是许可合同")), *Contract.LICENCE_MODES]
    )
    signed_on = DayField(label=gl("合同签订日期"), required=True, help_text=gl("写成 2026-12-31"))
    natures = forms.MultipleChoiceField(
        label=gl("合同性质"),
        choices=NATURES,
        widget=forms.CheckboxSelectMultiple,
        help_text=gl("可多选；计划内、关联交易、大额合同由系统按登记表判断"),
    )
    confidential = forms.ChoiceField(
        label=gl("合同是否涉及国家秘密"),
        choices=[("no", gl("不涉密")), ("yes", gl("涉密"))],
        widget=forms.RadioSelect,
        help_text=gl("涉密合同不得在网上填写，请到登记机构当面办理"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = {}
        for row in ContractType.objects.filter(is_active=True):
            groups.setdefault(row.group5, []).append((row.code, row.label))
        self.fields["contract_type"].choices = [("", _("请选择")), *groups.items()]
        self.initial["confidential"] = "no" if self.contract.signed_on else None

    def clean_confidential(self) -> str:
        answer = self.cleaned_data["confidential"]
        if answer == "yes":
            raise ValidationError(SECRET, code="secret")
        return answer

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        kind = data.get("contract_type")
        licence = kind is not None and kind.code.startswith("TL")
        self.ask("licence_mode", licence, _("许可合同请选择许可方式。"))
        if kind is not None and not licence:
            data["licence_mode"] = ""
        chosen = set(data.get("natures") or ())
        if chosen and not chosen & PLACES and not self.lenient:
            self.add_error("natures", _("请再选一项：境内、技术进口、技术出口或港澳台。"))
        return data

    def values(self) -> dict[str, Any]:
        self.cleaned_data.pop("confidential", None)
        return super().values()


class SubjectForm(StepForm):
    technology_field = codes(TechnologyField, gl("技术领域"))
    social_objective = codes(SocialObjective, gl("社会—经济目标"))
    served_industry = codes(Industry, gl("技术服务的国民经济行业"), help_text=gl("合同的技术用在哪个行业，选到大类"))
    summary = forms.CharField(
        label=gl("技术内容摘要"),
        min_length=20,
        max_length=2000,
        widget=forms.Textarea,
        help_text=gl("20 到 2000 字：做什么、用什么方法、达到什么指标。登记人员凭它判断是不是技术合同"),
    )
    novelty_points = forms.CharField(
        label=gl("创新点、技术指标"),
        required=False,
        max_length=2000,
        widget=forms.Textarea,
        help_text=gl("技术开发合同必填"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = list(TechnologyField.objects.filter(is_active=True))
        names = {row.code: str(row) for row in rows if len(row.code) == 2}
        groups: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            if len(row.code) == 4:
                groups.setdefault(f"{row.code[:2]} {names.get(row.code[:2], '')}", []).append((row.code, row.label))
        self.fields["technology_field"].choices = [("", _("请选择")), *groups.items()]
        self.fields["served_industry"].queryset = Industry.objects.filter(is_active=True, code__regex=r"^\d{2}$")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        develops = (self.contract.contract_type_id or "").startswith("TD")
        self.ask("novelty_points", develops, _("技术开发合同请写明创新点或技术指标。"))
        return data


class AmountsForm(StepForm):
    amount_total = WanField(label=gl("合同成交总额"), required=True, help_text=gl("合同约定的全部价款，填万元数"))
    amount_tech = WanField(
        label=gl("技术交易额"),
        required=True,
        help_text=gl("总额减去设备、仪器、材料等非技术性费用；交付样机的合理费用不扣"),
    )
    is_amount_uncertain = forms.BooleanField(
        label=gl("含提成或其他待定金额"), required=False, help_text=gl("先按入门费和保底额登记，确定后补充")
    )
    currency = forms.ChoiceField(label=gl("合同币种"), choices=CURRENCIES)
    exchange_rate = NumberField(
        label=gl("折算汇率"), required=False, max_digits=12, decimal_places=6, help_text=gl("人民币以外的合同填写")
    )
    exchange_rate_on = DayField(label=gl("汇率日期"), help_text=gl("签订日的人民银行中间价"))
    is_related = forms.BooleanField(label=gl("关联交易"), required=False, help_text=gl("双方有控股、参股等关联关系"))
    related_note = forms.CharField(
        label=gl("关联关系说明"), required=False, max_length=200, help_text=gl("关联交易必填：谁持有谁多少股份")
    )
    expected_new_input = WanField(label=gl("预计新增投入"), help_text=gl("转让、许可合同请填写"))
    expected_new_output = WanField(label=gl("预计新增产值"), help_text=gl("转让、许可合同请填写"))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        total, tech = data.get("amount_total"), data.get("amount_tech")
        if total is not None and total <= 0:
            self.add_error("amount_total", _("合同成交总额应大于 0。"))
        if tech is not None and tech <= 0:
            self.add_error("amount_tech", _("技术交易额应大于 0。"))
        elif total is not None and tech is not None and tech > total:
            self.add_error(
                "amount_tech",
                _("技术交易额 %(tech)s 超过了成交总额 %(total)s，请核对。")
                % {"tech": money.auto(tech), "total": money.auto(total)},
            )
        for name in ("expected_new_input", "expected_new_output"):
            if data.get(name) == 0:
                data[name] = None
        foreign = data.get("currency") not in (None, "", "CNY")
        self.ask("exchange_rate", foreign, _("外币合同请填写折算汇率。"))
        self.ask("exchange_rate_on", foreign, _("外币合同请填写汇率日期。"))
        self.ask("related_note", bool(data.get("is_related")), _("关联交易请说明关联关系和持股比例。"))
        return data

    def offers(self) -> dict[str, dict[str, str]]:
        """For each amount that was likely typed in 元: the button that repairs it."""
        found = {}
        for name, errors in self.errors.as_data().items():
            for error in errors:
                if error.code == "unit" and error.params:
                    meant = str(error.params["meant"])
                    value = meant.removesuffix("万元").strip()
                    found[name] = {"name": f"repair-{name}", "value": value, "label": _("改为 %(v)s") % {"v": meant}}
        return found


class PaymentForm(StepForm):
    payment_method = codes(PaymentMethod, gl("支付方式"))
    effective_on = DayField(label=gl("生效日期"), required=True)
    valid_from = DayField(label=gl("有效期自"), required=True)
    valid_to = DayField(label=gl("有效期至"), required=True, help_text=gl("有效期内才能申请登记"))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        start, end = data.get("valid_from"), data.get("valid_to")
        if start and end and end < start:
            self.add_error("valid_to", _("有效期的止日 %(b)s 早于起日 %(a)s。") % {"a": start, "b": end})
        signed, effective = self.contract.signed_on, data.get("effective_on")
        if signed and effective and effective < signed:
            self.add_error("effective_on", _("生效日期早于签订日期 %(day)s。") % {"day": signed})
        return data


class RightsForm(StepForm):
    ip_type = codes(IPType, gl("知识产权"), help_text=gl("合同涉及的知识产权种类"))
    plan_source = codes(PlanSource, gl("项目计划来源"), help_text=gl("不属于政府计划的选“计划外”"))
    plan_project_number = forms.CharField(
        label=gl("计划项目编号"), required=False, max_length=60, help_text=gl("计划内项目必填")
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        plan = data.get("plan_source")
        self.ask("plan_project_number", plan is not None and plan.code != "9", _("计划内项目请填写计划项目编号。"))
        return data


class PricingForm(StepForm):
    seller_is_state_institution = forms.BooleanField(label=gl("卖方是国家设立的研究开发机构或高等院校"), required=False)
    pricing_mode = forms.ChoiceField(label=gl("定价方式"), required=False, choices=[("", gl("请选择")), *PRICING_MODES])
    notice_starts_on = DayField(label=gl("公示开始"), help_text=gl("协议定价的，应在本单位公示成果名称和拟交易价格"))
    notice_ends_on = DayField(label=gl("公示结束"), help_text=gl("不少于 15 日，公示当日不计"))
    notice_channel = forms.CharField(label=gl("公示渠道"), required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        kind = (self.contract.contract_type_id or "")[:2]
        needed = bool(data.get("seller_is_state_institution")) and kind in ("TT", "TL")
        self.ask("pricing_mode", needed, _("国家设立的机构转让或许可成果，请填写定价方式。"))
        start, end = data.get("notice_starts_on"), data.get("notice_ends_on")
        if start and end and end < start:
            self.add_error("notice_ends_on", _("公示结束早于公示开始。"))
        return data


class DeclarationForm(StepForm):
    filler = forms.CharField(label=gl("填报人"), max_length=50)
    responsible = forms.CharField(label=gl("负责人"), max_length=50)
    is_declared_signed = forms.BooleanField(
        label=gl("本单位声明：所附合同文本已由双方签字盖章，与原件一致，登记表内容属实")
    )
    consents_to_name = forms.BooleanField(
        label=gl("同意在登记公开中显示项目名称和双方名称"),
        required=False,
        help_text=gl("不同意的，外部只看到编号、类别、领域、地区和日期"),
    )
    consents_to_amount = forms.BooleanField(
        label=gl("同意在登记公开中显示金额"), required=False, help_text=gl("不同意的显示“未公开”；合计数字仍会统计")
    )


class FileForm(forms.Form):
    kind = forms.ChoiceField(
        label=gl("种类"), choices=[choice for choice in ContractFile.KINDS if choice[0] != "expert"], initial="contract"
    )
    file = forms.FileField(
        label=gl("选择文件"),
        help_text=gl("合同文本须为 PDF；其他材料可为 PDF、JPG、PNG、DOCX。每个文件不超过 20 MB"),
        allow_empty_file=True,
    )


class NewContractForm(forms.Form):
    """The first question of a form that is filled by hand."""

    project_name = forms.CharField(
        label=gl("项目名称"), min_length=2, max_length=200, help_text=gl("与合同上的项目名称一致，写全称")
    )
    confidential = forms.ChoiceField(
        label=gl("合同是否涉及国家秘密"),
        choices=[("no", gl("不涉密")), ("yes", gl("涉密"))],
        widget=forms.RadioSelect,
        help_text=gl("涉密合同不得在网上填写，请到登记机构当面办理"),
    )

    def clean_project_name(self) -> str:
        if find_mark([self.cleaned_data["project_name"]]):
            raise ValidationError(SECRET, code="secret")
        return self.cleaned_data["project_name"]

    def clean_confidential(self) -> str:
        if self.cleaned_data["confidential"] == "yes":
            raise ValidationError(SECRET, code="secret")
        return self.cleaned_data["confidential"]


class OpinionForm(forms.Form):
    """What an expert found, entered by an officer."""

    expert_name = forms.CharField(label=gl("专家姓名"), max_length=50)
    expert_title = forms.CharField(label=gl("职称、单位"), max_length=120)
    conclusion = forms.ChoiceField(label=gl("结论"), choices=[])
    opinion = forms.CharField(label=gl("意见"), max_length=3000, widget=forms.Textarea)
    given_on = DayField(label=gl("评议日期"), required=True)
    file = forms.FileField(label=gl("意见书"), help_text=gl("专家签字的意见书，PDF 或图片"), allow_empty_file=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["conclusion"].choices = [("", _("请选择")), *ExpertOpinion.CONCLUSIONS]
        for field in self.fields.values():
            field.error_messages["required"] = _("请填写%(label)s。") % {"label": field.label}


FORMS: dict[str, type[StepForm]] = {
    "basics": BasicsForm,
    "subject": SubjectForm,
    "amounts": AmountsForm,
    "payment": PaymentForm,
    "rights": RightsForm,
    "pricing": PricingForm,
    "declaration": DeclarationForm,
}
