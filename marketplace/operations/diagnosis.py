"""What is wrong with this installation, each with its cure. Looks, changes nothing."""

from __future__ import annotations

import datetime as dt
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.utils import timezone

from marketplace import guards, workdays
from marketplace.deals.models import MatchDue
from marketplace.deals.suggesting import TRIES
from marketplace.jobs.models import Job
from marketplace.jobs.runner import LEASE
from marketplace.notifications.models import Notice
from search import changes
from search.engines import EngineDown, EngineUnavailable, get_engine
from search.models import SearchAlarm, SearchChange

from . import catalogues, startup
from .heartbeat import lacks_of_workers

# Below this the database may stop in the middle of a day.
FREE_BYTES = 500 * 1024 * 1024
# A change that waits longer than this has nobody who takes it in.
STALE = dt.timedelta(minutes=5)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: a name for scripts, what, and what to do about it (Chinese)."""

    name: str
    what: str
    cure: str


def database() -> Iterator[Finding]:
    """Pending migrations, lost guards, a damaged file."""
    if pending := startup.pending_migrations():
        yield Finding("migrations", f"有 {len(pending)} 个迁移没有执行：{pending[0]} 等", "运行 ./run manage migrate")
    if lost := guards.missing():
        yield Finding(
            "guards", f"缺少 {len(lost)} 个数据库防护：{'、'.join(lost[:5])}", "运行 ./run manage migrate，会重新装上"
        )
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            verdict = cursor.fetchone()[0]
            cursor.execute("PRAGMA foreign_key_check")
            broken = cursor.fetchall()
        if verdict != "ok":
            yield Finding("database", f"数据库文件损坏：{verdict}", "停止网站，用 ./run manage restore 恢复最近的备份")
        if broken:
            yield Finding(
                "references",
                f"有 {len(broken)} 行指向不存在的记录（{broken[0][0]}）",
                "用最近的备份恢复，或联系维护人员",
            )


# What helps, by the state of the index.
INDEX_CURES = {
    "down": "检查 SEARCH_URL，确认 Elasticsearch 在运行、磁盘没有写满；恢复后等待的改动会自动写入",
}
REBUILDS = "启动网站会自动重建，或运行 ./run manage search_rebuild"


def index() -> Iterator[Finding]:
    """An index that cannot answer, rows that nobody takes in, documents that differ from the database."""
    try:
        state = get_engine().status()
    except EngineUnavailable as error:
        yield Finding("engine", str(error), "去掉 SEARCH_URL，或改为 embedded: 或 http:// 开头的地址")
        return
    if state.state != "ok":
        yield Finding(
            "index",
            f"检索索引不可用：{state.state} {state.detail}".strip(),
            INDEX_CURES.get(state.state, REBUILDS),
        )
    yield from changes_that_wait()
    if alarms := SearchAlarm.objects.filter(handled_at=None, is_lag=False).count():
        yield Finding("alarms", f"检索有 {alarms} 条告警没有处理", "在后台“报告 → 检索状态”查看，处理后点“已处理”")
    if state.state == "ok":
        try:
            drift = changes.reconcile()
        except EngineDown as error:
            yield Finding("index", f"检索索引读不出：{error}", "运行 ./run manage search_rebuild")
            return
        if drift:
            yield Finding(
                "drift", f"索引与数据库有 {len(drift)} 处不一致", "运行 ./run manage search_reconcile --repair"
            )


def changes_that_wait() -> Iterator[Finding]:
    """Parked changes, and rows that nobody takes in."""
    parked = SearchChange.objects.parked()
    if first := parked.first():
        yield Finding(
            "parked",
            f"{parked.count()} 条内容多次进不了索引：{first.key}（{first.parked_reason}）",
            "改好内容后重新保存发布，会自动再试；或在后台“报告 → 检索状态”重试",
        )
    old = SearchChange.objects.waiting().filter(created_at__lt=timezone.now() - STALE).count()
    if old:
        yield Finding(
            "drain", f"{old} 条内容等了 5 分钟以上还没有进入索引", "确认网站在运行；或运行 ./run manage search_drain"
        )


def matches() -> Iterator[Finding]:
    """Matches that nobody computes, and those that failed too often."""
    stuck = MatchDue.objects.filter(created_at__lt=timezone.now() - STALE, tries__lt=TRIES).order_by("created_at")
    if first := stuck.first():
        why = first.error or "没有错误记录"
        yield Finding(
            "matches", f"{stuck.count()} 条需求或成果等了 5 分钟以上没有匹配（{why}）", "确认网站在运行，查看日志"
        )
    failed = MatchDue.objects.filter(tries__gte=TRIES).select_related("record").order_by("created_at")
    if first := failed.first():
        yield Finding(
            "matches_parked",
            f"{failed.count()} 条需求或成果试了 {TRIES} 次都没有算出匹配：{first.record.number}（{first.error}）",
            "查看日志；改好内容重新发布会自动再试",
        )


def work() -> Iterator[Finding]:
    """Matches, jobs and mails that do not get on."""
    yield from matches()
    for line in lacks_of_workers():
        yield Finding("worker", line, "启动 worker 和 beat；确认 REDIS_URL 可达")
    dead = Job.objects.filter(state="running", beat_at__lt=timezone.now() - 2 * LEASE).count()
    if dead:
        yield Finding("jobs", f"{dead} 个任务没有进程在办", "启动网站，会自动从头办理")
    failed = Notice.objects.filter(mail_state="failed").count()
    if failed:
        yield Finding("mail", f"{failed} 封邮件多次发不出去", "检查 EMAIL_URL 与发信服务器；站内通知不受影响")


def files() -> Iterator[Finding]:
    """Folders that cannot be written, static files that are not what the code has, too little room, an open key."""
    folders = {"DATA_DIR": settings.DATA_DIR, "MEDIA_ROOT": settings.MEDIA_ROOT, "PRIVATE_ROOT": settings.PRIVATE_ROOT}
    for name, folder in folders.items():
        path = Path(folder)
        try:
            if path.exists():
                with tempfile.TemporaryFile(dir=path):
                    pass
        except OSError as error:
            yield Finding("folder", f"{name} {path} 不能写入：{error.strerror}", "改好文件夹的权限，或腾出磁盘空间")
    free = shutil.disk_usage(settings.DATA_DIR).free
    if free < FREE_BYTES:
        yield Finding("disk", f"磁盘只剩 {free // 1048576} MB", "腾出空间，至少 500 MB")
    stamp = Path(settings.STATIC_ROOT) / "stamp"
    if not stamp.is_file() or stamp.read_text() != startup.static_stamp():
        yield Finding("static", "静态文件没有收集或不是当前版本", "重新启动网站，会自动收集")
    key = Path(settings.DATA_DIR) / "secret_key"
    if key.exists() and stat.S_IMODE(key.stat().st_mode) & 0o077:
        yield Finding("key", "签名密钥文件别的用户也能读", f"运行 chmod 600 {key}")
    if stale := catalogues.stale(settings.BASE_DIR):
        yield Finding("catalogues", f"{len(stale)} 个语言目录没有编译", "运行 ./run manage catalogues --compile")
    fonts = Path(apps.get_app_config("contracts").path) / "fonts"
    if not any(fonts.glob("*.ttf")):
        yield Finding("font", "缺少登记证明用的中文字体", "从版本库恢复 marketplace/contracts/fonts")


def configuration() -> Iterator[Finding]:
    """Settings that will hurt somebody, and a calendar that ends."""
    if not settings.DEMO and settings.SITE_URL.startswith(("http://127.", "http://localhost")):
        yield Finding(
            "site_url", f"SITE_URL 是 {settings.SITE_URL}，邮件和登记证明上的网址别人打不开", "设 SITE_URL 为对外网址"
        )
    if settings.SITE_URL.startswith("https://") and not settings.SESSION_COOKIE_SECURE:
        yield Finding(
            "profile",
            "对外网址是 https，但用的不是生产配置",
            "设 DJANGO_SETTINGS_MODULE=marketplace.settings.production",
        )
    today = timezone.localdate()
    try:
        workdays.working_days_after(today, 5)
    except workdays.MissingCalendar as error:
        yield Finding("calendar", str(error), "升级 chinesecalendar；在此之前期限按自然日暂计，并标明“暂定”")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (database, index, work, files, configuration)


def findings() -> list[Finding]:
    """Everything that is wrong now. Raises DatabaseError where the database cannot be asked at all."""
    connection.ensure_connection()
    found: list[Finding] = []
    for check in CHECKS:
        found.extend(check())
        # Tables that do not exist yet would make every further question fail with the same cause.
        if any(finding.name == "migrations" for finding in found):
            break
    return found


def as_dict(finding: Finding) -> dict[str, str]:
    return asdict(finding)
