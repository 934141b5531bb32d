"""The code lists of the registration form and the two rule sets."""

from pathlib import Path

from django.db import migrations

from cms import taxonomy

DATA = Path(__file__).resolve().parent.parent / "data"
LISTS = {
    "ContractType": "contract_types",
    "PaymentMethod": "payment_methods",
    "IPType": "ip_types",
    "PartyNature": "party_natures",
    "PlanSource": "plan_sources",
    "SocialObjective": "social_objectives",
    "RefusalReason": "refusal_reasons",
}


def load(apps, schema_editor):
    import json

    for model, name in LISTS.items():
        taxonomy.load_file(apps.get_model("contracts", model), name, DATA)
    rules = apps.get_model("contracts", "RuleSet")
    for row in json.loads((DATA / "rule_sets.json").read_text(encoding="utf-8"))["rows"]:
        rules.objects.get_or_create(key=row["key"], defaults=row)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0002_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
