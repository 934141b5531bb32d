"""Where a word of the market could come to light: every address that speaks of listings, by what it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.test import Client

from cms.models import KINDS

from .canaries import VISITOR
from .scene import Market

SORTS = ("", "-updated_at", "-published_at", "price", "-price", "-trl")
WORD = quote("除氟")
ADMIN = (
    "/admin/", "/admin/moderation/", "/admin/pages/", "/admin/pages/search/?q=", "/admin/images/?q=",
    "/admin/documents/?q=", "/admin/users/?q=", "/admin/reports/locked/", "/admin/reports/workflow/",
    "/admin/reports/workflow_tasks/", "/admin/reports/site-history/", "/admin/snippets/",
    "/admin/snippets/accounts/organization/?q=", "/admin/snippets/agencies/broker/?q=",
)  # fmt: skip


def lists() -> list[str]:
    """The four lists and the box, with words, without, in every order, filtered; as pages and as the API."""
    found = []
    for kind in KINDS:
        found += [f"/{kind}s/", f"/{kind}s/?region=150622", f"/{kind}s/?q={WORD}", f"/{kind}s/?q={WORD}&page=2"]
        found += [f"/{kind}s/?technology_field=07&availability=open&q={WORD}", f"/search/?q={WORD}&scope={kind}"]
        found += [f"/api/v1/{kind}s/?page_size=100", f"/api/v1/{kind}s/?page_size=100&q={WORD}"]
    found += [f"/achievements/?ordering={sort}" for sort in SORTS]
    found += [f"/api/v1/achievements/?page_size=100&ordering={sort}" for sort in SORTS]
    return [*found, f"/search/?q={WORD}", f"/search/?q={WORD}&page=2", f"/api/v1/search/?q={WORD}&page_size=100"]


def around() -> list[str]:
    """Pages about the market as a whole and about the person who looks."""
    return [
        "/", "/desk/", "/desk/listings/", "/desk/reports/", "/deals/", "/deals/mandates/", "/contracts/", "/registrar/",
        "/registry/", "/api/v1/registry/?page_size=100", "/indicators/", "/indicators/turnover/rows/", "/notices/",
        "/jobs/", "/accounts/", "/accounts/my-data.json", "/accounts/verifications/", "/news/", "/sitemap.xml",
        "/verify/", "/demands/new/", "/api/schema/?format=json", "/readyz",
        f"/accounts/organizations/join/?q={quote('测试新材料有限公司')}", "/nowhere/",
    ]  # fmt: skip


def about(kind: str, number: str) -> list[str]:
    """Pages of one listing."""
    found = [f"/{kind}s/{number}/", f"/api/v1/{kind}s/{number}/", f"/search/?q={number}"]
    found += [f"/desk/listings/{number}/", f"/desk/listings/{number}/preview/", f"/reports/new/?about={number}"]
    if kind in ("achievement", "demand"):
        found += [f"/{kind}s/{number}/matches/", f"/api/v1/{kind}s/{number}/matches/", f"/deals/inquire/{number}/"]
        found += [f"/desk/listings/{number}/edit/"]
    return found


def earlier(market: Market) -> list[str]:
    """Every revision of every listing by its key, published or not."""
    found = []
    for listing in market.listings.values():
        keys = listing.revisions.values_list("pk", flat=True)
        found += [f"/{listing.KIND}s/{listing.record.number}/?revision={key}" for key in keys]
    return found


def back_office(market: Market) -> list[str]:
    """Wagtail's lists and search boxes, and the editor and history of each listing."""
    found = [*ADMIN]
    for kind in KINDS:
        found += [f"/admin/snippets/cms/{kind}/", f"/admin/snippets/cms/{kind}/?q={WORD}"]
        found += [f"/admin/snippets/choose/cms/{kind}/", f"/admin/snippets/cms/{kind}/?export=csv"]
    for listing in market.listings.values():
        base = f"/admin/snippets/cms/{listing.KIND}"
        found += [f"{base}/edit/{listing.pk}/", f"{base}/history/{listing.pk}/"]
    return found


def everything(market: Market) -> dict[str, list[str]]:
    """All addresses by what they are."""
    pages = [page for one in market.listings.values() for page in about(one.KIND, one.record.number)]
    return {
        "lists": lists(),
        "around": [*around(), *market.addresses, *(f"/reports/new/?about={n}" for n in _organizations(market))],
        "details": pages,
        "earlier": earlier(market),
        "admin": back_office(market),
    }


def _organizations(market: Market) -> list[str]:
    return [a.split("/")[2] for a in market.addresses if a.startswith("/organizations/")]


def client_of(market: Market, role: str) -> Client:
    """A browser in which a person of this role is signed in."""
    client = Client()
    if role != VISITOR:
        client.force_login(type(market.people[role]).objects.get(pk=market.people[role].pk))
    return client


def read(client: Client, address: str) -> str:
    """What an address answers, where it leads included. A fault of the server fails the test."""
    response: Any = client.get(address)
    assert response.status_code < 500 or address == "/readyz", f"{response.status_code} {address}"
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.headers.get('Location', '')}\n{body.decode('utf-8', 'replace')}"
