"""What a rule found: one sentence for people, where in the form it belongs, and which rule says so."""

from __future__ import annotations

from dataclasses import dataclass

from ..steps import STEP_OF

ERROR, WARNING, NOTE = "error", "warning", "note"

# Sources, named once. The final text of the 2026 Measures was not available: its draft is cited as such.
DRAFT_11 = "《技术合同认定登记管理办法》征求意见稿第 11 条"
DRAFT_12 = "《技术合同认定登记管理办法》征求意见稿第 12 条"
DRAFT_14 = "《技术合同认定登记管理办法》征求意见稿第 14 条"
ANNEX_39 = "《技术合同认定登记规则》征求意见稿第 39 条"
RULES_2001_52 = "《技术合同认定规则》（国科发政字〔2001〕253号）第 52 条"
FORM_GUIDE = "《技术合同登记表》填写说明"
CIVIL_CODE = "《民法典》第三编第二十章"
NOTICE_RULE = "《促进科技成果转化法》第 18 条；国发〔2016〕16号"
OURS = "本站规则"


@dataclass(frozen=True)
class Finding:
    """One fault (error: cannot be submitted), doubt (warning: the registrar must answer it) or remark (note).

    code: unchanging, English · field: name in the form, or "" · group: the rule check that it belongs to
    (`rules.checks`).
    """

    code: str
    field: str
    severity: str
    message: str
    source: str
    group: str

    @property
    def step(self) -> str:
        """The step of the form where it can be mended."""
        return STEP_OF.get(self.field, "check")

    @property
    def is_error(self) -> bool:
        return self.severity == ERROR

    @property
    def is_warning(self) -> bool:
        return self.severity == WARNING
