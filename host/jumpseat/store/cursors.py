"""Where the next page of a list begins: behind a time and an id, in a text that only the host reads."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from jumpseat.errors import InvalidValue
from jumpseat.store.columns import UtcDateTime


def cursor(at: datetime, id: str) -> str:
    """The place behind a row of a list that is sorted by a time and an id."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), id]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[sa.BindParameter[Any], sa.BindParameter[Any]]:
    """The time and the id of a place, to be compared with columns.

    Raises:
        InvalidValue: the text is not one that ``cursor`` made.
    """
    try:
        at, id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(id, str) or "\0" in id:
            raise ValueError
        moment = moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        raise InvalidValue("The list cannot be continued from here: 'before' is not the end of a page.", param="before") from None
    return sa.literal(moment, UtcDateTime()), sa.literal(id, sa.Text())
