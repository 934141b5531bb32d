"""Code lists as data: loaded by a migration, edited by an operator, deactivated rather than deleted.

A code is its row's primary key, so that a foreign key's column *is* the code: `listing.technology_field_id == "0601"`
without a join. Django has no text look-ups on a foreign key; ask `technology_field__code__startswith="06"`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.db import models
from django.utils.translation import get_language

DATA = Path(__file__).resolve().parent / "data"


class Code(models.Model):
    """One entry of a code list. An operator's edit sets `is_edited`, and later migrations leave the row alone."""

    code = models.CharField("代码", max_length=16, primary_key=True)
    name = models.CharField("名称", max_length=120)
    name_en = models.CharField("英文名称", max_length=160, blank=True)
    order = models.PositiveIntegerField("次序", default=0)
    is_active = models.BooleanField("使用中", default=True)
    is_edited = models.BooleanField("已由管理员修改", default=False, editable=False)

    class Meta:
        abstract = True
        ordering = ["order", "code"]

    def __str__(self) -> str:
        return self.name_en if self.name_en and (get_language() or "").startswith("en") else self.name

    @property
    def label(self) -> str:
        """Code and name together, as the registration form prints them."""
        return f"{self.code} {self}"


def load(model: Any, rows: list[dict[str, Any]]) -> None:
    """Bring a code list to the given rows (code, name, …) but for those that an operator has edited.

    `model` may be a migration's historical model. Codes that are no longer given stay, as old records point to them.
    """
    kept = set(model.objects.filter(is_edited=True).values_list("code", flat=True))
    fields = {name for row in rows for name in row} - {"code"} | {"order"}
    model.objects.bulk_create(
        [model(**{"order": order * 10, **row}) for order, row in enumerate(rows) if row["code"] not in kept],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=sorted(fields),
        batch_size=500,
    )


def load_file(model: Any, name: str, folder: Path = DATA) -> None:
    """`load` from `<folder>/<name>.json`: {"source": …, "rows": […]}."""
    load(model, json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["rows"])


def area_prefix(code: str) -> str:
    """An area or field as a prefix: trailing 00 pairs dropped, so that 150600 holds 150602 to 150627."""
    while len(code) > 2 and code.endswith("00"):
        code = code[:-2]
    return code
