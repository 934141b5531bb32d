"""What one fills in to report a page, and what a moderator answers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Report


class ReportForm(forms.ModelForm):
    about = forms.CharField(
        label=_("涉及编号"), max_length=32, required=False, help_text=_("页面上的编号，例如 CG-2026-7K3QX9。")
    )
    text = forms.CharField(
        label=_("说明"),
        min_length=10,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("哪里不对、应当是什么、依据是什么。至少 10 个字。"),
    )
    contact = forms.CharField(
        label=_("联系方式"),
        max_length=120,
        required=False,
        help_text=_("电话或邮箱，只有处理人员看得到，只用于核实这件事。"),
    )

    class Meta:
        model = Report
        fields = ["about", "kind", "text", "contact"]
        widgets = {"kind": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = Report.KINDS


class AnswerForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)
    answer = forms.CharField(
        label=_("处理结果"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("已登录的举报人会看到这段话。"),
    )
