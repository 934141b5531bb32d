"""What people of the market do, each act through the pages: found, post, approve, inquire, offer, fill in, review.

A test tells its story with these; amounts are typed in 万元, as on the screen."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from cms.identifiers import make_credit_code
from marketplace.accounts.models import User
from tests.factories import OfficeFactory, OfficerFactory, UserFactory

from .people import Page, Person

PARTY = {
    "nature": "150",
    "industry": "26",
    "scale": "none",
    "legal_representative": "萧测试",
    "contact_name": "联系人",
    "contact_phone": "0477-0000003",
    "address": "测试路 1 号",
}
NUMBER = re.compile(r"\b(?:CG|XQ|ZJ|XM|DW|DJ|HT|ZC)-\d{4}-[0-9A-Z]{6}\b")


def number_in(text: str, kind: str) -> str:
    """The first number of a kind (XQ, CG, DW, …) in a text or an address."""
    return next(found for found in NUMBER.findall(text) if found.startswith(kind))


def document(name: str, text: str = "") -> SimpleUploadedFile:
    """A small PDF with words of its own, drawn as a real one is."""
    from io import BytesIO

    from reportlab.pdfgen.canvas import Canvas

    out = BytesIO()
    canvas = Canvas(out, invariant=1)
    canvas.drawString(72, 720, text or name)
    canvas.save()
    return SimpleUploadedFile(name, out.getvalue(), content_type="application/pdf")


def in_days(days: int) -> str:
    return (timezone.localdate() + dt.timedelta(days=days)).isoformat()


class Member(Person):
    """A person of an organisation."""

    organization = ""

    def founds(self, name: str, *, region: str, serial: str, kind: str = "company", state: bool = False) -> str:
        """Enter the organisation and ask staff to verify it; its number."""
        page = self.opens("/accounts/organizations/new/")
        page = self._in_region(page, region)
        code = make_credit_code(region, serial)
        values = {"name": name, "kind": kind, "credit_code": code, "county": region}
        page = self.presses(page, "建立单位", values | ({"is_state_institution": "on"} if state else {}))
        assert "/verify/" in page.address, page.address
        self.organization = name
        values = {"credit_code": code, "legal_representative": "萧测试", "kind": kind}
        values |= {"evidence": document("营业执照.pdf", name)} | ({"is_state_institution": "on"} if state else {})
        self.presses(page, "提交核实申请", values).says("核实")
        return number_in(page.address, "DW")

    def claims(self, name: str, *, region: str, serial: str, kind: str) -> None:
        """Find an organisation that an import made and ask to be its head (认领)."""
        page = self.presses(self.opens("/accounts/organizations/join/"), "查找单位", {"q": name})
        page = self.opens(page.link("认领这个单位"))
        page = self._in_region(page, region)
        values = {"credit_code": make_credit_code(region, serial), "legal_representative": "萧测试", "kind": kind}
        values |= {"evidence": document("证书.pdf", serial), "county": ""}
        self.presses(page, "提交认领申请", values).says("申请已提交", name)
        self.organization = name

    def _in_region(self, page: Page, region: str) -> Page:
        """The selects below are filled by the server, so the page is asked for them first."""
        province, city = region[:2] + "0000", region[:4] + "00"
        if province != "150000":
            page = self.presses(page, "列出下属市、盟", {"province": province}, ok=False)
        page = self.presses(page, "列出下属旗、县、区", {"province": province, "city": city}, ok=False)
        return page

    def posts(self, kind: str, **values: Any) -> str:
        """Write a demand or an achievement and submit it; its number."""
        page = self.opens(f"/{kind}s/new/")
        page = self.presses(page, "提交审核", values)
        page.says("审核中")
        return number_in(page.address, {"demand": "XQ", "achievement": "CG"}[kind])

    def edits(self, number: str, **values: Any) -> None:
        """Change a listing and submit it again; what is public stays until that is approved."""
        page = self.opens(f"/desk/listings/{number}/edit/")
        self.presses(page, "提交审核", values).says("审核中")

    def inquires(self, about: str, *, own: str, message: str) -> str:
        """申请对接 from the match page of one's own listing; the inquiry's address."""
        kind = {"XQ": "demand", "CG": "achievement"}[own[:2]]
        matches = self.opens(f"/{kind}s/{own}/matches/")
        page = self.opens(matches.link(f"/deals/inquire/{about}/"))
        page.says("什么时候提供什么")
        values = {"own": own, "message": message, "shares": ["contact_name", "phone", "email", "body"]}
        return self.presses(page, "送出申请", values).address

    def accepts(self, inquiry: str) -> str:
        """Accept an inquiry; the deal's number."""
        page = self.presses(self.opens(inquiry), "接受对接", {"shares": ["contact_name", "phone"]})
        return number_in(page.address, "DJ")

    def offers(self, deal: str, **values: Any) -> None:
        page = self.presses(self.opens(f"/deals/{deal}/"), "送出报价", values)
        page.says("等待", "答复")

    def accepts_offer(self, deal: str) -> None:
        self.presses(self.opens(f"/deals/{deal}/"), "接受报价").says("已接受的报价")

    def drafts(self, deal: str) -> str:
        """Begin the registration form from an agreed deal; the contract's number."""
        page = self.opens(self.opens(f"/deals/{deal}/").link("起草技术合同"))
        page = self.presses(page, "带入这些内容，开始填写")
        return number_in(page.address, "HT")

    def fills_step(self, contract: str, step: str, **values: Any) -> Page:
        page = self.opens(f"/contracts/{contract}/{step}/")
        return self.presses(page, "保存并继续", values)

    def attaches(self, contract: str, file: SimpleUploadedFile, kind: str = "contract") -> None:
        page = self.opens(f"/contracts/{contract}/files/")
        self.presses(page, "上传", {"kind": kind, "file": file}).says(str(file.name))

    def completes(
        self, contract: str, *, technology_field: str, summary: str, novelty_points: str, deduction: str = ""
    ) -> None:
        """The steps of a development contract's form that its deal did not answer; parties and amounts came with it.
        `deduction`: what of the price is equipment, in 万元."""
        self.fills_step(contract, "basics", signed_on=in_days(-3), natures=["domestic"], confidential="no")
        for side in ("seller", "buyer"):
            self.fills_step(contract, side, **{f"row-0-{name}": value for name, value in PARTY.items()})
        self.fills_step(
            contract,
            "subject",
            technology_field=technology_field,
            social_objective="01",
            served_industry="26",
            summary=summary,
            novelty_points=novelty_points,
        )
        if deduction:
            line = {"row-0-kind": "D1", "row-0-amount": deduction, "row-0-clause": "附件二"}
            self.fills_step(contract, "amounts", **line)
        days = {"effective_on": in_days(-3), "valid_from": in_days(-3), "valid_to": in_days(365)}
        self.fills_step(contract, "payment", payment_method="P2", **days)
        self.fills_step(contract, "rights", ip_type="K1", plan_source="9")
        self.attaches(contract, document("技术开发合同.pdf", "contract of " + contract))
        self.fills_step(contract, "declaration", filler=self.name, responsible="萧测试", is_declared_signed="on")

    def hands_in(self, contract: str) -> str:
        """核对提交; the receipt's number."""
        page = self.presses(self.opens(f"/contracts/{contract}/check/"), "提交登记")
        return number_in(page.text, "ZC")


