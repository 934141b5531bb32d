"""People of a journey, each with a client of his own: they open pages, find the form behind a button, fill its fields
as they stand in the page and press. Nothing is posted that the page did not offer, so a form that lost a field, a
choice or its token ends the journey."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bs4 import BeautifulSoup, Tag
from django.core import mail
from django.test import Client
from django.test.client import MULTIPART_CONTENT

PASSWORD = "correct-horse-battery"
BUTTONS = ("submit", "")


class NotOffered(AssertionError):
    """The page has no such button, field or choice."""


def words(tag: Tag) -> str:
    """The text of a tag as a reader sees it, in one line, without the joints that only lines break at."""
    return re.sub(r"\s+", " ", tag.get_text(" ", strip=True).replace("\u2060", ""))


@dataclass
class Form:
    """A form of a page with what a browser would post: names to lists of values."""

    tag: Tag
    address: str
    values: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for control in self._controls():
            name, kind = control["name"], control.get("type", "")
            if control.name == "button" or kind in ("submit", "file", "image", "reset"):
                continue
            self.values.setdefault(name, [])
            if control.name == "select":
                chosen = control.select("option[selected]") or control.select("option")[:1]
                self.values[name] += [str(option.get("value", option.text)) for option in chosen]
            elif control.name == "textarea":
                self.values[name].append(control.text)
            elif kind in ("checkbox", "radio"):
                if control.has_attr("checked"):
                    self.values[name].append(control.get("value", "on"))
            else:
                self.values[name].append(control.get("value", ""))

    def _controls(self) -> list[Tag]:
        """Every control that belongs to it, also those outside that name it; none of a row that a script would add."""
        page = list(self.tag.parents)[-1]
        key = self.tag.get("id")
        found = [c for c in page.select("[name]") if c.name in ("input", "select", "textarea", "button")]
        return [
            c
            for c in found
            if not c.has_attr("disabled")
            and not c.find_parent("template")
            and (c.get("form") == key if c.has_attr("form") else c.find_parent("form") is self.tag)
        ]

    def fill(self, given: Mapping[str, Any]) -> None:
        """Type into fields, choose among what is offered, attach files; NotOffered for what the page has not."""
        for name, value in given.items():
            controls = [c for c in self._controls() if c["name"] == name]
            if not controls:
                known = ", ".join(sorted({c["name"] for c in self._controls()}))
                raise NotOffered(f"no field {name} in {self.address}; there are {known}")
            values = list(value) if isinstance(value, list | tuple) else [value]
            offered = self._offered(controls)
            if offered is not None and (strange := [v for v in values if v not in offered]):
                raise NotOffered(f"{name} offers {sorted(offered)[:40]}, not {strange}")
            self.values[name] = values

    @staticmethod
    def _offered(controls: list[Tag]) -> set[str] | None:
        """Values that may be chosen; None where one types."""
        first = controls[0]
        if first.name == "select":
            return {str(o.get("value", o.text)) for o in first.select("option")}
        if first.get("type") in ("checkbox", "radio"):
            return {str(c.get("value", "on")) for c in controls}
        return None


class Page:
    """An answer, read."""

    def __init__(self, response: Any, address: str) -> None:
        self.response, self.address = response, address
        self.status = response.status_code
        kind = response.get("Content-Type", "")
        self.html = response.content.decode() if kind.startswith("text/html") else ""
        self.soup = BeautifulSoup(self.html, "html.parser")
        # A hit is marked within a word, which is no gap for a reader.
        for mark in self.soup.select("mark, .nb, .nowrap, wbr"):
            mark.unwrap()
        self.soup.smooth()

    @property
    def text(self) -> str:
        return words(self.soup)

    @property
    def said(self) -> str:
        """The beginning of the main part, for a failure's message."""
        part = BeautifulSoup(str(self.soup.main or self.soup), "html.parser")
        for noise in part.select("select, nav, fieldset ul"):
            noise.decompose()
        return words(part)[:1500]

    @property
    def heading(self) -> str:
        return words(self.soup.h1) if self.soup.h1 else ""

    def says(self, *texts: str) -> Page:
        """Ends the journey where a text does not stand in the page."""
        for text in texts:
            assert text in self.text, f"{self.address} ({self.status}) does not say {text!r}:\n{self.said}"
        return self

    def keeps_silent_about(self, *texts: str) -> Page:
        for text in texts:
            assert text not in self.html, f"{self.address} says {text!r}"
        return self

    def links(self) -> list[tuple[str, str]]:
        """Text and address of each link."""
        return [(words(a), str(a["href"])) for a in self.soup.select("a[href]")]

    def link(self, text: str) -> str:
        """The address of the first link whose text or address holds `text`."""
        for label, address in self.links():
            if text in label or text in address:
                return address
        raise NotOffered(f"no link {text!r} in {self.address}: {self.links()}")

    def has_button(self, label: str) -> bool:
        return self._button(label) is not None

    def _button(self, label: str) -> Tag | None:
        """The button that says `label` and nothing else, or else the first that says it among other words."""
        found = [b for b in self.soup.select("button") if b.get("type", "submit") in BUTTONS]
        found = [b for b in found if label in words(b) and not b.has_attr("disabled")]
        exact = [b for b in found if words(b) == label]
        return (exact or found or [None])[0]

    def form(self, label: str) -> tuple[Form, Tag]:
        """The form behind a button, and the button."""
        button = self._button(label)
        if button is None:
            raise NotOffered(
                f"no button {label!r} in {self.address} ({self.status}); there are "
                f"{[words(b) for b in self.soup.select('button')]}\n{self.said}"
            )
        tag = self.soup.find(id=button["form"]) if button.has_attr("form") else button.find_parent("form")
        assert isinstance(tag, Tag), f"the button {label!r} belongs to no form"
        address = str(button.get("formaction") or tag.get("action") or self.address)
        return Form(tag, address), button

    def must_be_right(self) -> Page:
        """No form came back with errors."""
        faults = [words(e) for e in self.soup.select("[data-errors], .errors, .error-summary, [aria-invalid=true]")]
        assert self.status < 400, f"{self.address}: {self.status}\n{self.said}"
        assert not words(self.soup.title).startswith("错误："), f"{self.address}: {faults}\n{self.said}"
        return self


