"""Looks at every component in every state: the portfolio's pages in the looks that there are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from jumpseat.web.portfolio import PATH, examples

SKINS = ("neutral", "salesforce", "dynamics")
SCHEMES = ("light", "dark")
WIDTHS = (1200, 320)
LOOKS = tuple(product(SKINS, SCHEMES, WIDTHS))


def of_all() -> Iterator[tuple[str, int]]:
    """Every example in every look: its address, and the width of the window."""
    for skin, scheme, width in LOOKS:
        for name in examples():
            yield address(name, skin, scheme), width


def of_each() -> Iterator[tuple[str, int]]:
    """Every example in one look, the looks taken in turns, so that each look is there several times."""
    for number, name in enumerate(examples()):
        skin, scheme, width = LOOKS[number % len(LOOKS)]
        yield address(name, skin, scheme), width


def address(name: str, skin: str, scheme: str) -> str:
    """Address of an example in a look; the CRMs' looks are those of frames."""
    return f"{PATH}/{name}?skin={skin}&scheme={scheme}&framed={str(skin != 'neutral').lower()}"
