from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class MarketplaceConfig(AppConfig):
    """Holds what every page uses (template tags) and puts the database guards in place after each migrate."""

    name = "marketplace"
    verbose_name = "科技大市场"

    def ready(self) -> None:
        from . import guards

        # Sent once per app that has models, when all tables exist; any one of ours will do.
        post_migrate.connect(
            guards.install_after_migrate, sender=apps.get_app_config("cms"), dispatch_uid="marketplace.guards"
        )
