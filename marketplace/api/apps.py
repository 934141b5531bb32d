from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "marketplace.api"
    verbose_name = "数据接口"
