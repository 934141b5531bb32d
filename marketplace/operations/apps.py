from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "marketplace.operations"
    verbose_name = "运行"

    def ready(self) -> None:
        from django.core import checks as django_checks

        from marketplace import desk, guards
        from marketplace.celery import app
        from marketplace.jobs import services as jobs

        from . import checks, duties, searching
        from .models import Report
        from .selectors import waiting_for

        desk.register(waiting_for)
        jobs.register(searching.REBUILD, searching.work_on_rebuild)
        guards.register(guards.FlowGuard(Report, "report", Report.FLOW))
        for check in (checks.check_limits, checks.check_delivery, checks.check_processes):
            django_checks.register(check)
        app.conf.beat_schedule = duties.beat_schedule()
