"""What would stop the site from starting, each with its cure. Standard library only: `./run` asks it before anything is
installed, with whatever Python there is."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def port_number(text: str) -> int | None:
    """The port that PORT means; None for what is no port."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 65536 else None


def is_free(host: str, port: int) -> bool:
    """True where we could listen there now. A port that a closed connection still lingers on is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def port_problem(host: str, port_text: str) -> str:
    """One Chinese line with the cure, or nothing."""
    port = port_number(port_text)
    if port is None:
        return f"PORT 应为 1–65535 的整数，现在是“{port_text}”。解决办法：PORT=8001 ./run"
    if is_free(host, port):
        return ""
    try:
        socket.getaddrinfo(host, port)
    except OSError:
        return f"HOST“{host}”不是本机的地址。解决办法：HOST=127.0.0.1 ./run"
    if port < 1024 and getattr(os, "geteuid", lambda: 0)() != 0:
        return f"端口 {port} 需要管理员权限。解决办法：PORT=8000 ./run"
    other = next((p for p in range(port + 1, min(port + 200, 65536)) if is_free(host, p)), None)
    if other is None:
        return f"不能在 {host}:{port} 上监听。解决办法：检查 HOST 是否是本机地址，或换一个 PORT。"
    return f"端口 {port} 已被别的程序占用。解决办法：PORT={other} ./run，或先停掉占用它的程序。"


def folder_problem(folder: Path) -> str:
    """One Chinese line with the cure when the state folder cannot be made or written, or nothing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return (
            f"DATA_DIR“{folder}”不能写入（{error.strerror or error}）。"
            "解决办法：换一个文件夹，如 DATA_DIR=$HOME/market ./run，或改好它的权限、腾出磁盘空间。"
        )
    return ""


def problems(environment: dict[str, str]) -> list[str]:
    """Everything that would stop a start, as Chinese lines; empty when nothing would."""
    folder = Path(environment.get("DATA_DIR") or ROOT / "var").expanduser()
    found = [
        port_problem(environment.get("HOST") or "127.0.0.1", environment.get("PORT") or "8000"),
        folder_problem(folder if folder.is_absolute() else Path.cwd() / folder),
    ]
    return [line for line in found if line]


if __name__ == "__main__":
    lines = problems(dict(os.environ))
    sys.stderr.writelines(line + "\n" for line in lines)
    sys.exit(2 if lines else 0)
