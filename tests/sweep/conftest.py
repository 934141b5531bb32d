"""The sweep reads the demo as it was loaded; nothing in it is changed here."""

from tests.journeys.browsing import browser
from tests.journeys.demo import demo_market, demo_site

__all__ = ["browser", "demo_market", "demo_site"]