class Person:
    """Somebody at a browser: cookies of his own, and the token that each form carries is asked for."""

    def __init__(self, name: str, email: str = "") -> None:
        self.name = name
        self.email = email or f"{abs(hash(name)) % 10**8}@example.org"
        self.client = Client(enforce_csrf_checks=True)

    def __repr__(self) -> str:
        return self.name

    def gets(self, address: str) -> Any:
        """The bare answer, for files and refusals."""
        return self.client.get(address)

    def opens(self, address: str, status: int = 200) -> Page:
        """A page; redirects are followed as a browser does."""
        response = self.client.get(address, follow=True)
        where = response.redirect_chain[-1][0] if response.redirect_chain else address
        page = Page(response, where)
        assert page.status == status, f"{self} opens {address}: {page.status}\n{page.said}"
        return page

    def presses(self, page: Page, label: str, values: Mapping[str, Any] | None = None, *, ok: bool = True) -> Page:
        """Fill the form behind a button and press it; the page that comes then. `ok=False` takes refusals, too."""
        form, button = page.form(label)
        form.fill(values or {})
        if button.get("name"):
            form.values[button["name"]] = [button.get("value", "")]
        data = {name: (v if len(v) != 1 else v[0]) for name, v in form.values.items() if v}
        method = str(button.get("formmethod") or form.tag.get("method") or "get").lower()
        address = form.address.split("#")[0] or page.address.split("#")[0]
        if method == "get":
            response = self.client.get(address, data, follow=True)
        else:
            assert "csrfmiddlewaretoken" in data, f"the form of {label!r} has no token"
            response = self.client.post(address, data, content_type=MULTIPART_CONTENT, follow=True)
        where = response.redirect_chain[-1][0] if response.redirect_chain else address
        answer = Page(response, where)
        return answer.must_be_right() if ok else answer

    def signs_up(self) -> None:
        """Account, code from the mail, agreed texts."""
        page = self.opens("/accounts/signup/")
        values = {"name": self.name, "email": self.email, "password1": PASSWORD, "password2": PASSWORD}
        sent = len(mail.outbox)
        page = self.presses(page, "注册并发送验证码", {**values, "consent": "on"})
        letter = next(m for m in mail.outbox[sent:] if self.email in m.to)
        code = re.search(r"^([A-Z0-9-]{6,9})$", letter.body, re.MULTILINE)
        assert code, letter.body
        self.presses(page, "确认", {"code": code.group(1)}, ok=False)
        self.opens("/accounts/").says(self.name)

    def signs_in(self) -> None:
        """With the password; for people whom an administrator made."""
        page = self.opens("/accounts/login/")
        self.presses(page, "登录", {"login": self.email, "password": PASSWORD}, ok=False)
        self.opens("/accounts/").says(self.name)
