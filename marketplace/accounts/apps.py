from django.apps import AppConfig
from django.db.models.signals import post_migrate
from wagtail.users.apps import WagtailUsersAppConfig


class AccountsConfig(AppConfig):
    default = True
    name = "marketplace.accounts"
    verbose_name = "用户与单位"

    def ready(self) -> None:
        from marketplace import guards
        from search.resolve import resolvers

        from . import resolving, roles
        from .models import Membership, VerificationRequest

        resolvers.register(resolving.organizations)
        post_migrate.connect(roles.ensure, sender=self, dispatch_uid="accounts.roles")

        guards.register(
            guards.FlowGuard(Membership, "membership", Membership.FLOW),
            guards.FlowGuard(VerificationRequest, "verification", VerificationRequest.FLOW),
        )


class WagtailUsersConfig(WagtailUsersAppConfig):
    """Wagtail's user pages with our user model's fields (one name, no first and last name)."""

    user_viewset = "marketplace.accounts.wagtail_users.UserViewSet"
