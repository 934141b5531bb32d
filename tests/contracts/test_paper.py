"""The certificate: its facts, its text, its code."""

from __future__ import annotations

import io

import pypdf
import pytest
from django.conf import settings as live

from marketplace.contracts import certificates, fonts, paper
from tests.contracts.factories import Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def registration():
    return Scene().recognised(name="高盐废水除氟（中试）研究开发")


def text_of(pdf: bytes) -> tuple[pypdf.PdfReader, str]:
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    return reader, "".join(page.extract_text() for page in reader.pages).replace("\n", "")


def test_the_paper_says_in_extractable_text_what_was_registered(registration):
    reader, text = text_of(paper.draw(registration.certificate))
    for words in (
        registration.registration_number,
        "高盐废水除氟（中试）研究开发",
        "1,200,000.00 元",
        "壹佰贰拾万元整",
        "900,000.00 元",
        registration.office.name,
        registration.certificate.code,
        registration.registered_on.isoformat(),
    ):
        assert words in text, words
    assert reader.metadata.title == f"技术合同认定登记证明 {registration.registration_number}"
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"
    assert len(reader.pages) == 1
    width, height = (float(n) for n in reader.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (595, 842)


def test_the_demo_prints_its_mark_and_the_real_market_none(registration, settings):
    settings.DEMO = True
    assert "演示数据" in text_of(paper.draw(registration.certificate))[1]
    settings.DEMO = False
    assert "演示" not in text_of(paper.draw(registration.certificate))[1]


def test_every_printed_character_has_a_glyph(registration):
    words = "".join(label + value for label, value in certificates.printed(registration.certificate))
    assert fonts.missing_characters(words + registration.certificate.code + live.SITE_URL) == []


def test_long_names_break_within_the_page():
    fonts.font()
    lines = paper.lines_of("某" * 200, 11.5, 300)
    assert len(lines) > 5
    assert "".join(lines) == "某" * 200


def test_the_qr_leads_to_the_check_page(registration):
    code = registration.certificate.code
    assert paper.verify_address(registration.certificate) == f"{live.SITE_URL}/verify/{code}/"


def test_a_later_change_leaves_the_paper_as_it_was(registration):
    before = certificates.printed(registration.certificate)
    registration.office.name = "改名后的登记处"
    registration.office.save()
    registration.certificate.refresh_from_db()
    assert certificates.printed(registration.certificate) == before
    assert certificates.status(registration.certificate) == "valid"


def test_changed_facts_are_noticed(registration):
    certificate = registration.certificate
    certificate.facts["amount_total"] = "9999999.00"
    assert certificates.status(certificate) == "void"


@pytest.mark.parametrize("typed", ["{0}", " {1} ", "{2}"])
def test_a_code_is_found_however_it_is_typed(registration, typed):
    code = registration.certificate.code
    text = typed.format(code, code.lower().replace("-", ""), code.replace("0", "o").replace("1", "l"))
    assert certificates.by_code(text) == registration.certificate


@pytest.mark.parametrize("typed", ["", "123", "AAAA-BBBB-CCCC-DDDD", "UUUU-UUUU-UUUU", "一二三四五六七八九十一二"])
def test_what_cannot_be_a_code_finds_nothing(registration, typed):
    assert certificates.by_code(typed) is None
