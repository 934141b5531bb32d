from django.apps import AppConfig


class DealsConfig(AppConfig):
    name = "marketplace.deals"
    verbose_name = "对接与成交"

    def ready(self) -> None:
        from marketplace import guards

        from . import signal_handlers
        from .models import Deal, Inquiry, Offer

        guards.register(
            guards.FlowGuard(Inquiry, "inquiry", Inquiry.FLOW),
            guards.FlowGuard(Deal, "deal", Deal.FLOW),
            guards.FlowGuard(Offer, "offer", Offer.FLOW),
        )
        signal_handlers.connect()
