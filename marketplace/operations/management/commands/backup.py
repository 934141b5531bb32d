"""Put the whole market into one archive, also while the site runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from marketplace.operations import archive


class Command(BaseCommand):
    help = "把整个市场（数据库、媒体、私有文件、签名密钥）备份到一个文件；网站可以同时运行。请妥善保管该文件。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="备份文件，例如 market.tar.gz；已存在则不覆盖")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = archive.backup(file)
        except archive.CannotRun as error:
            self.stderr.write(str(error))
            sys.exit(2)
        size = file.stat().st_size / 1048576
        self.stdout.write(f"已备份到 {file}：{len(manifest.files)} 个文件，{size:.1f} MB")
