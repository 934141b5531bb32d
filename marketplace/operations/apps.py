from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "marketplace.operations"
    verbose_name = "运行"

    def ready(self) -> None:
        from marketplace import guards

        from .models import Report

        guards.register(guards.FlowGuard(Report, "report", Report.FLOW))
