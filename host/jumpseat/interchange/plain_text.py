"""The plain words of an HTML template: for those who have no text of their own, and to tell whether a text says anything else."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    "address article blockquote br div footer h1 h2 h3 h4 h5 h6 header hr li main ol p section table tr ul".split(" ")  # noqa: SIM905  # reads better
)
_SILENT = frozenset(("head", "script", "style", "title"))
_SPACES = re.compile(r"[ \t\n\r\f]+")


def plain_text(html: str) -> str:
    """The words of a page, a line for each block; a link whose address the words do not show has it behind them."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [_SPACES.sub(" ", line).strip() for line in "".join(reader.pieces).split("\0")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


class _Reader(HTMLParser):
    """Collects words; NUL stands for the end of a line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.silent = 0
        self.links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag in _BLOCKS:
            self.pieces.append("\0")
        elif tag == "a":
            self.links.append((dict(attrs).get("href") or "", len(self.pieces)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _BLOCKS and tag != "br":
            self.pieces.append("\0")
            if tag == "p":
                self.pieces.append("\0")
        elif tag == "a" and self.links:
            address, start = self.links.pop()
            if address and address not in "".join(self.pieces[start:]):
                self.pieces.append(f" {address}")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.pieces.append(data.replace("\0", ""))
