"""Prepare the market and become its web server."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from marketplace.operations import preflight, startup
from search.engines import EngineUnavailable, close_engine, open_engine
from search.engines.locks import FileLock


class Command(BaseCommand):
    help = "准备数据库、静态文件和演示数据，然后启动网站（PORT、HOST、DATA_DIR、DEMO 由环境变量给出）。"
    # The server checks itself while it loads; a second round here would cost half a second of every start.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        os.environ.setdefault("RUN_STARTED", f"{time.time():.1f}")
        problems = preflight.problems({**os.environ, "DATA_DIR": str(settings.DATA_DIR)})
        problems += self._taken() if not problems else []
        problems += self._engine()
        if problems:
            for line in problems:
                self.stderr.write(line)
            sys.exit(2)
        try:
            startup.prepare()
        except KeyboardInterrupt:
            self.stderr.write("已停止。")
            sys.exit(130)
        close_engine()
        connections.close_all()
        self._become_server()

    @staticmethod
    def _taken() -> list[str]:
        """A folder that another site works in has one writer already: two would wait for each other for ever."""
        lock = FileLock(Path(settings.DATA_DIR) / "housekeeping.lock")
        if not lock.acquire():
            return [
                f"已有一个网站在使用 {settings.DATA_DIR}。"
                "解决办法：先停掉它，或另设 DATA_DIR=另一个文件夹，作为第二个市场。"
            ]
        lock.release()
        return []

    @staticmethod
    def _engine() -> list[str]:
        try:
            open_engine(settings.SEARCH_URL, Path(settings.DATA_DIR) / "search").close()
        except EngineUnavailable as error:
            return [str(error)]
        return []

    @staticmethod
    def _become_server() -> None:
        # The server starts elsewhere: a relative folder would be another one there.
        os.environ["DATA_DIR"] = str(settings.DATA_DIR)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.base")
        os.chdir(settings.BASE_DIR)
        # Taking over this very process: a signal for it is a signal for the server.
        os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", "python:marketplace.gunicorn"])  # noqa: S606
