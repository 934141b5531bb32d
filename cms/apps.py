from django.apps import AppConfig
from wagtail.admin.apps import WagtailAdminAppConfig


class CmsConfig(AppConfig):
    default = True
    name = "cms"
    verbose_name = "信息发布"

    def ready(self) -> None:
        from . import choosers, signal_handlers

        choosers.install()
        signal_handlers.connect()


class AdminConfig(WagtailAdminAppConfig):
    """Wagtail's admin without its four workflow mails: they are sent inside the transaction, where SMTP would hold
    SQLite's write lock. Who waits for a decision is told by a notice instead (marketplace.notifications)."""

    default = False

    def ready(self) -> None:
        super().ready()
        from . import signal_handlers

        signal_handlers.silence_wagtail_mail()
