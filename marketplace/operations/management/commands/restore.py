"""Put the market of an archive in place; nothing is touched before the archive is found sound."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from marketplace.operations import archive, startup
from search.engines.locks import FileLock


class Command(BaseCommand):
    help = "用备份恢复整个市场；先逐项核对，有一处不对就什么都不动。网站须先停止。"
    # The database that is here may be empty or broken: that is why one restores.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="backup 命令做出的文件")
        parser.add_argument("--replace", action="store_true", help="替换已有内容的市场（原内容移到旁边）")
        parser.add_argument("--migrate", action="store_true", help="接受较旧版本的备份，恢复后升级数据库")

    def handle(self, *args: Any, file: Path, replace: bool, migrate: bool, **options: Any) -> None:
        lock = FileLock(Path(settings.DATA_DIR) / "housekeeping.lock")
        if not lock.acquire():
            self.stderr.write("网站正在使用这个 DATA_DIR。请先停止网站再恢复。")
            sys.exit(2)
        try:
            manifest, aside = archive.restore(file, replace=replace, migrate=migrate)
        except archive.NotRestored as error:
            self.stderr.write(f"没有恢复，什么都没有改动。{error}")
            sys.exit(1)
        except archive.CannotRun as error:
            self.stderr.write(str(error))
            sys.exit(2)
        finally:
            lock.release()
        if migrate:
            call_command("migrate", verbosity=0, interactive=False)
        startup.put_guards()
        self.stdout.write(
            f"已恢复 {manifest.created_at} 的备份：{len(manifest.files)} 个文件。检索索引会在网站启动后重建。"
        )
        if aside is not None:
            self.stdout.write(f"原有内容在 {aside}，确认无误后可以删除。")
