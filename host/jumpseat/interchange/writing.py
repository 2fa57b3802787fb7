"""Files written all together or not at all, and folders read with a limit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from jumpseat.errors import InvalidValue, Refused

MOST_FILES = 2000
"""Most files that are taken from a foreign folder."""
MOST_BYTES = 1024 * 1024
"""Longest foreign file, in bytes."""
_MOST_ENTRIES = 200_000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the files, by path in their folder, sorted."""

    created: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


def write_files(folder: Path, files: Mapping[str, str], *, replace: bool = False, remove: Iterable[str] = ()) -> Written:
    """Write texts as UTF-8, all of them or none.

    Args:
        folder: where they go; made when it does not exist.
        files: text by path in the folder, with ``/``.
        replace: overwrite files that are there and different; without it they make the call fail.
        remove: paths of files that have to go; they count as different ones.

    Raises:
        Refused: a file is there and different, is not a regular file, or leads out of the folder; or the disk refused.
    """
    before = {path: _there(folder, path) for path in (*files, *remove)}
    wanted: dict[str, bytes | None] = {path: text.encode() for path, text in files.items()} | dict.fromkeys(remove)
    changing = {path: content for path, content in wanted.items() if before[path] != content}
    in_the_way = sorted(path for path in changing if before[path] is not None)
    if in_the_way and not replace:
        shown = ", ".join(in_the_way[:_SHOWN]) + (f" and {len(in_the_way) - _SHOWN} more" if len(in_the_way) > _SHOWN else "")
        raise Refused(f"There already, and different: {shown}. Nothing was written; repeat with --replace to overwrite.")
    try:
        _change(folder, changing, before)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise Refused(f"{error.filename or folder} cannot be written: {reason}. Nothing was changed.") from error
    return Written(
        created=tuple(sorted(path for path, content in changing.items() if content is not None and before[path] is None)),
        replaced=tuple(path for path in in_the_way if changing[path] is not None),
        removed=tuple(path for path in in_the_way if changing[path] is None),
        unchanged=tuple(sorted(path for path in files if path not in changing)),
    )


def _there(folder: Path, path: str) -> bytes | None:
    """What a file holds now; None when there is none."""
    parts = PurePosixPath(path).parts
    target = folder.joinpath(*parts)
    # The parent is resolved: a linked folder must not lead a file out of the one that was named.
    if ".." in parts or path.startswith("/") or not target.parent.resolve().is_relative_to(folder.resolve()):
        raise Refused(f"{path} would lie outside of {folder}. Nothing was written.")
    if target.is_symlink() or (target.exists() and not target.is_file()):
        raise Refused(f"{path} is there and is not a regular file. Nothing was written; move it away.")
    return target.read_bytes() if target.exists() else None


def _change(folder: Path, changing: Mapping[str, bytes | None], before: Mapping[str, bytes | None]) -> None:
    """Write everything beside its place first; then the moves, which are taken back when one fails."""
    staged = {path: _beside(folder / path) for path, content in changing.items() if content is not None}
    made: list[Path] = []
    moved: list[str] = []
    try:
        for path, place in staged.items():
            made += _make_folders(place.parent)
            place.write_bytes(changing[path] or b"")
        for path in changing:
            moved.append(path)
            if path in staged:
                os.replace(staged[path], folder / path)
            else:
                (folder / path).unlink()
    except OSError:
        for path in moved:
            _take_back(folder / path, before[path])
        for place in staged.values():
            place.unlink(missing_ok=True)
        for new in reversed(made):
            with suppress(OSError):
                new.rmdir()
        raise


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.new")


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder with its parents; answers those that were not there, the outermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _take_back(target: Path, content: bytes | None) -> None:
    with suppress(OSError):
        if content is None:
            target.unlink(missing_ok=True)
        else:
            target.write_bytes(content)


def read_folder(folder: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The files of a foreign folder.

    Links are not followed; hidden folders and ``node_modules`` are passed over.

    Args:
        folder: what to read.
        wanted: asked with the path in the folder, with ``/``.

    Returns:
        Content by path, sorted.

    Raises:
        InvalidValue: it is no folder, holds too much, or a file is too long or cannot be read.
    """
    if not folder.is_dir():
        raise InvalidValue(f"{folder} is not a folder.")
    found: dict[str, bytes] = {}
    seen = 0
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        for name in sorted(names):
            seen += 1
            place = Path(top, name)
            path = place.relative_to(folder).as_posix()
            if place.is_symlink() or not wanted(path):
                continue
            if len(found) >= MOST_FILES:
                raise InvalidValue(f"{folder} holds more than {MOST_FILES} files of metadata. Name a smaller folder.")
            found[path] = read_file(place, path)
        if seen > _MOST_ENTRIES:
            raise InvalidValue(f"{folder} holds more than {_MOST_ENTRIES} files. Name a smaller folder.")
    return dict(sorted(found.items()))


def read_file(place: Path, shown: str) -> bytes:
    """The bytes of one foreign file.

    Args:
        place: where it is.
        shown: how messages call it.

    Raises:
        InvalidValue: it is no regular file, is too long, or cannot be read.
    """
    if not place.is_file():
        raise InvalidValue(f"{shown} is not a regular file.")
    try:
        with place.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidValue(f"{shown} cannot be read: {(error.strerror or 'unknown reason').lower()}.") from error
    if len(content) > MOST_BYTES:
        raise InvalidValue(f"{shown} is longer than {MOST_BYTES // 1024} KiB.")
    return content
