from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "marketplace.jobs"
    verbose_name = "任务"