class Moderator(Person):
    """Verifies organisations and approves what members post."""

    def verifies(self, name: str) -> None:
        page = self.opens(self.opens("/accounts/verifications/").link(name))
        page.says(name, "萧测试")
        self.presses(page, "核实通过", {"note": "与证照一致"})

    def approves(self, number: str) -> None:
        """In the moderation page of the back office."""
        queue = self.opens("/admin/moderation/")
        row = next(tr for tr in queue.soup.select("tr") if number in tr.text)
        page = self.opens(row.select_one("a[href]")["href"])
        self.presses(page, "通过并公开")

    def returns(self, number: str, reason: str) -> None:
        queue = self.opens("/admin/moderation/")
        row = next(tr for tr in queue.soup.select("tr") if number in tr.text)
        page = self.opens(row.select_one("a[href]")["href"])
        self.presses(page, "退回修改", {"note": reason})


class Registrar(Person):
    """An officer of an office."""

    def accepts(self, receipt: str) -> None:
        queue = self.opens("/registrar/?state=submitted")
        self.presses(self.opens(queue.link(f"/registrar/{receipt}/")), "受理").says("初审")

    def passes(self, receipt: str, answer: str = "已与合同文本逐条核对。") -> None:
        """Mark every item as passed, keep that, send on to second review."""
        page = self.opens(f"/registrar/{receipt}/")
        form, _button = page.form("保存进度")
        marks = {name: "pass" for name in form.values if name.startswith("verdict-")}
        assert len(marks) >= 10, marks
        doubts = {"warning_answer": answer} if "warning_answer" in form.values else {}
        page = self.presses(page, "保存进度", {**marks, **doubts})
        self.presses(page, "通过初审，送复审").says("复审")

    def recognises(self, receipt: str) -> str:
        """Second review; the registration number."""
        page = self.presses(self.opens(f"/registrar/{receipt}/"), "认定登记")
        found = re.search(r"编号 (\d{10,20}|[0-9A-Z-]{10,32})", page.text)
        assert found, page.text[:3000]
        return found.group(1)


