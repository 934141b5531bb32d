"""People, organisations, and who belongs to whom."""

from .organizations import Membership, Organization, OrganizationName, OrganizationQuerySet, VerificationRequest
from .people import Consent, ConsentText, User, display_name

__all__ = [
    "Consent",
    "ConsentText",
    "Membership",
    "Organization",
    "OrganizationName",
    "OrganizationQuerySet",
    "User",
    "VerificationRequest",
    "display_name",
]
