"""The code lists of listings. A later change of a file ships another migration with the same call."""

from django.db import migrations

from cms import taxonomy

LISTS = {
    "TechnologyField": "technology_fields",
    "Industry": "industries",
    "KeyTechnology": "key_technologies",
    "Region": "regions",
    "AchievementType": "achievement_types",
    "TransferMode": "transfer_modes",
    "DemandType": "demand_types",
}


def load(apps, schema_editor):
    for model, name in LISTS.items():
        taxonomy.load_file(apps.get_model("cms", model), name)


class Migration(migrations.Migration):
    dependencies = [("cms", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
