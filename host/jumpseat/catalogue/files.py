"""The files of a workspace that the catalogue is made of: which there are, whether they changed, and their bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.source_text import MAX_BYTES
from jumpseat.catalogue.vocabulary import near
from jumpseat.speech import say

METADATA = "metadata"
TEMPLATES = "templates"

Stamp = tuple[int, ...]
"""What changes when a file changes: times of content and of state in nanoseconds, size, inode, mode."""
SETTLED_NS = 2_000_000_000
"""FAT keeps times in steps of two seconds; all others are finer."""
Snapshot = Mapping[str, Stamp]
"""Stamp by path; two equal ones mean that nothing changed in between."""

_KIND_OF_FOLDER = {
    "objects": "supported-object",
    "permission_sets": "permission-set",
    "sources": "source",
    "plugins": "plugin",
    "dashboards": "dashboard",
}
_KIND_OF_FILE = {"sessions.yaml": "sessions", "host.yaml": "host", "jobs.yaml": "jobs"}
_FOLDERS = (*_KIND_OF_FOLDER, "schema")
_DEEPEST = 3


def kind_of(path: str) -> str | None:
    """The kind of a metadata file by its path; None when nothing reads such a file.

    Args:
        path: in the workspace, beginning with ``metadata/``.
    """
    parts = path.split("/")[1:]
    if len(parts) == 1:
        return _KIND_OF_FILE.get(parts[0])
    if len(parts) != 2 or not parts[1].endswith(".yaml"):
        return None
    return _KIND_OF_FOLDER.get(parts[0])


def is_masked(path: str) -> bool:
    """May the file hold values that must not be shown?"""
    return path.startswith((f"{METADATA}/sources/", f"{METADATA}/plugins/"))


def snapshot(workspace: Path) -> dict[str, Stamp]:
    """The stamp of every file that matters, by path in the workspace, sorted; what cannot be looked at has an empty one."""
    return dict(sorted((path, stamp) for top in (METADATA, TEMPLATES) for path, stamp in _walk(workspace / top, top, 1)))


def is_settled(stamp: Stamp, now_ns: int) -> bool:
    """Will a later change of this file certainly move its stamp? Not while the file is younger than the coarsest clock of a file system.

    Args:
        stamp: of the file, found before it was read.
        now_ns: the time, in nanoseconds since 1970.
    """
    return bool(stamp) and max(stamp[0], stamp[1]) < now_ns - SETTLED_NS


def _walk(folder: Path, path: str, depth: int) -> Iterator[tuple[str, Stamp]]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    except OSError:
        yield path, ()
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith("~") or entry.name == "README.md":
            continue
        inner = f"{path}/{entry.name}"
        if inner == f"{METADATA}/schema":
            continue
        try:
            state = entry.stat()
        except OSError:
            yield inner, ()
            continue
        if stat.S_ISDIR(state.st_mode) and depth < _DEEPEST and not _is_unknown_folder(inner):
            yield from _walk(folder / entry.name, inner, depth + 1)
        else:
            yield inner, (state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino, state.st_mode)


def _is_unknown_folder(path: str) -> bool:
    parts = path.split("/")
    return parts[0] == METADATA and (len(parts) > 2 or parts[1] not in _FOLDERS)


def read(workspace: Path, path: str) -> bytes | Problem:
    """The bytes of one file, at most one more than ``MAX_BYTES``; or why they cannot be had."""
    try:
        # Without O_NONBLOCK a named pipe would hold the host until somebody writes to it.
        number = os.open(os.path.join(workspace, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return _unreadable(path, _words(error))
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return _unreadable(path, say("it is not a regular file"))
        return _read_all(number)
    except OSError as error:
        return _unreadable(path, _words(error))
    finally:
        os.close(number)


def _read_all(number: int) -> bytes:
    pieces, missing = [], MAX_BYTES + 1
    while missing and (piece := os.read(number, missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _words(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return say("it is gone, or it is a link that leads nowhere")
    if isinstance(error, PermissionError):
        return say("the host may not read it")
    return (error.strerror or say("the system refused")).lower()


def _unreadable(path: str, why: str) -> Problem:
    return Problem(path, 1, 1, "M209", say("the file cannot be read: {why}", why=why), say("make it a readable file, or delete it"))


def unknown_file(path: str) -> Problem:
    """The problem of a file or folder in ``metadata/`` that nothing reads."""
    parts = path.split("/")[1:]
    fix = say("delete it, or move it to one of {known}", known=", ".join(f"{METADATA}/{one}/" for one in _KIND_OF_FOLDER))
    known = [f"{one}/" for one in _KIND_OF_FOLDER] if len(parts) > 1 or "." not in parts[0] else list(_KIND_OF_FILE)
    if parts[-1].endswith(".yml"):
        fix = say("rename it to '{name}.yaml'", name=parts[-1].removesuffix(".yml"))
    elif parts[0] not in _FOLDERS and (meant := near(parts[0] + ("/" if known[0].endswith("/") else ""), known)):
        fix = say("did you mean '{metadata}/{meant}'?", metadata=METADATA, meant=meant)
    return Problem(path, 1, 1, "M211", say("nothing reads this file"), fix)


def digest(content: bytes) -> bytes:
    """The fingerprint of one file's content."""
    return sha256(content).digest()


def version_of(digests: Mapping[str, bytes]) -> str:
    """The version that a set of files makes: a hash of their paths and contents, whatever the order and the folder."""
    total = sha256()
    for path in sorted(digests):
        total.update(path.encode(errors="surrogateescape") + b"\0" + digests[path])
    return total.hexdigest()[:16]
