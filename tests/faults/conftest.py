"""What the fault bench shares: gateways that count, and its modules on the path."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from gateways import Gateways  # after the path above


@pytest.fixture
def gateways() -> Iterator[Gateways]:
    with Gateways() as running:
        yield running
