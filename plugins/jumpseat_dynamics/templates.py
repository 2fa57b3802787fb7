"""E-mail templates that are kept in an environment: which there are for a table, and what Dynamics makes of one for a record."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

from jumpseat import Clock, CrmTemplate, CrmWords, ProviderRefused, Record, say
from jumpseat_dynamics import odata
from jumpseat_dynamics.client import DataverseClient, Row
from jumpseat_dynamics.ids import Guid, find_guid, guid
from jumpseat_dynamics.schema import Schema
from jumpseat_dynamics.template_rows import LANGUAGES

KEPT = timedelta(minutes=1)
"""How long the list of a table is taken to be as it was: every offer asks for it."""
MOST = 200
_TAGS = {code: tag for tag, code in LANGUAGES.items()}
_LISTED = ("templateid", "title", "description", "languagecode", "templatetypecode")
_WRITTEN = ("subject", "body", "subjectsafehtml", "safehtml")
"""The columns in which a template stands as it is kept: as XSL, and as HTML."""
GONE = say("Dynamics has no such e-mail template of the organization any more. Load the record again.")
EMPTY = say("Dynamics filled the e-mail template in, and it has no text.")


class Templates:
    """Asks about templates. Thread-safe.

    Args:
        client: asks Dynamics.
        schema: knows the tables.
        clock: tells how long a list may serve.
    """

    def __init__(self, client: DataverseClient, schema: Schema, clock: Clock) -> None:
        self._client, self._schema, self._clock = client, schema, clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[datetime, tuple[CrmTemplate, ...]]] = {}

    def of(self, table: str) -> tuple[CrmTemplate, ...]:
        """The templates of the organization for a table, by title; nobody's own ones."""
        if self._schema.table(table) is None:
            return ()
        now = self._clock.now()
        with self._lock:
            until, found = self._known.get(table, (now, ()))
        if now < until:
            return found
        mine = odata.all_of(odata.equals("templatetypecode", table), odata.equals("ispersonal", False))
        rows = self._client.all("templates", odata.query(_LISTED, where=mine, order="title"), most=MOST)
        found = tuple(template for row in rows if (template := _template(row, table)))
        with self._lock:
            self._known[table] = (now + KEPT, found)
        return found

    def words(self, record: Record, id: str, acting: Guid | None) -> CrmWords:
        """What Dynamics makes of a template for a record.

        Args:
            record: to which its places belong.
            id: of the template.
            acting: Entra object id of the user whom it may name; None: the application user.

        Raises:
            ProviderRefused: there is no such template of the organization, or Dynamics does not fill it in.
        """
        template = guid(id, "template")
        kept = self._client.find(odata.row("templates", template), odata.query((*_LISTED, "ispersonal", *_WRITTEN)))
        if kept is None or kept.get("ispersonal") is not False or kept.get("templatetypecode") != record.object:
            raise ProviderRefused(GONE)
        asked = {"TemplateId": template, "ObjectType": record.object, "ObjectId": guid(record.id)}
        made = _first(self._client.act("InstantiateTemplate", asked, acting=acting))
        html = _text(made, "description")
        if not html.strip():
            raise ProviderRefused(EMPTY)
        return CrmWords(_text(made, "subject"), html=html, written="\n".join(_text(kept, column) for column in _WRITTEN))


def _template(row: Row, table: str) -> CrmTemplate | None:
    id, title = find_guid(row.get("templateid")), _text(row, "title").strip()
    if id is None or not title:
        return None
    code = row.get("languagecode")
    language = _TAGS.get(code) if isinstance(code, int) else None
    return CrmTemplate(str(id), title, language, _text(row, "description").strip() or None, table)


def _first(answer: Row) -> Row:
    """The unsaved e-mail in the answer."""
    rows: Any = answer.get("value")
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}


def _text(row: Row, column: str) -> str:
    value = row.get(column)
    return value if isinstance(value, str) else ""