class Administrator(Person):
    """Sets up offices in the back office."""

    def opens_office(self, name: str, *, region: str, prefix: str, officers: dict[str, str]) -> None:
        """An office for an area; `officers`: address → which review, first_review or second_review."""
        page = self._adds("office", name=name, region=region, point="01")
        # What the chooser's window would put in: it needs a script.
        office = re.search(r"/office/edit/(\d+)/", page.link(name))
        assert office, page.said
        self._adds("officeterritory", office=office.group(1), prefix=prefix)
        for email, review in officers.items():
            other = "second_review" if review == "first_review" else "first_review"
            self._adds("officer", email=email, office=office.group(1), **{review: "on", other: []})

    def _adds(self, model: str, **values: Any) -> Page:
        page = self.opens(f"/admin/snippets/contracts/{model}/add/")
        return self.presses(page, "保存", values).says("已创建")


class City:
    """A market with its staff and an office; people come by signing up."""

    def __init__(self) -> None:
        self.moderator = self.staff(Moderator, "莫言审", moderator=True)
        self.count = 0

    def staff(self, role: type[Any], name: str, **traits: Any) -> Any:
        """Somebody whom an administrator made, signed in through the page."""
        user = UserFactory(name=name, **traits)
        return self.signed_in(role, user)

    @staticmethod
    def signed_in(role: type[Any], user: User) -> Any:
        user.emailaddress_set.get_or_create(email=user.email, defaults={"verified": True, "primary": True})
        person = role(user.name, user.email)
        person.signs_in()
        return person

    def office(self, territory: str = "1506") -> tuple[Registrar, Registrar]:
        """An office with an officer for each review."""
        office = OfficeFactory(territory=territory)
        first, second = OfficerFactory(office=office), OfficerFactory(office=office, second=True)
        return self.signed_in(Registrar, first.user), self.signed_in(Registrar, second.user)

    def newcomer(self, name: str) -> Member:
        """Somebody signs up."""
        self.count += 1
        person = Member(name, f"newcomer{self.count}@example.org")
        person.signs_up()
        return person

    @staticmethod
    def settles() -> None:
        """What the site's threads do within seconds: index what changed, keep the matches."""
        from marketplace.deals import services
        from marketplace.deals.models import MatchDue
        from search import changes

        changes.sweep()
        for _round in range(20):
            services.work_off_due(seconds=60)
            if not MatchDue.objects.exists():
                return
            changes.sweep()
        raise AssertionError("matches stay due")
