"""Who does what with what is published: the marketplace itself. The map of its apps is in README.md."""

# Every process has the one Celery app before it sees a task: a task's `hint` comes from it.
from .celery import app as celery_app

__all__ = ["celery_app"]
