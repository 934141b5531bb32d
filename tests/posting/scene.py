"""What a complete form posts, and who posts it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from tests.factories import OrganizationFactory, member


def a_company(**kwargs: Any) -> tuple[Any, Any]:
    """An organisation and its head."""
    organization = OrganizationFactory(**kwargs)
    return organization, member(organization)


def _rows(prefix: str, *rows: dict[str, str]) -> dict[str, str]:
    data = {f"{prefix}-TOTAL_FORMS": str(len(rows)), f"{prefix}-INITIAL_FORMS": "0"}
    data |= {f"{prefix}-MIN_NUM_FORMS": "0", f"{prefix}-MAX_NUM_FORMS": "30"}
    for n, row in enumerate(rows):
        data |= {f"{prefix}-{n}-{name}": value for name, value in row.items()}
    return data


def _common(owner: Any) -> dict[str, Any]:
    return {
        "summary": "膜浓缩后氟离子富集到 12 mg/L，要求降到 1 mg/L 以下，填料可再生。",
        "technology_field": "0701",
        "region": "150602",
        "disclosure_level": "L0",
        "contact_name": "联系人甲",
        "contact_phone": "0477-0000000",
        "valid_until": (timezone.localdate() + dt.timedelta(days=200)).isoformat(),
        "owner": str(owner.pk) if owner else "",
    }


def demand_data(owner: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        **_common(owner),
        "title": "煤化工高盐废水深度除氟",
        "demand_type": "RD",
        "problem": "氟离子带入结晶单元后腐蚀换热管，一年停车两次，现有钙盐沉淀只能降到 8 mg/L。",
        "is_budget_negotiable": "0",
        "budget_min": "120",
        "budget_max": "180",
        "deadline": (timezone.localdate() + dt.timedelta(days=90)).isoformat(),
        "cooperation_modes": ["M5"],
        **_rows(
            "targets",
            {"name": "出水氟离子", "operator": "le", "value": "１．０", "unit": "mg/L", "is_hard": "on"},
            {"name": "", "operator": "ge", "value": "", "unit": "", "is_hard": "on"},
        ),
        **changes,
    }


def achievement_data(owner: Any = None, **changes: Any) -> dict[str, Any]:
    return {
        **_common(owner),
        "title": "改性铝基填料除氟装置",
        "achievement_type": "A01",
        "trl": "6",
        "transfer_modes": ["M2"],
        "price_type": "fixed",
        "price_min": "120",
        **_rows("kpis", {"name": "出水氟离子", "operator": "le", "value": "0.8", "unit": "mg/L"}),
        **_rows("patents", {"number": "ZL201710601862.3", "title": "除氟填料"}),
        **changes,
    }
