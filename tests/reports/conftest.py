"""Puts the kit of this folder on the path: the processes that tests start use it too."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
