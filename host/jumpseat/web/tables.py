"""Tables as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fastapi import Response

from jumpseat.reports.exporting import BOM, safe_cell


def csv_file(name: str, rows: Sequence[Sequence[str]]) -> Response:
    """Rows as a CSV file for spreadsheets, safe to open in one.

    Args:
        name: of the file, without its ending.
        rows: the first one holds the names of the columns.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([safe_cell(cell) for cell in row] for row in rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response(BOM + text.getvalue(), media_type="text/csv; charset=utf-8; header=present", headers=headers)
