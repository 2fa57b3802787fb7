"""What a page costs a browser: how many requests, how many bytes, from nowhere else than the host."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path

import pytest
import requests
from web_kit import Pages, path_of

import jumpseat.web

STATIC = Path(jumpseat.web.__file__).parent / "static"
HTMX = "sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"


def test_a_session_takes_four_requests_and_25_kilobytes_of_script_and_style(pages: Pages) -> None:
    page = pages.reader().get(path_of()).text
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    answers = [requests.get(pages.base + part, headers={"Accept-Encoding": "gzip"}, stream=True, timeout=60) for part in parts]

    assert len(parts) + 1 <= 4
    assert all(answer.headers["Content-Encoding"] == "gzip" for answer in answers)
    assert sum(len(answer.raw.read()) for answer in answers) <= 25 * 1024


def test_a_page_loads_nothing_from_elsewhere(pages: Pages) -> None:
    page = pages.reader().get(path_of()).text
    assert re.findall(r'<(?:link|script|img|iframe)[^>]*(?:href|src)="(?!/static/|/)[^"]*"', page) == []


def test_a_static_file_is_kept_for_good_under_its_hash_and_asked_for_again_under_another(pages: Pages) -> None:
    address = re.search(r'"(/static/[^"]+\.css)"', pages.reader().get(path_of()).text)[1]  # type: ignore[index]
    other = re.sub("/static/[0-9a-f]+/", "/static/0123/", address)
    kept = [requests.get(pages.base + path, timeout=60).headers["Cache-Control"] for path in (address, other)]
    assert kept == ["public, max-age=31536000, immutable", "no-cache"]


@pytest.mark.parametrize("name", ["../app.py", "..%2Fapp.py", "htmx.LICENSE", "nothing.css"])
def test_nothing_but_the_pages_own_files_is_served(pages: Pages, name: str) -> None:
    assert requests.get(f"{pages.base}/static/0/{name}", timeout=60).status_code == 404


def test_htmx_is_the_release_that_was_reviewed() -> None:
    digest = b64encode(hashlib.sha384((STATIC / "htmx.min.js").read_bytes()).digest()).decode()
    assert f"sha384-{digest}" == HTMX
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE").read_text(encoding="utf-8")
