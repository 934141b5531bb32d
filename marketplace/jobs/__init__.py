"""Long work as rows that a person can watch, leave and cancel.

Others use: `jobs.services.register(kind, function)`, `start(kind, title, by=…)`, `cancel(job, by=…)`; a function is
given the `Job` and a `jobs.runner.Progress`. The page of one is `reverse("job", args=[job.pk])`.
"""
