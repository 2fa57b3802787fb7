"""The two parts of a template: its front matter and what stands below; a metadata file is all front matter."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jumpseat.catalogue.files import TEMPLATES

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_FENCE = "---"


@dataclass(frozen=True, slots=True)
class Parts:
    """A text in its two parts."""

    front: str
    """YAML."""
    body: str = ""
    fenced: bool = False
    """The front matter stands between two lines of three dashes."""

    def put_together(self, front: str, body: str) -> str:
        """One text again, with other parts."""
        if not self.fenced:
            return front or body
        newline = "\r\n" if "\r\n" in front + body else "\n"
        return f"{_FENCE}{newline}{front}{_FENCE}{newline}{body}"


def parted(path: str, text: str) -> Parts:
    """The parts of a text.

    Args:
        path: of the file; only templates have two parts, and of these not the HTML.
        text: all of it.
    """
    if not path.startswith(f"{TEMPLATES}/"):
        return Parts(text)
    if not path.endswith(".txt"):
        return Parts("", text)
    if not text:
        return Parts("", "", fenced=True)
    lines = _LINE.findall(text)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if lines[0].rstrip() != _FENCE or end is None:
        return Parts("", text)
    return Parts("".join(lines[1:end]), "".join(lines[end + 1 :]), fenced=True)
