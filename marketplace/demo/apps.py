from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "marketplace.demo"
    verbose_name = "演示"
