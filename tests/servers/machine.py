"""What the machine has, and how to get the rest: Debian's packages when we are root, the cure in words otherwise."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

from .process import Unavailable

APT_SECONDS = 300


def is_root() -> bool:
    return os.geteuid() == 0


@functools.cache
def _update() -> None:
    _run(["apt-get", "update", "-qq"])


def _run(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=APT_SECONDS,
        check=True,
        text=True,
    )


def apt(what: str, *packages: str) -> None:
    """Install these packages; raises Unavailable, naming `what` and the cure, where that is impossible or fails."""
    cure = f"解决办法：以 root 运行 apt-get install --no-install-recommends {' '.join(packages)} 后重试。"
    if not is_root() or not shutil.which("apt-get"):
        raise Unavailable(f"没有安装 {what}。{cure}")
    try:
        _update()
        # Another's apt may be at work: its lock is waited for.
        _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", *packages])
    except subprocess.CalledProcessError as failure:
        last = (failure.stdout or "").strip().splitlines()[-1:]
        raise Unavailable(f"{what} 没有装成：{''.join(last)} {cure}") from failure
    except subprocess.TimeoutExpired as failure:
        raise Unavailable(f"{what} 在 {APT_SECONDS} 秒内没有装完。{cure}") from failure


def cache_folder() -> Path:
    """Where things built once are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "ordos-market"


def chromium() -> None:
    """Have the browser of the browser tests and a Chinese font (without one a page is boxes); raises Unavailable."""
    if not shutil.which("chromium-headless-shell"):
        apt("Chromium", "chromium-headless-shell")
    if not shutil.which("fc-list") or not _said(["fc-list", ":lang=zh", "family"]).strip():
        apt("中文字体", "fontconfig", "fonts-noto-cjk")


def _said(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
