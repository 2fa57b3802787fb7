"""The files of a workspace that may be edited: read, replaced whole and only where nobody else did meanwhile, and kept as they were."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from jumpseat.catalogue.files import METADATA, TEMPLATES, kind_of
from jumpseat.catalogue.source_text import MAX_BYTES
from jumpseat.errors import InvalidValue, Refused, StaleFile
from jumpseat.speech import say

KEPT = "edited"
"""Folder in ``var/`` with the former texts of what was edited."""
MOST_KEPT = 100
"""Former texts of one file; the oldest goes when there are more."""
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,119}")


@dataclass(frozen=True, slots=True)
class FileText:
    """One file as it was read."""

    path: str
    """In the workspace, with ``/``."""
    text: str = ""
    hash: str = ""
    """Of its bytes; empty for a file that is not there yet. Handed back with a change, it tells whether somebody else changed it."""

    @property
    def exists(self) -> bool:
        return bool(self.hash)


def hash_of(content: bytes | None) -> str:
    """What tells one content of a file from another; empty for no file."""
    return sha256(content).hexdigest()[:32] if content is not None else ""


def require_editable(path: str) -> str:
    """The path, if it names a metadata file or a template that something reads.

    Raises:
        InvalidValue: it leads elsewhere, or nothing reads such a file.
    """
    parts = path.split("/")
    plain = len(path) <= 250 and all(_PART.fullmatch(part) and not part.endswith((" ", ".")) for part in parts)
    of_metadata = parts[0] == METADATA and kind_of(path) is not None
    of_templates = parts[0] == TEMPLATES and len(parts) == 3 and path.endswith((".txt", ".html"))
    if not plain or not (of_metadata or of_templates):
        shown = "".join(char if char.isprintable() else "?" for char in path[:120])
        raise InvalidValue(say("'{file}' is no file that is edited here. Name one in metadata/ or templates/.", file=shown), param="file")
    return path


class EditableFiles:
    """The files of one workspace.

    Args:
        workspace: the folder with ``metadata/`` and ``templates/``.
        var: the host's own folder; the former texts go below it.
    """

    def __init__(self, workspace: Path, var: Path) -> None:
        self._workspace = workspace
        self._kept = var / KEPT

    def read(self, path: str) -> FileText:
        """One file; one that does not exist has no text and no hash.

        Raises:
            InvalidValue: the path is none that may be edited.
            Refused: it is a link or no regular file, is too long, is not UTF-8, or cannot be read.
        """
        content = self._content(require_editable(path))
        if content is None:
            return FileText(path)
        if len(content) > MAX_BYTES:
            raise Refused(say("{file} is longer than {n} KiB. Edit it on the machine.", file=path, n=MAX_BYTES // 1024))
        try:
            return FileText(path, content.decode("utf-8-sig"), hash_of(content))
        except UnicodeDecodeError:
            raise Refused(say("{file} is not UTF-8. Save it as UTF-8 on the machine.", file=path)) from None

    def write(self, path: str, text: str, expected: str, now: datetime) -> FileText:
        """Replace a file whole, or make it.

        Args:
            path: of the file.
            text: all of its new text.
            expected: hash that it had when it was read; empty for one that must not exist yet.
            now: the time, for the name under which the former text is kept.

        Raises:
            StaleFile: it has another content by now; that content stays.
            Refused: the disk refused; nothing was changed.
        """
        require_editable(path)
        with self._alone(path):
            before = self._expected(path, expected)
            bom = b"\xef\xbb\xbf" if before is not None and before.startswith(b"\xef\xbb\xbf") else b""
            content = bom + text.encode()
            if before is not None:
                self._keep(path, before, now)
                self._replace(path, content, expected)
            else:
                self._create(path, content)
        return FileText(path, text, hash_of(content))

    def delete(self, path: str, expected: str, now: datetime) -> None:
        """Delete a file; its text is kept in ``var/``. Raises like ``write``, and ``Refused`` where there is none."""
        require_editable(path)
        with self._alone(path):
            before = self._expected(path, expected)
            if before is None:
                raise Refused(say("{file} does not exist. Nothing was changed.", file=path))
            self._keep(path, before, now)
            beside = self._beside(path)
            os.replace(self._workspace / path, beside)
            if hash_of(beside.read_bytes()) != expected:  # changed in the blink between looking and moving
                os.replace(beside, self._workspace / path)
                raise self._stale(path)
            beside.unlink()

    # --- inside

    def _content(self, path: str) -> bytes | None:
        target = self._workspace
        for part in path.split("/")[:-1]:
            target = target / part
            # The folder at the top may be mounted or linked by whoever runs the machine; below it a link could lead anywhere.
            if target.is_symlink() and target.parent != self._workspace:
                raise _link(path)
        target = self._workspace / path
        try:
            number = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            if target.is_symlink():
                raise _link(path) from None
            why = (error.strerror or "unknown reason").lower()
            raise Refused(say("{file} cannot be read: {why}. Edit it on the machine.", file=path, why=why)) from None
        with os.fdopen(number, "rb") as opened:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise Refused(say("{file} is no regular file and is not edited here.", file=path))
            return opened.read(MAX_BYTES + 1)

    def _expected(self, path: str, expected: str) -> bytes | None:
        before = self._content(path)
        if hash_of(before) != expected:
            raise self._stale(path)
        return before

    def _stale(self, path: str) -> StaleFile:
        return StaleFile(
            say(
                "{file} was changed by somebody else while you edited it. Nothing was changed. Make your change again in its new text.",
                file=path,
            ),
            file=path,
        )

    @contextmanager
    def _alone(self, path: str) -> Iterator[None]:
        """One edit at a time, whichever process makes it; what the disk refuses is said in words."""
        try:
            self._kept.mkdir(parents=True, exist_ok=True)
            with (self._kept / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            why = (error.strerror or "unknown reason").lower()
            raise Refused(say("{file} cannot be written: {why}. Nothing was changed.", file=path, why=why)) from error

    def _keep(self, path: str, content: bytes, now: datetime) -> None:
        name = path.replace("/", "-")
        _write(self._kept / f"{now:%Y%m%dT%H%M%S%f}-{name}", content, 0o600)
        texts = sorted(one for one in self._kept.iterdir() if one.name.partition("-")[2] == name)
        for old in texts[:-MOST_KEPT]:
            old.unlink(missing_ok=True)

    def _beside(self, path: str) -> Path:
        target = self._workspace / path
        return target.with_name(f".{target.name}.{secrets.token_hex(4)}")

    def _create(self, path: str, content: bytes) -> None:
        target, new = self._workspace / path, self._beside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(new, content, 0o644)
            os.link(new, target)  # unlike a rename, this never takes the place of a file that has come meanwhile
        except FileExistsError:
            raise self._stale(path) from None
        finally:
            new.unlink(missing_ok=True)
        _settle(target.parent)

    def _replace(self, path: str, content: bytes, expected: str) -> None:
        """Seen whole or not at all. A change that slips in between the last look and the move is found afterwards and put back."""
        target, new, old = self._workspace / path, self._beside(path), self._beside(path)
        try:
            _write(new, content, target.stat().st_mode & 0o777)
            with suppress(OSError):  # a file system without links goes without this last look
                os.link(target, old)
            os.replace(new, target)
            if old.exists() and hash_of(old.read_bytes()) != expected:
                os.replace(old, target)
                raise self._stale(path)
        finally:
            new.unlink(missing_ok=True)
            old.unlink(missing_ok=True)
        _settle(target.parent)


def _link(path: str) -> Refused:
    return Refused(say("{file} is a link, or lies behind one, and is not edited here. Edit it on the machine.", file=path))


def _write(file: Path, content: bytes, mode: int) -> None:
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(number, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.fchmod(opened.fileno(), mode)
        os.fsync(opened.fileno())


def _settle(folder: Path) -> None:
    """Have the folder itself reach the disk, so that a power cut leaves the old file or the new one."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
