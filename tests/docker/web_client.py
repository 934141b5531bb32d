"""A browser over TLS for the people of the journeys: called like Django's test client, but through a real proxy."""

from __future__ import annotations

import http.client
import http.cookies
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

SECONDS = 60


class Answer:
    """What the journeys read of an answer."""

    def __init__(self, status: int, headers: http.client.HTTPMessage, content: bytes) -> None:
        self.status_code, self.headers, self.content = status, headers, content
        self.redirect_chain: list[tuple[str, int]] = []

    def get(self, name: str, otherwise: str = "") -> str:
        return self.headers.get(name, otherwise)

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


class WebClient:
    """Cookies of one person; `port` is where the proxy speaks TLS on this machine, `host` whom he thinks to reach."""

    def __init__(self, host: str, port: int, certificate: Path) -> None:
        self.host, self.port = host, port
        self.cookies: dict[str, str] = {}
        self.tls = ssl.create_default_context(cafile=str(certificate))
        # The name is the market's, the address this machine's.
        self.tls.check_hostname = False

    def get(self, address: str, data: dict[str, Any] | None = None, follow: bool = False) -> Answer:
        if data:
            address += ("&" if "?" in address else "?") + urlencode(data, doseq=True)
        return self._followed("GET", address, b"", {}, follow)

    def post(self, address: str, data: dict[str, Any], content_type: str = "", follow: bool = False) -> Answer:
        body = encode_multipart(BOUNDARY, data)
        return self._followed("POST", address, body, {"Content-Type": content_type or MULTIPART_CONTENT}, follow)

    def _followed(self, method: str, address: str, body: bytes, headers: dict[str, str], follow: bool) -> Answer:
        answer = self.send(method, address, body, headers)
        chain = []
        while follow and answer.status_code in (301, 302, 303):
            target = urljoin(f"https://{self.host}{address}", answer["Location"])
            assert urlsplit(target).netloc == self.host, f"{address} leads to {target}"
            address = target.removeprefix(f"https://{self.host}")
            chain.append((address, answer.status_code))
            assert len(chain) < 10, chain
            answer = self.send("GET", address)
        answer.redirect_chain = chain
        return answer

    def send(self, method: str, address: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """One request, nothing followed."""
        address = quote(address, safe="/?=&%:,;+@~!$'()*[]")
        line = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=SECONDS, context=self.tls)
        try:
            cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            given = {"Host": self.host, "Referer": f"https://{self.host}{address}"}
            given |= {"Cookie": cookies} if cookies else {}
            line.request(method, address, body or None, {**given, **(headers or {})})
            answer = line.getresponse()
            content = answer.read()
        finally:
            line.close()
        for text in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in http.cookies.SimpleCookie(text).items():
                self.cookies[name] = morsel.value
        return Answer(answer.status, answer.headers, content)
