"""What was written to the sample CRM, one JSON line per change, so that it outlives the process and other processes see it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Journal:
    """An append-only file of changes.

    Args:
        file: where it stands; made on the first change.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen = 0

    def append(self, change: Mapping[str, Any]) -> None:
        """Write one change down; ``news`` will yield it."""
        line = json.dumps(change, ensure_ascii=False, default=str).encode() + b"\n"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # One write in append mode: two processes never mix their lines.
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def news(self) -> list[dict[str, Any]]:
        """The changes since the last call, by this process or another; a half-written last line waits for its end."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._seen)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._seen += len(whole)
        return [json.loads(line) for line in whole.splitlines() if line.strip()]
