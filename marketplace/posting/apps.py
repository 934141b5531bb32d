from django.apps import AppConfig


class PostingConfig(AppConfig):
    name = "marketplace.posting"
    verbose_name = "发布与维护"

    def ready(self) -> None:
        from . import signal_handlers

        signal_handlers.connect()
