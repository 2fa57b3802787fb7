"""How a long-running command ends: orderly, and in any case."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from jumpseat.spans import stop_spans

if TYPE_CHECKING:
    from jumpseat.host import Host

log = logging.getLogger(__name__)


def leave(host: Host) -> None:
    """End the process now when a call of a plugin or a piece of work did not come back in time: its thread would hold the process.

    What it held is back in its queue already, or is settled like the work of a process that was killed.

    Args:
        host: closed.
    """
    stop_spans()
    if host.left_running:
        log.warning("left_running", extra={"reason": "something did not end in time; the process ends without it"})
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)
