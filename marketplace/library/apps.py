from django.apps import AppConfig


class LibraryConfig(AppConfig):
    name = "marketplace.library"
    verbose_name = "浏览"
