"""A local TeamViewer account: the Web API, the pages behind session links, OAuth, and control over all of it.

Written from the description of the API and not from the client, so that the one checks the other. Everything is in memory.
``/_emulator/`` takes JSON: ``knobs``, ``clock``, ``sessions/CODE/customer``, ``sessions/CODE/supporter``; ``state`` shows all but secrets.
"""

from __future__ import annotations

from jumpseat_teamviewer.emulator.knobs import Knobs
from jumpseat_teamviewer.emulator.server import Emulator, Running
from jumpseat_teamviewer.emulator.state import State

__all__ = ["Emulator", "Knobs", "Running", "State"]
