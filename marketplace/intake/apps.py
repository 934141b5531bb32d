from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "marketplace.intake"
    verbose_name = "批量导入"
