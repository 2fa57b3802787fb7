"""The Dataverse Web API, typed and thin: tables, rows, collections, functions. Nothing here knows what a contact is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from requests import Response

from jumpseat import AccessSource, AnswerLost, Clock, HttpSession, ProviderError, ProviderUnreachable, RestClient, say
from jumpseat_dynamics import odata
from jumpseat_dynamics.failures import ACTING_HEADER, Failures, Hidden, Missing, presentable, read_object
from jumpseat_dynamics.gate import Gate
from jumpseat_dynamics.ids import Guid, find_guid

API = "/api/data/v9.2"
HEADERS: Mapping[str, str] = {
    "Accept": "application/json",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
    "If-None-Match": "null",  # else related rows may come from a cache
}
TARGET = "Microsoft.Dynamics.CRM.lookuplogicalname"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
PAGE = 100
MOST_PAGES = 20
_ENTITY_ID = re.compile(r"\(([0-9a-fA-F-]{36})\)\s*$")

Row = Mapping[str, Any]


class DataverseClient:
    """One environment, as one application user. Thread-safe.

    Args:
        http: the plugin's session.
        access: where tokens come from.
        clock: for the waits that were asked for.
        gate: how many calls at once.
    """

    def __init__(self, http: HttpSession, access: AccessSource, clock: Clock, gate: Gate) -> None:
        self._access, self._gate = access, gate
        self._rest = RestClient(http, access, Failures(clock), clock, "Dynamics", HEADERS)

    # --- reading ------------------------------------------------------------------------------------------------------

    def one(
        self, path: str, parameters: Mapping[str, str] | None = None, *, annotations: Sequence[str] = (), acting: Guid | None = None
    ) -> Row:
        """One object: a row, a definition, what a function answers.

        Args:
            path: below the API's root, without a slash before it.
            parameters: as ``odata.query`` makes them.
            annotations: what is to be told beside the values.
            acting: Entra object id of the user in whose name it is read.

        Raises:
            Missing: there is none.
            ProviderError: whatever else it was answered.
        """
        return _object(self._call("GET", path, params=parameters, headers={**_prefer(annotations), **_as(acting)}))

    def find(self, path: str, parameters: Mapping[str, str] | None = None, *, annotations: Sequence[str] = ()) -> Row | None:
        """Like ``one``; None where there is none, or it is not shown."""
        try:
            return self.one(path, parameters, annotations=annotations)
        except (Missing, Hidden):
            return None

    def all(self, path: str, parameters: Mapping[str, str], *, most: int, page: int = PAGE) -> list[Row]:
        """The rows of a collection, page by page.

        Args:
            path: as of ``one``.
            parameters: as of ``one``.
            most: rows that are enough; what comes after them is not asked for.
            page: rows of one page.
        """
        found: list[Row] = []
        size = min(page, most)
        headers = {"Prefer": f"odata.maxpagesize={size}"}
        next: tuple[str, Mapping[str, str]] = (path, parameters)
        for _ in range(MOST_PAGES):
            body = _object(self._call("GET", next[0], params=next[1], headers=headers))
            found += _rows(body)
            link = body.get("@odata.nextLink")
            if len(found) >= most or not isinstance(link, str) or not link:
                break
            next = self._followed(link)
        return found[:most]

    def _followed(self, link: str) -> tuple[str, dict[str, str]]:
        """Path and parameters of the next page; it has to lie in this API of this environment."""
        root, given = urlsplit(self._access.current().base_url), urlsplit(link)
        if (given.scheme, given.netloc) != (root.scheme, root.netloc) or not given.path.startswith(f"{root.path}/"):
            raise ProviderError(say("Dynamics names a next page outside its own address; it was not asked for."))
        return given.path.removeprefix(f"{root.path}/"), dict(parse_qsl(given.query, keep_blank_values=True))

    # --- writing, never repeated; ``acting``: Entra object id of the user in whose name -----------------------------------

    def create(self, entity_set: str, values: Mapping[str, Any], *, acting: Guid | None = None) -> Guid | None:
        """Add a row; answers its id where Dynamics tells it."""
        response = self._call("POST", odata.name(entity_set), json=dict(values), headers=_as(acting))
        told = _ENTITY_ID.search(response.headers.get("OData-EntityId", ""))
        return find_guid(told[1]) if told else None

    def act(self, action: str, values: Mapping[str, Any], *, acting: Guid | None = None) -> Row:
        """What an action answers that changes nothing."""
        try:
            return _object(self._call("POST", odata.name(action), json=dict(values), headers=_as(acting)))
        except AnswerLost as lost:
            raise ProviderUnreachable(say("Dynamics did not answer. Nothing was changed there; try again in a moment.")) from lost

    def create_once(self, entity_set: str, id: Guid, values: Mapping[str, Any], *, acting: Guid | None = None) -> bool:
        """Add a row under an id of our own; answers whether it is new. A second try does no harm."""
        headers = {"If-None-Match": "*", **_as(acting)}  # the half of an upsert that changes a row is forbidden
        path = odata.row(entity_set, id)
        return self._call("PATCH", path, json=dict(values), headers=headers, accepted=(412,)).status_code != 412

    def update(self, entity_set: str, id: Guid, values: Mapping[str, Any], etag: str = "*", *, acting: Guid | None = None) -> None:
        """Change a row that exists.

        Args:
            entity_set: of the row.
            id: of the row.
            values: by property.
            etag: of the row as it was read; ``*``: whatever it is now.
            acting: as of ``one``.

        Raises:
            Changed: the row has another etag by now.
        """
        self._call("PATCH", odata.row(entity_set, id), json=dict(values), headers={"If-Match": etag, **_as(acting)})

    def _call(self, method: str, path: str, **more: Any) -> Response:
        with self._gate.turn():
            return self._rest.call(method, f"/{path}", **more)


def _prefer(annotations: Sequence[str]) -> dict[str, str]:
    return {"Prefer": f'odata.include-annotations="{",".join(annotations)}"'} if annotations else {}


def _as(acting: Guid | None) -> dict[str, str]:
    return {ACTING_HEADER: str(acting)} if acting is not None else {}


def _object(response: Response) -> Row:
    body = read_object(response)
    if not body:
        kind = presentable(response.headers.get("Content-Type", "") or "nothing")[:60]
        raise ProviderError(say("Dynamics answered something else than JSON ({kind}). Check 'url' of this source.", kind=kind))
    return body


def _rows(body: Row) -> list[Row]:
    rows = body.get("value")
    if not isinstance(rows, list):
        raise ProviderError(say("Dynamics answered a list without rows. Check 'url' of this source."))
    return [row for row in rows if isinstance(row, dict)]
