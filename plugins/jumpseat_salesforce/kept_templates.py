"""E-mail templates that are kept in an org: which there are for a record, and their words, with merge fields as they are written."""

from __future__ import annotations

import re
import threading
from datetime import datetime, timedelta

from jumpseat import Clock, CrmTemplate, CrmWords, ProviderRefused, say
from jumpseat_salesforce.answers import Row, text, value
from jumpseat_salesforce.client import SalesforceClient
from jumpseat_salesforce.ids import full_id, id_or_none

KEPT = timedelta(minutes=1)
"""How long a list is taken to be as it was: every offer asks for it."""
MOST_KEPT = 200
MOST = 100
OBJECT = "EmailTemplate"
PROGRAM = "visualforce"
"""A template of this type is a program, and not asked for."""
_LISTED = ("Id", "Name", "DeveloperName", "Description", "TemplateType")
_WORDS = ("Subject", "Body", "HtmlValue", "TemplateType")
_LANGUAGE = re.compile(r".+_([a-z]{2}(?:_[A-Z]{2})?)")
"""How the API name of a template says its language: ``Case_fr``, ``Case_fr_CA``."""
GONE = say("Salesforce has no such active e-mail template any more, or does not show it. Load the record again.")
EMPTY = say("The e-mail template has no text in Salesforce.")


class KeptTemplates:
    """Asks about templates. Thread-safe.

    Args:
        client: asks Salesforce.
        clock: tells how long a list may serve.
    """

    def __init__(self, client: SalesforceClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[datetime, tuple[CrmTemplate, ...]]] = {}

    def described(self, description: str) -> tuple[CrmTemplate, ...]:
        """The active templates with this description, by name."""
        now = self._clock.now()
        with self._lock:
            until, found = self._known.get(description, (now, ()))
        if now < until:
            return found
        where = (("IsActive", "=", True), ("Description", "=", description))
        rows = self._client.rows(_LISTED, OBJECT, where, order_by=("Name",), limit=MOST)
        found = tuple(template for row in rows if (template := _template(row)))
        with self._lock:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[description] = (now + KEPT, found)
        return found

    def words(self, id: str) -> CrmWords:
        """What stands in a template now.

        Raises:
            ProviderRefused: there is no such template, or there is nothing in it.
        """
        rows = self._client.rows(_WORDS, OBJECT, (("Id", "=", full_id(id)), ("IsActive", "=", True)), limit=1)
        if not rows or text(rows[0], "TemplateType") == PROGRAM:
            raise ProviderRefused(GONE)
        words = CrmWords(_words(rows[0], "Subject"), _words(rows[0], "Body"), _words(rows[0], "HtmlValue") or None, merge_fields=True)
        if not words.text.strip() and not (words.html or "").strip():
            raise ProviderRefused(EMPTY)
        return words


def _template(row: Row) -> CrmTemplate | None:
    id, name = id_or_none(value(row, "Id")), text(row, "Name")
    if id is None or name is None or text(row, "TemplateType") == PROGRAM:
        return None
    said = _LANGUAGE.fullmatch(text(row, "DeveloperName") or "")
    return CrmTemplate(id, name, said[1].replace("_", "-") if said else None, text(row, "Description"))


def _words(row: Row, field: str) -> str:
    found = value(row, field)
    return found if isinstance(found, str) else ""
