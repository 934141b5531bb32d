"""What the API gives of listings, matches, the register and the figures. Amounts are text of 元 with two decimals.

Never an e-mail address or a phone number: a contact is a matter of the pages, for signed-in people. What of a listing
is restricted is null here for whoever may not read it on its page, and an anonymous need names no owner.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from cms.models import Achievement, Demand, Expert, Listing, Project
from marketplace.library.details import Reading


def yuan(value: Decimal | None) -> str | None:
    """An amount of 元 as text with two decimals; null where nothing is stated or shown."""
    return None if value is None else f"{value:.2f}"


def code(value: Any) -> dict[str, str] | None:
    """A code with its name."""
    return None if value is None else {"code": value.pk, "name": str(value)}


class CodeSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class OwnerSerializer(serializers.Serializer):
    number = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    verified_at = serializers.DateTimeField(allow_null=True)


class RowSerializer(serializers.Serializer):
    """One row of a list of any kind."""

    kind = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    url = serializers.URLField()
    owner = OwnerSerializer(allow_null=True)
    technology_field = CodeSerializer(allow_null=True)
    region = CodeSerializer(allow_null=True)
    availability = serializers.CharField()
    disclosure_level = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField()

    def to_representation(self, instance: Listing) -> dict[str, Any]:
        record = instance.record
        found = {
            "kind": instance.KIND,
            "number": record.number,
            "title": instance.title,
            "summary": instance.summary,
            "url": self.context["request"].build_absolute_uri(instance.get_absolute_url()),
            "owner": self.owner_of(instance),
            "technology_field": code(instance.technology_field),
            "region": code(instance.region),
            "availability": record.availability,
            "disclosure_level": instance.disclosure_level,
            "published_at": self._moment(record.first_published_at),
            "updated_at": self._moment(record.changed_at),
        }
        return found | self._amounts(instance)

    def owner_of(self, instance: Listing) -> dict[str, Any] | None:
        record = instance.record
        if getattr(instance, "is_anonymous", False):
            return None
        if record.owner is None:
            return {"number": None, "name": record.holder_name, "verified_at": None}
        verified = self._moment(record.owner.verified_at)
        return {"number": record.owner.number, "name": record.owner.name, "verified_at": verified}

    @staticmethod
    def _moment(value: Any) -> str | None:
        return serializers.DateTimeField().to_representation(value) if value else None

    @staticmethod
    def _amounts(instance: Listing) -> dict[str, Any]:
        if isinstance(instance, Achievement):
            return {
                "trl": instance.trl,
                "price_type": instance.price_type,
                "price_min": yuan(instance.price_min),
                "price_max": yuan(instance.price_max),
            }
        if isinstance(instance, Demand):
            return {
                "is_budget_negotiable": instance.is_budget_negotiable,
                "budget_min": yuan(instance.budget_min),
                "budget_max": yuan(instance.budget_max),
                "deadline": instance.deadline.isoformat() if instance.deadline else None,
            }
        return {"budget": yuan(instance.budget)} if isinstance(instance, Project) else {}


class QuantitySerializer(serializers.Serializer):
    name = serializers.CharField()
    operator = serializers.CharField()
    value = serializers.CharField()
    value_to = serializers.CharField(allow_null=True)
    unit = serializers.CharField()


class DetailSerializer(RowSerializer):
    """Every public text of one listing; `restricted` says that more of it is for entitled people only."""

    restricted = serializers.BooleanField()
    body = serializers.CharField(allow_null=True)
    keywords = serializers.CharField(allow_null=True)
    title_en = serializers.CharField()
    summary_en = serializers.CharField()
    industries = CodeSerializer(many=True)
    key_technologies = CodeSerializer(many=True)
    valid_until = serializers.DateField(allow_null=True)

    def to_representation(self, instance: Reading) -> dict[str, Any]:  # type: ignore[override]
        shown, may_read = instance.shown, instance.may_read
        found = super().to_representation(shown)
        until = instance.record.valid_until
        found |= {
            "restricted": not may_read,
            "body": shown.body if may_read else None,
            "keywords": shown.keywords if may_read else None,
            "title_en": shown.title_en,
            "summary_en": shown.summary_en,
            "industries": [code(one) for one in shown.industries.all()],
            "key_technologies": [code(one) for one in shown.key_technologies.all()],
            "valid_until": until.isoformat() if until else None,
        }
        return found | _own(shown, may_read)


def _own(shown: Listing, may_read: bool) -> dict[str, Any]:
    """What only one kind has; the texts and figures of the detail are null where it is restricted."""
    if isinstance(shown, Achievement):
        return {
            "achievement_type": code(shown.achievement_type),
            "transfer_modes": [code(one) for one in shown.transfer_modes.all()],
            "pricing_mode": shown.pricing_mode,
            "is_state_institution": shown.is_state_institution,
            "problem": shown.problem if may_read else None,
            "inventors": shown.inventors if may_read else None,
            "kpis": [quantity(k) | {"condition": k.condition} for k in shown.kpis.all()] if may_read else None,
            "patents": [_patent(p) for p in shown.patents.all()] if may_read else None,
        }
    if isinstance(shown, Demand):
        targets = [quantity(t) | {"present": t.present, "is_hard": t.is_hard} for t in shown.targets.all()]
        return {
            "demand_type": code(shown.demand_type),
            "cooperation_modes": [code(one) for one in shown.cooperation_modes.all()],
            "problem": shown.problem if may_read else None,
            "targets": targets if may_read else None,
        }
    if isinstance(shown, Expert):
        return {"position": shown.position, "services": shown.services}
    if isinstance(shown, Project):
        return {
            "stage": shown.stage,
            "wanted": shown.wanted if may_read else None,
            "starts_on": shown.starts_on.isoformat() if shown.starts_on else None,
            "ends_on": shown.ends_on.isoformat() if shown.ends_on else None,
        }
    return {}


def quantity(row: Any) -> dict[str, Any]:
    """A named figure; numbers as text, so that nothing is lost on the way."""
    return {
        "name": row.name,
        "operator": row.operator,
        "value": f"{row.value.normalize():f}",
        "value_to": f"{row.value_to.normalize():f}" if row.value_to is not None else None,
        "unit": row.unit,
    }


def _patent(row: Any) -> dict[str, Any]:
    return {"number": row.number, "title": row.title, "holder": row.holder, "is_granted": row.is_granted}


class HighlightSerializer(serializers.Serializer):
    field = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class HitSerializer(serializers.Serializer):
    """One thing that the box found."""

    kind = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    highlights = HighlightSerializer(many=True)
    url = serializers.URLField()


class PartsSerializer(serializers.Serializer):
    lexical = serializers.FloatField()
    static = serializers.FloatField()
    e5 = serializers.FloatField()
    signals = serializers.FloatField()


class PhraseSerializer(serializers.Serializer):
    text = serializers.CharField()


class ConditionSerializer(serializers.Serializer):
    name = serializers.CharField()
    state = serializers.ChoiceField(["met", "not_met", "not_stated"])
    detail = serializers.CharField()


class ReasonsSerializer(serializers.Serializer):
    phrases = PhraseSerializer(many=True)
    conditions = ConditionSerializer(many=True)
    meaning = serializers.CharField(allow_blank=True)


class MatchSerializer(serializers.Serializer):
    """One match with its reasons; the parts add up to the score."""

    rank = serializers.IntegerField()
    kind = serializers.CharField()
    number = serializers.CharField()
    title = serializers.CharField()
    score = serializers.FloatField()
    parts = PartsSerializer()
    band = serializers.ChoiceField(["strong", "possible", "weak"])
    reasons = ReasonsSerializer()
    versions = serializers.DictField()
    url = serializers.URLField()
