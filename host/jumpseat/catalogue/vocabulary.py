"""What the plugins bring, as far as metadata may name it. Handed in by the host: this room knows no plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from jumpseat.contract import Setting
from jumpseat.types import NOTHING, ObjectInfo, Recipe


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that metadata may use because a plugin brings them."""

    session_types: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    source_kinds: Mapping[str, tuple[Setting, ...]] = field(default_factory=lambda: NOTHING)
    """Settings by kind of record source."""
    plugins: Mapping[str, tuple[Setting, ...]] = field(default_factory=lambda: NOTHING)
    """Settings by name of the plugin: its own and those of its session types and channels."""
    describe: Callable[[str, str], ObjectInfo | None] | None = None
    """Asks the record source of this name for an object; None when nobody may be asked (no ``--live``)."""
    recipe: Callable[[str, str], Recipe | None] | None = None
    """Asks the record source of this name for its recipe of an object; None when nobody may be asked."""
    contact_object: Callable[[str], str] | None = None
    """Asks the record source of this name which object its contacts are; empty where it does not say."""
    complete: bool = True
    """False when plugins were left out or failed: a name that is not known is then a warning, not an error."""


def near(word: str, words: Iterable[str]) -> str | None:
    """The one of ``words`` that ``word`` was probably meant to be; None when none is close."""
    candidates = sorted(words)
    if not candidates:
        return None
    folded = {one.casefold(): one for one in reversed(candidates)}
    found = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None
