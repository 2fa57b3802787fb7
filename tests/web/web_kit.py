"""What the tests of the pages share: somebody who reads pages over HTTP, and finds things in them as people do."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import requests

from jumpseat import Host, RecordRef
from jumpseat.web.identity import VISIT_COOKIE, record_path

CASE = "500A000000D34xyIAB"
ADMINISTRATOR = "005A000000Jmu01IAB"
USER = "005A000000Jmu02IAB"
WITHOUT_RIGHTS = "005A000000Jmu04IAB"


@dataclass
class Reader:
    """Somebody signed in, without a browser: keeps the cookie and repeats a form's hidden fields."""

    base: str
    cookie: str
    language: str = "en"

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.base + path, headers=self._headers(headers), timeout=30, allow_redirects=False)

    def post(self, path: str, page: str, /, **fields: Any) -> requests.Response:
        """Send the form of a page that was read before."""
        hidden = {"form_token": re.search(r'name="form_token" value="([^"]+)"', page)[1], "once": secrets.token_urlsafe(8)}  # type: ignore[index]
        body = urlencode({**hidden, **fields}, doseq=True)
        headers = self._headers({"Content-Type": "application/x-www-form-urlencoded"})
        return requests.post(self.base + path, body, headers=headers, timeout=30, allow_redirects=False)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Cookie": f"{VISIT_COOKIE}={self.cookie}", "Accept": "text/html", "Accept-Language": self.language, **more}


@dataclass(frozen=True)
class Pages:
    """The pages of a served host."""

    base: str
    host: Host

    def reader(self, supporter: str | None = ADMINISTRATOR, language: str = "en") -> Reader:
        """Somebody signed in; None: the operator."""
        begun = self.host.take_visit_link(self.host.create_visit_link(self.host.operator(), supporter))
        return Reader(self.base, begun.token.reveal(), language)

    def visit_link(self, supporter: str | None = None) -> str:
        """A link that signs in, at the name of this machine that a browser takes for secure."""
        ticket = self.host.create_visit_link(self.host.operator(), supporter)
        return f"{self.local}/visit/{ticket.reveal()}"

    @property
    def local(self) -> str:
        """The host's address by name; the CRM's pages use the number, which is another site."""
        return self.base.replace("127.0.0.1", "localhost")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def text_of(answer: requests.Response | str) -> str:
    """What somebody reads on a page, its white space made one."""
    parser = _Text()
    parser.feed(answer if isinstance(answer, str) else answer.text)
    return " ".join(" ".join(parser.parts).split())


def path_of(record: str = CASE, component: str = "session", object: str = "Case", source: str = "sandbox") -> str:
    return record_path(RecordRef(object, record, source), component)
