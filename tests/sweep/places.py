"""Where the sweep goes: each page with the address that the demo gives it, and who may see it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.operations.markets import Market

EVERYBODY = ("", "company", "university", "registrar")
SIGNED_IN = EVERYBODY[1:]
PUBLIC_LISTING = "l.live AND l.disclosure_level = 'L0' AND r.availability = 'open'"
OF_ROLE = (
    "IN (SELECT m.organization_id FROM accounts_membership m JOIN demo_demoaccount d ON d.user_id = m.user_id "
    "WHERE d.role = '{role}')"
)


@dataclass(frozen=True)
class Place:
    """A page: a name for the test, its address (or a question that finds the rest of it), and its readers."""

    name: str
    path: str
    readers: tuple[str, ...] = EVERYBODY
    query: str = ""

    def address(self, market: Market) -> str:
        if not self.query:
            return self.path
        found = market.sql(self.query)
        assert found, f"the demo has nothing for {self.name}"
        return self.path.format(*found[0])


def _listing(kind: str, extra: str = "") -> str:
    return (
        f"SELECT r.number FROM cms_{kind} l JOIN cms_listingrecord r ON r.id = l.record_id "
        f"WHERE {PUBLIC_LISTING} {extra} ORDER BY r.id LIMIT 1"
    )


def _registration(column: str, state: str) -> str:
    return (
        f"SELECT {column} FROM contracts_registration r JOIN contracts_office o ON o.id = r.office_id "
        f"WHERE r.state = '{state}' AND o.region_id = '150600' ORDER BY r.id LIMIT 1"
    )


MATCHED = "AND r.id IN (SELECT demand_id FROM deals_match WHERE is_current AND rank_for_demand = 1 AND band = 'strong')"
DRAFT = (
    "SELECT c.number FROM contracts_contract c JOIN contracts_registration r ON r.contract_id = c.id "
    f"WHERE r.state = 'draft' AND c.applicant_id {OF_ROLE.format(role='university')} LIMIT 1"
)
CERTIFICATE = "SELECT c.code FROM contracts_certificate c ORDER BY c.id LIMIT 1"
ENTRY = "SELECT registration_number FROM contracts_registration WHERE source = 'own' AND state = 'registered' LIMIT 1"
ORGANIZATION = "SELECT o.number FROM accounts_organization o WHERE o.id " + OF_ROLE.format(role="university")

PLACES = [
    Place("home", "/"),
    Place("search", "/search/?q=%E6%B0%A2"),
    Place("achievements", "/achievements/"),
    Place("demands", "/demands/"),
    Place("experts", "/experts/"),
    Place("projects", "/projects/"),
    Place("achievement", "/achievements/{}/", query=_listing("achievement")),
    Place("demand", "/demands/{}/", query=_listing("demand", MATCHED)),
    Place("expert", "/experts/{}/", query=_listing("expert")),
    Place("project", "/projects/{}/", query=_listing("project")),
    Place("demand form", "/demands/new/"),
    Place("organization", "/organizations/{}/", query=ORGANIZATION),
    Place("registry", "/registry/"),
    Place("registry entry", "/registry/{}/", query=ENTRY),
    Place("certificate check", "/verify/{}/", query=CERTIFICATE),
    Place("indicators", "/indicators/"),
    Place("turnover", "/indicators/turnover/"),
    Place("turnover rows", "/indicators/turnover/rows/"),
    Place("sign-in", "/accounts/login/", readers=("",)),
    Place("sign-up", "/accounts/signup/", readers=("",)),
    Place("desk", "/desk/", readers=SIGNED_IN),
    Place("deals", "/deals/", readers=("company", "university")),
    Place("contract form", "/contracts/{}/amounts/", readers=("university",), query=DRAFT),
    Place("contract form parties", "/contracts/{}/seller/", readers=("university",), query=DRAFT),
    Place("contract form check", "/contracts/{}/check/", readers=("university",), query=DRAFT),
    Place("review queue", "/registrar/", readers=("registrar",)),
    Place("review", "/registrar/{}/", readers=("registrar",), query=_registration("r.form_number", "accepted")),
]
# What is not theirs is refused in words, on a page that is as sound as the others.
REFUSED = [
    ("", "desk", 302),
    ("", "contract form", 302),
    ("company", "contract form", 404),
    ("registrar", "contract form", 404),
    ("company", "review", 404),
    ("university", "review", 404),
    ("", "review", 302),
]
BY_NAME = {place.name: place for place in PLACES}
