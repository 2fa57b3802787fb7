"""The part of a host that says what operators do: jobs, alerts, processes."""

from __future__ import annotations

from jumpseat.clock import Clock
from jumpseat.wiring import Wiring


class Operating:
    """What operators do: jobs, alerts, processes; ``Host`` adds the rest."""

    _wiring: Wiring
    clock: Clock
