"""The part of a host that says what was done through sessions: connections, the company report, devices."""

from __future__ import annotations

from jumpseat.clock import Clock
from jumpseat.wiring import Wiring


class Reporting:
    """What was done through sessions: connections, the company report, devices; ``Host`` adds the rest."""

    _wiring: Wiring
    clock: Clock
