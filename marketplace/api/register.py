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

from marketplace.contracts import certificates, selectors
from marketplace.contracts.filters import RegistryFilter
from marketplace.contracts.selectors import PublicRow

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
        found = RegistryFilter(request.query_params, selectors.registered())
        pages = Pages()
        page = pages.paginate_queryset(found.qs.distinct(), request, self) or []
        rows = selectors.public_rows(page, request.user)
        return pages.get_paginated_response([_registered(row, request) for row in rows])


def _registered(row: PublicRow, request: Request) -> dict[str, Any]:
    def code(value: Any) -> str | None:
        return None if value is None else value.pk

    return {
        "number": row.number,
        "source": row.source,
        "contract_type": code(row.contract_type),
        "technology_field": code(row.technology_field),
        "seller_region": code(row.seller_region),
        "buyer_region": code(row.buyer_region),
        "registered_on": row.registered_on.isoformat(),
        "state": row.registration.state,
        "project_name": row.project_name,
        "amount_total": yuan(row.amount_total),
        "amount_tech": yuan(row.amount_tech),
        "sellers": row.sellers,
        "buyers": row.buyers,
        "url": request.build_absolute_uri(row.registration.get_absolute_url()),
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
