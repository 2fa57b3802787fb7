"""English that looks foreign: accented, longer, between brackets; places, tags and entities are kept."""

from __future__ import annotations

import re

LONGER = 0.4
"""French and German texts are up to so much longer than English ones."""
_KEPT = re.compile(r"(\{[^{}]*\}|%\(\w+\)[sd]|%%|</?[A-Za-z][^<>]*>|&[#\w]+;)")
_ACCENTED = str.maketrans("AEIOUYaeiouyCNScns", "ÅÉÎÖÛÝåéîöûýÇÑŠçñš")


def pseudo(text: str) -> str:
    """The text in the pseudo-language; one without a letter of its own stays as it is."""
    parts = _KEPT.split(text)
    letters = sum(sum(map(str.isalpha, part)) for part in parts[::2])
    if not letters:
        return text
    parts[::2] = [part.translate(_ACCENTED) for part in parts[::2]]
    return f"[{''.join(parts)}{' ~' * max(1, round(LONGER * len(text) / 2))}]"
