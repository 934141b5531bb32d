from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "search"
    verbose_name = "检索"

    def ready(self) -> None:
        from . import listings, signal_handlers

        listings.register_kinds()
        signal_handlers.connect()
