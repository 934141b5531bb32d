from django.apps import AppConfig


class AgenciesConfig(AppConfig):
    name = "marketplace.agencies"
    verbose_name = "机构与经纪人"

    def ready(self) -> None:
        from . import signal_handlers

        signal_handlers.connect()
