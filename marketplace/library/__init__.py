"""What people browse: home, lists, details, the one search box, organisation pages, the desk. Keeps no models.

Others may import: `filters` (FilterSets that page and API share: `.is_valid()`, `.to_query()` for the engine, `.qs`
when it is down), `finding.find` (one page of listings with counts, whichever of the two answered), `details.load` (one
listing as far as this person may read it).
"""
