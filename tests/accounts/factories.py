"""Small things that the tests of people and organisations need."""

from __future__ import annotations

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from cms.identifiers import make_credit_code
from cms.models import Region
from marketplace.accounts import services
from marketplace.accounts.models import Organization, User, VerificationRequest
from tests.factories import OrganizationFactory, UserFactory

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
CODE = make_credit_code("150602", "MA0A1B2C")
OTHER_CODE = make_credit_code("150603", "MA0A1B2D")


def fresh(user: User) -> User:
    """The person as the next request would read him."""
    return User.objects.get(pk=user.pk)


def document(name: str = "营业执照.pdf", body: bytes = PDF) -> ContentFile:
    return ContentFile(body, name=name)


def upload(name: str = "营业执照.pdf", body: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body, content_type="application/pdf")


def founder(name: str = "砚山测试材料有限公司") -> tuple[User, Organization]:
    """A person and the organisation that he founded, not verified."""
    user = UserFactory()
    organization = services.found_organization(
        by=user, name=name, kind="company", region=Region.objects.get(pk="150602")
    )
    return fresh(user), organization


def imported(name: str = "测试工业大学", **kwargs) -> Organization:
    """As an import makes it: no code, no people, not verified."""
    return OrganizationFactory(
        name=name, credit_code=None, verified_at=None, is_imported=True, kind="university", **kwargs
    )


def asked(organization: Organization, by: User, code: str = CODE, **kwargs) -> VerificationRequest:
    """A request for verification, or a claim."""
    return services.request_verification(
        organization,
        by=by,
        credit_code=code,
        legal_representative="测试法人",
        region=Region.objects.get(pk="150602"),
        kind="company",
        evidence=document(),
        **kwargs,
    )
