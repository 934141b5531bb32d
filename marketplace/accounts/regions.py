"""A region chosen in three selects, province → city → county, that also works without scripts: a button beside each
select fills the next one from the server and loses nothing that was typed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cms.models import Region

HOME = ("150000", "150600")
PICK = "pick"


def provinces() -> list[tuple[str, str]]:
    return _choices(Region.objects.filter(is_active=True, code__endswith="0000"))


def cities(province: str) -> list[tuple[str, str]]:
    """The second level: prefecture cities, and counties right under the province (北京市东城区, 济源市)."""
    rows = list(Region.objects.filter(is_active=True, code__startswith=province[:2]).exclude(code__endswith="0000"))
    heads = {row.code[:4] for row in rows if row.code.endswith("00")}
    return _choices(row for row in rows if row.code.endswith("00") or row.code[:4] not in heads)


def counties(city: str) -> list[tuple[str, str]]:
    if not city.endswith("00"):
        return []
    return _choices(Region.objects.filter(is_active=True, code__startswith=city[:4]).exclude(code=city))


def _choices(rows: Any) -> list[tuple[str, str]]:
    return [(row.code, row.name) for row in rows]


class RegionFields(forms.Form):
    """Mixin of a form: fields province, city, county; `cleaned_data["region"]` is the Region of the lowest one chosen.

    `initial["region"]` (a Region or its code) is what is chosen at first; Ordos where nothing is.
    """

    province = forms.ChoiceField(label=gettext_lazy("省、自治区、直辖市"))
    city = forms.ChoiceField(label=gettext_lazy("市、盟（直辖市的区）"))
    county = forms.ChoiceField(label=gettext_lazy("旗、县、区"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        province, city, county = self._chosen()
        self.fields["province"].choices = provinces()
        known = cities(province)
        self.fields["city"].choices = [("", _("请选择")), *known]
        if city not in dict(known):
            city = ""
        below = counties(city) if city else []
        self.fields["county"].choices = [("", _("不细分")), *below]
        self.initial.update(province=province, city=city, county=county if county in dict(below) else "")

    def _chosen(self) -> tuple[str, str, str]:
        if self.is_bound:
            values = (str(self.data.get(self.add_prefix(name), "")) for name in ("province", "city", "county"))
            province, city, county = values
            return province or HOME[0], city, county
        given = self.initial.get("region")
        code = str(getattr(given, "pk", given) or "")
        if len(code) != 6:
            return HOME[0], HOME[1], ""
        province = code[:2] + "0000"
        city = code[:4] + "00"
        if city not in dict(cities(province)):
            city = code
        return province, city, code if code not in (city, province) else ""

    @property
    def region_offers(self) -> dict[str, dict[str, str]]:
        """The buttons beside the first two selects, for the field component."""
        return {
            "province": {"name": PICK, "value": "province", "label": _("列出下属市、盟")},
            "city": {"name": PICK, "value": "city", "label": _("列出下属旗、县、区")},
        }

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        code = self.cleaned_data.get("county") or self.cleaned_data.get("city")
        region = Region.objects.filter(pk=code, is_active=True).first() if code else None
        if region is None and "city" in self.cleaned_data:
            self.add_error("city", ValidationError(_("请选择单位所在的市、盟。")))
        self.cleaned_data["region"] = region


def is_picking(data: Any) -> bool:
    """Whether the form came back only to have its next select filled."""
    return data.get(PICK) in ("province", "city")


def unjudged(form: forms.Form) -> forms.Form:
    """The same form with everything typed, and no error said yet."""
    form._errors = forms.utils.ErrorDict()
    form.cleaned_data = {}
    return form
