"""The part of a host that says what is told as it happens: live events."""

from __future__ import annotations

from jumpseat.clock import Clock
from jumpseat.wiring import Wiring


class Listening:
    """What is told as it happens: live events; ``Host`` adds the rest."""

    _wiring: Wiring
    clock: Clock
