"""Names of fields and regions for one page: each list is read once, however many parts of the page print it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from cms.models import Region, TechnologyField

from . import catalogue


class Names:
    """Made by a view for its request."""

    @cached_property
    def fields(self) -> dict[str, str]:
        """The 11 official fields: two digits → name, in their order."""
        return {f.code: f.name for f in TechnologyField.objects.all() if len(f.code) == 2}

    @cached_property
    def city(self) -> dict[str, str]:
        """The banners and districts of the city."""
        rows = Region.objects.filter(code__startswith="1506").exclude(code=catalogue.CITY)
        return {r.code: r.name for r in rows}

    def of_regions(self, codes: Iterable[str]) -> dict[str, str]:
        """Names of these codes; asks the database only for what lies outside the city."""
        outside = set(codes) - set(self.city)
        found = dict(Region.objects.filter(code__in=outside).values_list("code", "name")) if outside else {}
        return self.city | found
