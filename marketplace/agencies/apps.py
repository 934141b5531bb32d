from django.apps import AppConfig


class AgenciesConfig(AppConfig):
    name = "marketplace.agencies"
    verbose_name = "机构与经纪人"
