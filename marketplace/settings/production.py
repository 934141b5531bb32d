"""Refuses to start and lists everything that is missing at once."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from .environment import VARIABLES


def problems(environment: dict[str, str]) -> list[str]:
    """Return, in Chinese and one line each, what a production start lacks; empty when it may start."""
    found = [
        f"{v.name}：没有设置（{v.meaning}）"
        for v in VARIABLES
        if v.needed_in_production and v.name != "DJANGO_SETTINGS_MODULE" and not environment.get(v.name)
    ]
    if environment.get("DEMO", "0") not in ("", "0", "false", "False"):
        found.append("DEMO：生产环境不能装演示数据，请设为 0 或去掉")
    if environment.get("SECRET_KEY") and len(environment["SECRET_KEY"]) < 50:
        found.append(f"SECRET_KEY：只有 {len(environment['SECRET_KEY'])} 个字符，至少要 50 个")
    if environment.get("SITE_URL") and not environment["SITE_URL"].startswith("https://"):
        found.append("SITE_URL：必须以 https:// 开头")
    if "*" in environment.get("ALLOWED_HOSTS", "").split(","):
        found.append("ALLOWED_HOSTS：不能写 *，请逐个列出主机名")
    if environment.get("DATABASE_URL", "").startswith("sqlite"):
        found.append("DATABASE_URL：生产环境用 PostgreSQL，不用 SQLite")
    if not environment.get("TRUSTED_PROXIES", "").isdigit() or int(environment["TRUSTED_PROXIES"]) < 1:
        found.append("TRUSTED_PROXIES：写明网站前有几层反向代理（至少 1），否则限次会把所有来访当成一个人")
    return found


if _found := problems(dict(os.environ)):
    raise ImproperlyConfigured("生产环境不能启动，缺少或有误的设置：\n  " + "\n  ".join(_found))

from .base import *  # noqa: E402, F403

DEMO = False
# Mail of the site's own domain: a sender at example.org is refused by every mail server that checks (SPF, DMARC).
SERVER_EMAIL = f"noreply@{urlsplit(SITE_URL).hostname}"  # noqa: F405
DEFAULT_FROM_EMAIL = f"{WAGTAIL_SITE_NAME} <{SERVER_EMAIL}>"  # noqa: F405
SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31536000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# W019: Wagtail's preview is a frame of our own site, no other may frame it. W021: the browsers' preload list binds a
# whole domain for years; that is for its owner to ask for.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "security.W019", "security.W021"]  # noqa: F405
