"""How far a long command is: on a terminal, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Bar: TypeAlias = Callable[[str, int, int], None]
"""Takes what is worked on, how much of it is done, and how much there is."""


@contextmanager
def bars() -> Iterator[Bar]:
    """A bar for each thing that is worked on, on stderr; nothing where that is no terminal."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as shown:
        known = dict[str, int]()

        def show(what: str, done: int, total: int) -> None:
            if what not in known:
                known[what] = int(shown.add_task(what, total=total))
            shown.update(known[what], completed=done, total=total)  # type: ignore[arg-type]  # a task's id is a whole number

        yield show
