"""The company report as a file: CSV for spreadsheets, JSON for programs, written row by row however long it is."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from jumpseat.errors import Refused, ReportBusy
from jumpseat.speech import say
from jumpseat.store import Store, connections
from jumpseat.store.connections import Wanted

Form = Literal["csv", "json"]

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "entityType": "record_label",
        "sessionCode": "session_code",
        "userId": "user_id",
        "supporterName": "supporter_name",
        "customerName": "customer_name",
        "deviceId": "device_id",
        "start": "start",
        "end": "end",
        "description": "description",
        "notes": "notes",
    }
)
"""The ten columns of the report in their order: the name in the API, and in the table."""
JSON_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "account": "account",
        "id": "provider_id",
        "sessionId": "session_id",
        "sessionType": "session_type",
        "source": "source",
        "object": "object",
        "recordId": "record_id",
        "recordName": "record_name",
        **COLUMNS,
    }
)
"""What programs are told besides."""
LABELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "en": (
            "Entity type",
            "Session ID",
            "User ID",
            "Supporter name",
            "Customer name",
            "Device ID",
            "Start",
            "End",
            "Description",
            "Notes",
        ),
        "fr": (
            "Type d’entité",
            "ID de session",
            "ID utilisateur",
            "Nom du support",
            "Nom du client",
            "ID de l’appareil",
            "Début",
            "Fin",
            "Description",
            "Notes",
        ),
    }
)
"""What stands above the columns, by language."""
BOM = "\ufeff"
"""Makes Excel read UTF-8 as such."""
AT_ONCE = 4
"""Exports that one process writes at the same time; each holds a connection to the database of its own."""
LONGEST_SECONDS = 3600.0
"""An export that takes longer is cut off: while it lasts, the database keeps what it has replaced since."""
_RISKY = frozenset("=+-@\uff1d\uff0b\uff0d\uff20\t\r\n")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*")


class Exporting:
    """Writes the company report to files or callers.

    Args:
        store: where connections are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def pieces(
        self,
        wanted: Wanted,
        form: Form,
        *,
        header: Sequence[str] | None = None,
        bom: bool = False,
        seen: Callable[[int], object] = lambda _: None,
    ) -> Pieces:
        """The whole report, as it is at this moment, in pieces of UTF-8; closing them lets go of the database.

        Args:
            wanted: which connections, and in which order.
            form: ``csv`` or ``json``.
            header: what stands above the columns of a CSV file; the columns' names when left out.
            bom: begin a CSV file with a byte order mark.
            seen: told after each piece how many rows were written.

        Raises:
            ReportBusy: so many are being written already.
            Refused: while reading on: whoever reads it took longer than an hour.
        """
        if not self._places.acquire(blocking=False):
            raise ReportBusy(
                say("As many reports are being written already as this process may. Try again in 30 s."), retry_after_seconds=30
            )
        # From here on the iterator owns the place; it is closed even when nobody ever asks it for a piece.
        return Pieces(self._written(wanted, form, list(header or COLUMNS), bom, seen), self._places.release)

    def _written(self, wanted: Wanted, form: Form, header: Sequence[str], bom: bool, seen: Callable[[int], object]) -> Iterator[bytes]:
        until, rows = time.monotonic() + LONGEST_SECONDS, 0
        write, columns = (_csv_piece, COLUMNS) if form == "csv" else (_json_piece, JSON_COLUMNS)
        yield _csv_head(header, bom=bom) if form == "csv" else b'{"items":['
        with self._store.snapshot() as conn:
            for piece in connections.stream(conn, tuple(columns.values()), wanted):
                yield write(piece, first=rows == 0)
                rows += len(piece)
                seen(rows)
                if time.monotonic() > until:
                    raise Refused(say("The report was not read within an hour, so it was cut off. Ask for a shorter range of dates."))
        if form == "json":
            yield b"]}\n"


class Pieces(Iterator[bytes]):
    """An iterator that says once that it is over: at its end, at a failure, when it is closed, or when it is forgotten."""

    def __init__(self, pieces: Iterator[bytes], over: Callable[[], object]) -> None:
        self._pieces, self._over, self._lock = pieces, over, threading.Lock()
        self._is_over = False

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop here."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        try:
            close = getattr(self._pieces, "close", None)
            if close is not None:
                close()
        finally:
            self._over()

    __del__ = close


def labels(language: str | None) -> tuple[str, ...]:
    """What stands above the columns in a language; in English where there is no other.

    Args:
        language: BCP 47, such as ``fr`` or ``fr-CA``.
    """
    return LABELS.get((language or "").split("-")[0].lower(), LABELS["en"])


def safe_cell(cell: str | None) -> str | None:
    """A cell that no spreadsheet takes for a formula: one that could be is preceded by an apostrophe; numbers stay as they are."""
    if not cell or (cell[0] not in _RISKY and not cell[0].isspace()):
        return cell
    stripped = cell.lstrip()
    risky = cell[0] in "\t\r\n" or (stripped[:1] in _RISKY and stripped != "")
    return f"'{cell}" if risky and not _NUMBER.fullmatch(cell) else cell


def _csv_head(header: Sequence[str], *, bom: bool) -> bytes:
    return ((BOM if bom else "") + _csv([header])).encode()


def _csv_piece(rows: Sequence[Sequence[str | None]], *, first: bool) -> bytes:  # noqa: ARG001  # as its twin below
    return _csv([[safe_cell(cell) for cell in row] for row in rows]).encode()


def _csv(rows: Sequence[Sequence[str | None]]) -> str:
    """RFC 4180: CR LF at the end of each line; a cell with a comma, a quote or a line break stands in quotes."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _json_piece(rows: Sequence[Sequence[str | None]], *, first: bool) -> bytes:
    names = tuple(JSON_COLUMNS)
    items = [{name: cell for name, cell in zip(names, row, strict=True) if cell} for row in rows]
    text = json.dumps(items, ensure_ascii=False, separators=(",", ":"))[1:-1]
    return (text if first else f",{text}").encode()
