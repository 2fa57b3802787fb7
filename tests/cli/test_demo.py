"""The demonstration, as a newcomer runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(180)
def test_the_demonstration_plays_every_step_and_ends_with_zero(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jumpseat", "demo", "--once"], cwd=tmp_path, capture_output=True, text=True, timeout=170, check=False
    )

    assert done.returncode == 0, done.stderr
    titles = [line.partition(". ")[2] for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert titles == ["Resolve", "Open", "Share", "The customer joins", "The supporter joins", "Close", "History"]
    assert list(tmp_path.iterdir()) == []
