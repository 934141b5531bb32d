from django.apps import AppConfig


class CmsConfig(AppConfig):
    name = "cms"
    verbose_name = "信息发布"

    def ready(self) -> None:
        from . import signal_handlers

        signal_handlers.connect()
