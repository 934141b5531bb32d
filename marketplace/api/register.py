"""registry/ and verify/<code>/: the public register and the check of a certificate."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marketplace.contracts import certificates
from marketplace.contracts.filters import RegistryFilter
from marketplace.contracts.models import Contract, Registration

from .pagination import Pages
from .serializers import yuan


class RegisteredSerializer(serializers.Serializer):
    """One registered contract; what the parties did not consent to show is null."""

    number = serializers.CharField()
    source = serializers.ChoiceField(["own", "imported"])
    contract_type = serializers.CharField(allow_null=True)
    technology_field = serializers.CharField(allow_null=True)
    seller_region = serializers.CharField(allow_null=True)
    buyer_region = serializers.CharField(allow_null=True)
    registered_on = serializers.DateField()
    state = serializers.CharField()
    project_name = serializers.CharField(allow_null=True)
    amount_total = serializers.CharField(allow_null=True)
    amount_tech = serializers.CharField(allow_null=True)
    sellers = serializers.ListField(child=serializers.CharField(), allow_null=True)
    buyers = serializers.ListField(child=serializers.CharField(), allow_null=True)
    url = serializers.URLField()


class Registry(GenericAPIView):
    """Registered contracts, imported ones too, newest first."""

    serializer_class = RegisteredSerializer
    pagination_class = Pages

    @extend_schema(
        tags=["registry"],
        operation_id="registry_list",
        description="已认定登记的技术合同，含导入的历史登记；当事人没有同意公开的名称与金额为 null。",
        parameters=[OpenApiParameter(name, str, many=True) for name in RegistryFilter.base_filters],
    )
    def get(self, request: Request) -> Response:
        rows = Registration.objects.public().select_related("contract").prefetch_related("contract__parties", "entries")
        found = RegistryFilter(request.query_params, rows.order_by("-registered_on", "-pk"))
        pages = Pages()
        page = pages.paginate_queryset(found.qs.distinct(), request, self) or []
        mine = self._own(request, page)
        return pages.get_paginated_response([_registered(row, row.contract_id in mine, request) for row in page])

    @staticmethod
    def _own(request: Request, page: list[Registration]) -> set[int]:
        """Contracts that this person may read as a party, an officer or the broker."""
        if not request.user.is_authenticated:
            return set()
        keys = [row.contract_id for row in page]
        return set(Contract.objects.visible_to(request.user).filter(pk__in=keys).values_list("pk", flat=True))


def _registered(row: Registration, is_mine: bool, request: Request) -> dict[str, Any]:
    contract = row.contract
    entry = next((e for e in row.entries.all() if e.kind == "initial"), None)
    names, amounts = is_mine or contract.consents_to_name, is_mine or contract.consents_to_amount
    parties = list(contract.parties.all()) if names else []
    return {
        "number": row.registration_number,
        "source": row.source,
        "contract_type": contract.contract_type_id,
        "technology_field": contract.technology_field_id,
        "seller_region": entry.seller_region if entry else None,
        "buyer_region": entry.buyer_region if entry else None,
        "registered_on": row.registered_on.isoformat() if row.registered_on else None,
        "state": row.state,
        "project_name": contract.project_name if names else None,
        "amount_total": yuan(contract.amount_total) if amounts else None,
        "amount_tech": yuan(contract.amount_tech) if amounts else None,
        "sellers": [p.name for p in parties if p.side == "seller"] if names else None,
        "buyers": [p.name for p in parties if p.side == "buyer"] if names else None,
        "url": request.build_absolute_uri(row.get_absolute_url()),
    }


class PrintedSerializer(serializers.Serializer):
    label = serializers.CharField()
    text = serializers.CharField()


class VerifiedSerializer(serializers.Serializer):
    """Status of a certificate and what its paper shows."""

    code = serializers.CharField()
    status = serializers.ChoiceField(["valid", "void"])
    issued_on = serializers.DateField()
    printed = PrintedSerializer(many=True)


class Verify(APIView):
    """Check a certificate by its code; an unknown code is 404 without a hint of near ones."""

    @extend_schema(
        tags=["verify"],
        operation_id="verify",
        description="按查验码核对登记证明：是否有效，以及纸面所载内容。",
        responses=VerifiedSerializer,
    )
    def get(self, request: Request, code: str) -> Response:
        certificate = certificates.by_code(code)
        if certificate is None:
            raise Http404
        return Response(
            {
                "code": certificate.code,
                "status": certificates.status(certificate),
                "issued_on": certificate.issued_on.isoformat(),
                "printed": [{"label": label, "text": text} for label, text in certificates.printed(certificate)],
            }
        )
