"""Fixtures of the catalogue's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace without problems."""
    from workspaces import small_workspace

    return small_workspace(tmp_path / "workspace")
