"""The models of what is published."""

from .access import AccessGrant, AccessLog, log_view
from .codes import AchievementType, DemandType, Industry, KeyTechnology, Region, TechnologyField, TransferMode
from .listings import (
    KINDS,
    Achievement,
    Demand,
    Disclosure,
    Expert,
    Kpi,
    Listing,
    ListingQuerySet,
    Operator,
    PatentItem,
    PriceType,
    PricingMode,
    Project,
    Target,
    listing_model,
)
from .moderation import ModerationTask
from .pages import NewsIndexPage, NewsPage, RootPage
from .record import Availability, ListingRecord, Source

__all__ = [
    "KINDS",
    "AccessGrant",
    "AccessLog",
    "Achievement",
    "AchievementType",
    "Availability",
    "Demand",
    "DemandType",
    "Disclosure",
    "Expert",
    "Industry",
    "KeyTechnology",
    "Kpi",
    "Listing",
    "ListingQuerySet",
    "ListingRecord",
    "ModerationTask",
    "NewsIndexPage",
    "NewsPage",
    "Operator",
    "PatentItem",
    "PriceType",
    "PricingMode",
    "Project",
    "Region",
    "RootPage",
    "Source",
    "Target",
    "TechnologyField",
    "TransferMode",
    "listing_model",
    "log_view",
]
