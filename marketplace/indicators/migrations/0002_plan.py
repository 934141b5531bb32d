"""The plan's target: 3.21 亿元 in 2020, 10 亿元 in 2025 (the city's 14th five-year science plan, 专栏 1 row 4).

The plan ended in 2025; the next target is set by an operator, not by code."""

from django.db import migrations


def load(apps, schema_editor):
    source = "《鄂尔多斯市“十四五”科技创新规划（征求意见稿）》专栏1"
    apps.get_model("indicators", "TargetSet").objects.get_or_create(
        indicator="turnover",
        area="150600",
        base_year=2020,
        end_year=2025,
        defaults={
            "plan": "“十四五”科技创新规划",
            "source": source,
            "base_value": "321000000",
            "end_value": "1000000000",
        },
    )
    apps.get_model("indicators", "PublishedFigure").objects.get_or_create(
        indicator="turnover", area="150600", year=2020, defaults={"value": "321000000", "source": source}
    )


class Migration(migrations.Migration):
    dependencies = [("indicators", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
