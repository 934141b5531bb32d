"""What happens between `./run` and the first page: each step works only where there is work, and says how long."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.urls import get_resolver
from django.utils.crypto import get_random_string

from marketplace import guards
from marketplace.accounts.models import User
from marketplace.demo.models import DemoAccount, DemoLoad

FIRST_ADMINISTRATOR = "admin@localhost"


def say(text: str) -> None:
    """A line for the person at the terminal, at once also when the output is a file."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def step(name: str) -> Iterator[list[str]]:
    """Time a step and print it; what is put into the list stands behind its name."""
    began = time.monotonic()
    notes: list[str] = []
    yield notes
    note = f"（{'；'.join(notes)}）" if notes else ""
    say(f"{name}{note}：{time.monotonic() - began:.1f} 秒")


def pending_migrations() -> list[str]:
    """Names of migrations that the code has and the database has not, in order."""
    executor = MigrationExecutor(connection)
    return [f"{m.app_label}.{m.name}" for m, _back in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def migrate() -> int:
    """Bring the database up to the code; how many migrations that took."""
    pending = pending_migrations()
    if pending:
        call_command("migrate", verbosity=0, interactive=False)
    return len(pending)


def put_guards() -> list[str]:
    """Install the triggers that are not in the database; their names."""
    lost = guards.missing()
    if lost:
        guards.install()
    return lost


def static_stamp() -> str:
    """A hash over what static files are made from: our own by size and time, those of packages by the lock."""
    digest = hashlib.sha256((settings.BASE_DIR / "requirements" / "base.txt").read_bytes())
    folders = [Path(folder) for folder in settings.STATICFILES_DIRS]
    folders += [
        Path(c.path) / "static" for c in apps.get_app_configs() if Path(c.path).is_relative_to(settings.BASE_DIR)
    ]
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            about = path.stat()
            digest.update(f"{path.relative_to(folder)} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static() -> bool:
    """Collect, name by hash and compress static files where a source changed; True where that was done."""
    stamp = Path(settings.STATIC_ROOT) / "stamp"
    wanted = static_stamp()
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    call_command("collectstatic", verbosity=0, interactive=False, clear=Path(settings.STATIC_ROOT).exists())
    stamp.write_text(wanted)
    return True


def is_empty() -> bool:
    """True for a market that nobody has used: no person in it."""
    return not User.objects.exists()


def load_demo() -> str:
    """Load the demo into an empty market, once; what was done or why not, in Chinese."""
    if DemoLoad.objects.exists():
        return "已有"
    if not is_empty() and not DemoAccount.objects.exists():
        return "没有装入：这个 DATA_DIR 里已是一个正式的市场。要看演示请另设 DATA_DIR，要用正式数据请设 DEMO=0"
    if "seed_demo" not in get_commands():
        return "没有装入：这个版本没有演示数据"
    call_command("seed_demo", verbosity=0)
    return "新装入"


@transaction.atomic
def make_administrator() -> str:
    """Make the first administrator of an empty market; his password, or nothing where somebody is there already."""
    if not is_empty():
        return ""
    from allauth.account.models import EmailAddress

    # Readable aloud and from paper: no 0/O, 1/l/I.
    password = get_random_string(16, "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
    user = User.objects.create_superuser(FIRST_ADMINISTRATOR, password, name="管理员")
    # Without it the first sign-in would wait for a code that no mail server sends.
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return password


def prepare() -> None:
    """Everything before the server starts. Safe at every start; a second one finds nothing to do."""
    with step("数据库") as notes:
        count = migrate()
        notes.append(f"执行 {count} 个迁移" if count else "已是最新")
        if lost := put_guards():
            notes.append(f"补上 {len(lost)} 个数据库防护")
    with step("静态文件") as notes:
        notes.append("重新收集" if collect_static() else "没有变化")
    if settings.DEMO:
        with step("演示数据") as notes:
            notes.append(load_demo())
    elif password := make_administrator():
        say("这是一个空的市场。已建立一名管理员，请登录后立即修改密码：")
        say(f"  邮箱 {FIRST_ADMINISTRATOR}  密码 {password}")


def warm_up() -> None:
    """Load what the first request would load: every address and its views. What cannot be loaded ends the start here,
    with its traceback, and not the first visitor's page."""
    get_resolver().url_patterns  # noqa: B018 (reading it loads all included modules)


def greet() -> None:
    """Say where the site is, and under DEMO who one can be. Printed when the first page can be answered."""
    began = float(os.environ.get("RUN_STARTED") or 0)
    took = f"（启动共 {time.time() - began:.1f} 秒）" if began else ""
    say("")
    say(f"网站已就绪{took}：http://{_address()}/")
    if settings.DEMO:
        accounts = list(DemoAccount.objects.select_related("user"))
        if accounts:
            say(f"演示账号（无密码，在 http://{_address()}/accounts/login/ 上一键进入）：")
        for account in accounts:
            say(f"  {account.title}（{account.hint}）")
    say("按 Ctrl-C 停止。")


def _address() -> str:
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::", "") else settings.HOST  # noqa: S104
    return f"[{host}]:{settings.PORT}" if ":" in host else f"{host}:{settings.PORT}"
