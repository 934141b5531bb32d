"""nginx with a configuration of the caller's, all its paths in a folder."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from . import machine
from .ports import answers
from .process import Server

# For development: what stands in front of the site, and nothing of what production adds to it.
PROXY = """
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_max_body_size 24m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
        }}
    }}
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx(Server):
    """`configuration`: text with every path already as on this machine; it must listen on `port`."""

    name = "nginx"
    STOP_SIGNAL = signal.SIGQUIT  # answers what it has begun
    STOP_SECONDS = 10.0

    def __init__(self, folder: Path | str, port: int | None = None, *, configuration: str = "") -> None:
        super().__init__(folder, port)
        self.configuration = configuration

    @classmethod
    def proxy(cls, folder: Path | str, upstream: int, port: int | None = None) -> Nginx:
        """In front of the site that listens on `upstream`."""
        server = cls(folder, port)
        server.configuration = PROXY.format(port=server.port, upstream=upstream)
        return server

    @classmethod
    def install(cls) -> None:
        if not cls._program():
            machine.apt("nginx", "nginx-light")

    @staticmethod
    def _program() -> str | None:
        # Debian keeps it where only root's PATH leads.
        return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        (self.folder / "temp").mkdir(exist_ok=True)
        text = self.configuration
        if "client_body_temp_path" not in text:
            http = "".join(f"    {name}_temp_path {self.folder}/temp/{name};\n" for name in TEMPORARY)
            text = text.replace("http {\n", "http {\n" + http, 1)
        if "\npid " not in text:
            text = f"pid {self.folder}/nginx.pid;\n{text}"
        (self.folder / "nginx.conf").write_text(text)

    def command(self) -> list[str]:
        # Its workers would be another user, who may not enter our folder.
        user = "user root;" if machine.is_root() else ""
        return [
            *(self._program() or "nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")),
            *("-e", str(self.folder / "error.log")),
            *("-g", f"daemon off; {user}"),
        ]

    def answers(self) -> bool:
        return answers(self.port)
