"""Fast: cheap passwords, mail in memory, static files without a manifest, everything in a scratch folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["DATA_DIR"] = os.environ.get("TEST_DATA_DIR") or tempfile.mkdtemp(prefix=f"market-test-{_worker}-")
os.environ.setdefault("SECRET_KEY", "test-only-" + "x" * 50)
for _name in ("DEMO", "SITE_URL", "EMAIL_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES", "HOST", "PORT"):
    os.environ.pop(_name, None)
# The real servers of `./run test --full`; whatever the shell has set for a market never reaches a test.
for _name in ("DATABASE_URL", "SEARCH_URL", "SEARCH_PREFIX", "SEARCH_SHARDS", "SEARCH_REPLICAS", "REDIS_URL"):
    os.environ.pop(_name, None)
    if os.environ.get(f"TEST_{_name}"):
        os.environ[_name] = os.environ[f"TEST_{_name}"]
# Each process of a run has indexes of its own on the one Elasticsearch.
os.environ["SEARCH_PREFIX"] = f"test-{_worker}-{os.getpid()}"

from .base import *  # noqa: E402, F403

DATA_DIR = Path(os.environ["DATA_DIR"])
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
ACCOUNT_RATE_LIMITS = False
# On real servers the ordinary tests go through Celery's code, but in the test's own process.
CELERY_TASK_ALWAYS_EAGER = bool(REDIS_URL)  # noqa: F405
