"""The certificate drawn on A4 (ReportLab): embedded Chinese font, text that can be extracted, QR and typed code."""

from __future__ import annotations

import io
from typing import Any

import segno
from django.conf import settings
from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from . import fonts
from .certificates import printed
from .models import Certificate

WIDTH, HEIGHT = A4
MARGIN = 20 * mm
LABEL_WIDTH = 38 * mm
INK, QUIET, LINE, MARK = HexColor("#1a1d21"), HexColor("#60666f"), HexColor("#b5b1a6"), HexColor("#ece7da")


def verify_address(certificate: Certificate) -> str:
    """The address in the QR: where anyone can check the paper."""
    return f"{settings.SITE_URL}/verify/{certificate.code}/"


def lines_of(text: str, size: float, width: float) -> list[str]:
    """A text broken into lines of at most `width` points; Chinese breaks between any two characters."""
    lines, line = [], ""
    for character in text:
        if line and stringWidth(line + character, fonts.NAME, size) > width:
            lines.append(line)
            line = character.lstrip()
        else:
            line += character
    return [*lines, line] if line or not lines else lines


def draw(certificate: Certificate) -> bytes:
    """The certificate as PDF. Drawn from the kept facts; a demo market prints 演示数据 across it."""
    fonts.font()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, lang="zh-CN", pageCompression=1)
    canvas.setTitle(_("技术合同认定登记证明 %(n)s") % {"n": certificate.facts["number"]})
    canvas.setAuthor(certificate.facts["office"])
    canvas.setSubject(certificate.facts["project_name"])
    if settings.DEMO:
        _watermark(canvas)
    _head(canvas, certificate)
    bottom = _rows(canvas, printed(certificate), HEIGHT - 72 * mm)
    _foot(canvas, certificate, bottom)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _text(canvas: Canvas, x: float, y: float, text: str, size: float, colour: Any = INK) -> None:
    canvas.setFont(fonts.NAME, size)
    canvas.setFillColor(colour)
    canvas.drawString(x, y, text)


def _watermark(canvas: Canvas) -> None:
    canvas.saveState()
    canvas.setFillColor(MARK)
    canvas.translate(WIDTH / 2, HEIGHT / 2)
    canvas.rotate(38)
    canvas.setFont(fonts.NAME, 64)
    canvas.drawCentredString(0, -10, _("演示数据　样本"))
    canvas.restoreState()


def _head(canvas: Canvas, certificate: Certificate) -> None:
    canvas.setFillColor(INK)
    canvas.setFont(fonts.NAME, 24)
    canvas.drawCentredString(WIDTH / 2, HEIGHT - 40 * mm, _("技术合同认定登记证明"))
    canvas.setStrokeColor(INK)
    canvas.setLineWidth(1.6)
    canvas.line(MARGIN, HEIGHT - 48 * mm, WIDTH - MARGIN, HEIGHT - 48 * mm)
    said = _("依据《技术合同认定登记管理办法》，下列合同已由本机构认定为技术合同并予以登记。")
    _text(canvas, MARGIN, HEIGHT - 58 * mm, said, 10.5)


def _rows(canvas: Canvas, rows: list[tuple[str, str]], y: float) -> float:
    """The table of facts; returns the height where it ends."""
    size, leading, room = 11.5, 17.0, WIDTH - 2 * MARGIN - LABEL_WIDTH
    canvas.setLineWidth(0.5)
    for label, text in rows:
        lines = lines_of(text, size, room)
        _text(canvas, MARGIN, y, label, 10.5, QUIET)
        for line in lines:
            _text(canvas, MARGIN + LABEL_WIDTH, y, line, size)
            y -= leading
        canvas.setStrokeColor(LINE)
        canvas.line(MARGIN, y + leading - 6, WIDTH - MARGIN, y + leading - 6)
        y -= 5
    return y


def _foot(canvas: Canvas, certificate: Certificate, y: float) -> None:
    side, top = 30 * mm, min(y, 92 * mm)
    _qr(canvas, verify_address(certificate), MARGIN, top - side, side)
    x = MARGIN + side + 8 * mm
    _text(canvas, x, top - 6 * mm, _("查验码"), 10.5, QUIET)
    _text(canvas, x, top - 13 * mm, certificate.code, 16)
    _text(canvas, x, top - 20 * mm, _("扫码或在查验页输入查验码，核对本证明所载内容："), 9, QUIET)
    _text(canvas, x, top - 25 * mm, f"{settings.SITE_URL}/verify/", 9, QUIET)
    right = WIDTH - MARGIN
    canvas.setFont(fonts.NAME, 11.5)
    canvas.setFillColor(INK)
    canvas.drawRightString(right, 38 * mm, _("登记机构（章）：%(o)s") % {"o": certificate.facts["office"]})
    canvas.drawRightString(right, 31 * mm, certificate.facts["registered_on"])
    _text(canvas, MARGIN, MARGIN, _("本证明由系统依登记记录打印。是否有效以查验页当时显示为准。"), 8.5, QUIET)


def _qr(canvas: Canvas, address: str, x: float, y: float, side: float) -> None:
    """The QR as filled squares: sharp at any size and printed in grey as well."""
    rows = [list(row) for row in segno.make_qr(address, error="m").matrix]
    cell = side / len(rows)
    canvas.setFillColor(INK)
    for r, row in enumerate(rows):
        for c, dark in enumerate(row):
            if dark:
                # A hair of overlap keeps viewers from drawing white seams.
                canvas.rect(x + c * cell, y + side - (r + 1) * cell, cell + 0.05, cell + 0.05, stroke=0, fill=1)
