"""The last good files of a workspace, kept whole in a folder named after their version."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jumpseat.log import get_logger

log = get_logger(__name__)

_KEPT = 2
"""Versions kept: the last one, and the one before for a process that is just reading it."""
_NEW = ".new-"


class LastGood:
    """Keeps and finds good versions.

    Args:
        folder: where they are kept; made on first use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, version: str, files: Mapping[str, bytes]) -> None:
        """Keep the files of a good version. A disk that does not take them is logged; the host goes on.

        Args:
            version: name of the folder they get.
            files: contents by path in the workspace.
        """
        try:
            self._write(version, files)
            self._forget_old()
        except OSError as error:
            log.warning("last_good_not_kept", version=version, reason=error.strerror)

    def folders(self) -> tuple[Path, ...]:
        """The kept versions, the newest first."""
        try:
            found = [entry for entry in self.folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
            return tuple(sorted(found, key=lambda entry: entry.stat().st_mtime_ns, reverse=True))
        except OSError:
            return ()

    def _write(self, version: str, files: Mapping[str, bytes]) -> None:
        target = self.folder / version
        if target.is_dir():
            os.utime(target)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=_NEW, dir=self.folder))
        try:
            for path, content in files.items():
                (new / path).parent.mkdir(parents=True, exist_ok=True)
                (new / path).write_bytes(content)
            # Seen whole or not at all: a crash before this line leaves only a hidden folder.
            new.rename(target)
            os.utime(target)
        except OSError:
            shutil.rmtree(new, ignore_errors=True)
            if not target.is_dir():
                raise

    def _forget_old(self) -> None:
        for folder in self.folders()[_KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)
