from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "marketplace.operations"
    verbose_name = "运行"

    def ready(self) -> None:
        from marketplace import desk, guards

        from .models import Report
        from .selectors import waiting_for

        desk.register(waiting_for)
        guards.register(guards.FlowGuard(Report, "report", Report.FLOW))
