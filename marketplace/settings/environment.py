"""The one reader of the environment. The README's table of settings is generated from VARIABLES."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Variable:
    """One environment variable: its name, what happens without it, what it is for."""

    name: str
    default: str
    meaning: str
    needed_in_production: bool = False


VARIABLES = (
    Variable("PORT", "8000", "网站监听的端口"),
    Variable("HOST", "127.0.0.1", "网站监听的地址"),
    Variable("SITE_URL", "http://HOST:PORT", "对外网址，写进邮件和登记证明的二维码", True),
    Variable("DATA_DIR", "var/", "全部状态所在的文件夹：数据库、索引、媒体、私有文件、日志", True),
    Variable("DEMO", "./run 下为 1，否则为 0", "1 装入演示数据；0 为空库，并建一名管理员、打印其密码"),
    Variable("DATABASE_URL", "DATA_DIR 中的 SQLite", "PostgreSQL 地址，如 postgres://用户:口令@主机/库", True),
    Variable("SEARCH_URL", "embedded:", "检索引擎：内嵌，或 Elasticsearch 地址 http://主机:9200[,…]"),
    Variable("SEARCH_PREFIX", "market", "Elasticsearch 中索引名的前缀；几个市场共用一个集群时各不相同"),
    Variable("SEARCH_SHARDS", "1", "Elasticsearch 主分片数；一百万条以内用 1，改动后重建索引生效"),
    Variable("SEARCH_REPLICAS", "0", "Elasticsearch 副本数；多节点集群至少 1"),
    Variable("REDIS_URL", "无，任务在网站进程内办理", "Redis 地址，如 redis://主机:6379/0；设后由 Celery 进程办理任务"),
    Variable("WEB_CONCURRENCY", "1", "网站进程数；仅在设了 REDIS_URL 时有效"),
    Variable("WORKER_CONCURRENCY", "4", "一个 Celery worker 同时办理的任务数"),
    Variable("WITH_WORKERS", "./run 下为 1，否则为 0", "1：设了 REDIS_URL 时由网站一并启动 worker 和 beat"),
    Variable("EMAIL_URL", "写入 DATA_DIR/mail", "发信服务器，如 smtp://用户:口令@主机:587", True),
    Variable("SECRET_KEY", "DATA_DIR 中生成并保存", "签名密钥，至少 50 个字符", True),
    Variable("ALLOWED_HOSTS", "HOST 与本机", "允许的主机名，逗号分隔", True),
    Variable("TRUSTED_PROXIES", "0", "网站之前的反向代理层数，用来取真实来访地址", True),
    Variable("DJANGO_SETTINGS_MODULE", "marketplace.settings.base", "生产用 marketplace.settings.production", True),
    Variable("JUDGED_DATA", "无", "带判断的数据文件夹，仅供测试；不设则跳过相关测试"),
)

env = environ.Env()

# Commands that touch no DATA_DIR, not even for a key: they sign nothing.
WITHOUT_STATE = ("rank", "evaluate", "accept")


def data_dir() -> Path:
    """Return the one folder that holds all state, absolute; it need not exist yet."""
    path = Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").expanduser()
    return path if path.is_absolute() else (Path.cwd() / path).resolve()


def secret_key(folder: Path) -> str:
    """Return SECRET_KEY, or one made once and kept in DATA_DIR, so that sessions survive a restart."""
    given = os.environ.get("SECRET_KEY")
    if given:
        return given
    if sys.argv[1:2] and sys.argv[1] in WITHOUT_STATE:
        from django.core.management.utils import get_random_secret_key

        return get_random_secret_key()
    path = folder / "secret_key"
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write_key(path)
        return path.read_text().strip()
    except OSError as error:
        sys.stderr.write(
            f"DATA_DIR 不能使用：{folder}（{error.strerror}）。请换一个能写的文件夹，例如 DATA_DIR=var2 ./run\n"
        )
        raise SystemExit(2) from None


def _write_key(path: Path) -> None:
    """Make the key; where another command was first, his stands."""
    from django.utils.crypto import get_random_string

    # Exclusive creation: two commands started together must not sign with two keys.
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "w") as file:
        file.write(get_random_string(64))
