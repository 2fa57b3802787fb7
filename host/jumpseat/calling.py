"""The part of a host that says whom the host calls: outgoing webhooks."""

from __future__ import annotations

from jumpseat.clock import Clock
from jumpseat.wiring import Wiring


class Calling:
    """Whom the host calls: outgoing webhooks; ``Host`` adds the rest."""

    _wiring: Wiring
    clock: Clock
