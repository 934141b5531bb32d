from django.apps import AppConfig


class IndicatorsConfig(AppConfig):
    name = "marketplace.indicators"
    verbose_name = "指标"
