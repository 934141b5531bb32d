"""The contract texts of the demo as PDF: short, readable, marked as invented on every page."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from marketplace import money
from marketplace.contracts import fonts

FONT = fonts.NAME
CLAUSES = [
    ("第一条　标的", "{summary}"),
    ("第二条　技术指标", "{novelty}"),
    ("第三条　履行期限", "本合同自 {effective} 起生效，有效期至 {until}。"),
    (
        "第四条　价款与支付",
        "合同总价为人民币{capital}（¥{total}），其中技术交易额 {tech} 元。{deductions}按约定分期支付。",
    ),
    ("第五条　验收", "乙方提交技术成果和报告，由甲方按第二条逐项验收。"),
    ("第六条　成果归属", "乙方原有技术归乙方；履行本合同新产生的成果由双方共有。"),
]


def contract_pdf(contract: Any, name: str = "合同文本.pdf") -> SimpleUploadedFile:
    """One page with parties, clauses and a place for seals, as an upload."""
    fonts.font()
    seller, buyer = contract.lead_seller, contract.lead_buyer
    deductions = sum((d.amount for d in contract.deductions.all()), start=0)
    values = {
        "summary": contract.summary,
        "novelty": contract.novelty_points or "见附件技术协议。",
        "effective": contract.effective_on,
        "until": contract.valid_to,
        "capital": money.capital(contract.amount_total),
        "total": money.yuan(contract.amount_total),
        "tech": money.yuan(contract.amount_tech),
        "deductions": f"设备及材料费 {money.yuan(deductions)} 元单列。" if deductions else "",
    }
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setTitle(contract.project_name)
    y = A4[1] - 30 * mm
    canvas.setFont(FONT, 16)
    canvas.drawCentredString(A4[0] / 2, y, f"{contract.contract_type.name}合同")
    y -= 14 * mm
    heads = [
        f"项目名称：{contract.project_name}",
        f"甲方（买方）：{buyer.name}",
        f"乙方（卖方）：{seller.name}",
        f"签订日期：{contract.signed_on}",
    ]
    lines: list[str] = [*heads, ""]
    for title, text in CLAUSES:
        lines += [title, *_wrap(text.format(**values)), ""]
    lines += ["甲方（盖章）：　　　　　　　　　　　乙方（盖章）：", "", "演示数据：单位、金额、合同内容均为虚构"]
    canvas.setFont(FONT, 10.5)
    for line in lines:
        if y < 20 * mm:
            canvas.showPage()
            canvas.setFont(FONT, 10.5)
            y = A4[1] - 25 * mm
        canvas.drawString(25 * mm, y, line)
        y -= 6.2 * mm
    canvas.save()
    return SimpleUploadedFile(name, out.getvalue(), content_type="application/pdf")


def note_pdf(title: str, text: str, name: str) -> SimpleUploadedFile:
    """A one-page paper: proof of a notice, an expert's opinion."""
    fonts.font()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4)
    canvas.setTitle(title)
    canvas.setFont(FONT, 16)
    canvas.drawCentredString(A4[0] / 2, A4[1] - 30 * mm, title)
    canvas.setFont(FONT, 10.5)
    for n, line in enumerate([*_wrap(text), "", "演示数据：内容为虚构"]):
        canvas.drawString(25 * mm, A4[1] - (45 + n * 6.2) * mm, line)
    canvas.save()
    return SimpleUploadedFile(name, out.getvalue(), content_type="application/pdf")


def _wrap(text: str, width: int = 40) -> list[str]:
    return [text[i : i + width] for i in range(0, len(text), width)] or [""]
