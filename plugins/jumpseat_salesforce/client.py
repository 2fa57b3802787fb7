"""The typed client of Salesforce's REST API. Every path is made here, of names and ids that were checked, below one pinned version."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from requests import Response

from jumpseat import (
    AccessSource,
    AnswerLost,
    Clock,
    HttpSession,
    InvalidValue,
    JumpseatError,
    ProviderError,
    ProviderUnreachable,
    RecordNotFound,
    RestClient,
    say,
)
from jumpseat_salesforce.answers import Described, Page, Row, Usage, created_id, unreadable
from jumpseat_salesforce.failures import Complaint, ServerFailed, error_for, read_json
from jumpseat_salesforce.ids import full_id
from jumpseat_salesforce.soql import Condition, is_name, select

FRESH = timedelta(minutes=5)
"""How long a description is taken as it is; then Salesforce is asked whether it has changed."""
MOST_DESCRIBED = 200
MOST_PAGES = 50
MOST_PARTS = 5
"""Queries in one composite call (the platform's limit)."""
FEED_CHARACTERS = 10_000
"""Longest text of a message in the feed."""
_VERSION = re.compile(r"[1-9]\d{1,2}\.0", re.ASCII)


@dataclass(slots=True)
class _Kept:
    """A description that was read."""

    described: Described | None
    """None: there is no such object."""
    modified: str
    """What ``Last-Modified`` said."""
    checked: datetime


class SalesforceClient:
    """Calls one org as one user. Safe to share between threads.

    Args:
        http: prepared by the host.
        access: where tokens come from.
        clock: tells the time, for waits and for how fresh a description is.
        version: of the API, ``67.0``.
        most_rows: rows of one query that are read at most.

    Raises:
        InvalidValue: the version is none.
    """

    def __init__(self, http: HttpSession, access: AccessSource, clock: Clock, *, version: str, most_rows: int) -> None:
        if not _VERSION.fullmatch(version):
            raise InvalidValue(
                say("'{version}' is no version of Salesforce's API: write 'api_version' like \"67.0\".", version=version[:20]),
                param="api_version",
            )
        self.version, self._clock, self._most_rows = version, clock, most_rows
        self._base = f"/services/data/v{version}"
        self._rest = RestClient(http, access, self._read_failure, clock, "Salesforce")
        self._descriptions: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self.usage: Usage | None = None
        """What the last answer said of the calls that are used; None until one did."""

    # --- reading ---

    def describe(self, object: str) -> Described | None:
        """What the user of the sign-in sees of an object; None where there is none. Read again only when Salesforce says it has changed."""
        if not is_name(object):
            return None
        kept = self._descriptions.get(object)
        now = self._clock.now()
        if kept is not None and now < kept.checked + FRESH:
            return kept.described
        headers = {"If-Modified-Since": kept.modified} if kept is not None and kept.modified else {}
        response = self._read(f"/sobjects/{object}/describe", headers=headers, accepted=(304, 404))
        if response.status_code == 304 and kept is not None:
            kept.checked = now
            return kept.described
        described = None if response.status_code == 404 else Described.read(read_json(response))
        with self._lock:
            if len(self._descriptions) >= MOST_DESCRIBED:
                self._descriptions.clear()
            self._descriptions[object] = _Kept(described, response.headers.get("Last-Modified", ""), now)
        return described

    def record(self, object: str, id: str, fields: Sequence[str]) -> Row:
        """Fields of one record, also of related ones.

        Raises:
            RecordNotFound: there is none, or it is not shared with the user of the sign-in.
            FieldNotReadable: a field does not exist or is hidden.
        """
        rows = self.rows(tuple(dict.fromkeys(("Id", *fields))), object, (("Id", "=", full_id(id)),), limit=1)
        if not rows:
            raise RecordNotFound(
                say(
                    "Salesforce has no {object} with the id '{id}', or does not share it with the user that Jumpseat signs in as.",
                    object=object,
                    id=full_id(id),
                )
            )
        return rows[0]

    def rows(
        self, fields: Sequence[str], object: str, where: Sequence[Condition], *, order_by: Sequence[str] = (), limit: int | None = None
    ) -> tuple[Row, ...]:
        """The rows of an object for which all conditions hold, no more than the limit or the cap on rows."""
        most = min(limit or self._most_rows, self._most_rows)
        return self.query(select(fields, object, where, order_by=order_by, limit=most))

    def query(self, soql: str) -> tuple[Row, ...]:
        """The rows of a query that ``soql`` made, page by page up to the cap."""
        return self._all(Page.read(read_json(self._read("/query", {"q": soql}))))

    def queries(self, soql: Sequence[str]) -> tuple[tuple[Row, ...], ...]:
        """Several queries that need nothing of each other, up to five, as one call of the allocation.

        Raises:
            JumpseatError: one of them failed; what it stands for.
        """
        parts = [
            {"method": "GET", "url": _with_query(f"{self._base}/query", one), "referenceId": f"q{place}"}
            for place, one in enumerate(soql[:MOST_PARTS])
        ]
        try:
            body = read_json(self._call("POST", "/composite", json={"allOrNone": False, "compositeRequest": parts}))
        except AnswerLost as error:
            raise ProviderUnreachable(
                say("Salesforce did not answer in time. Nothing was changed there; try again in a moment.")
            ) from error
        answers = body.get("compositeResponse") if isinstance(body, dict) else None
        if not isinstance(answers, list) or len(answers) != len(parts):
            raise unreadable(say("list of answers"))
        return tuple(self._part(answer) for answer in answers)

    def ping(self) -> Usage | None:
        """Is the sign-in good, and is there such a version? Answers the calls that are used, where Salesforce says it."""
        self._read("")
        return self.usage

    # --- writing; never repeated here ---

    def create(self, object: str, values: Mapping[str, Any]) -> str:
        """A new row; answers its id.

        Raises:
            AnswerLost: it may have been made.
            ProviderRefused: it was not.
        """
        id = created_id(read_json(self._call("POST", f"/sobjects/{_checked(object)}", json=dict(values))))
        if id is None:
            raise AnswerLost(
                say("Salesforce's answer to the new {object} cannot be read. Whether it was made is not known yet.", object=object)
            )
        return id

    def update(self, object: str, id: str, values: Mapping[str, Any]) -> None:
        """Change fields of a row.

        Raises:
            ReadOnly: the record takes no change.
            ProviderRefused: a field does not take the value.
        """
        self._call("PATCH", f"/sobjects/{_checked(object)}/{full_id(id)}", json=dict(values))

    def post_to_feed(self, id: str, text: str) -> None:
        """A message in the Chatter feed of a record, as plain text: whatever it says mentions nobody."""
        segments = [{"type": "Text", "text": text}]
        self._call(
            "POST",
            "/chatter/feed-elements",
            json={"feedElementType": "FeedItem", "subjectId": full_id(id), "body": {"messageSegments": segments}},
        )

    def act(self, action: str, inputs: Mapping[str, Any]) -> None:
        """Run a standard action.

        Raises:
            ProviderRefused: it was not run; Salesforce's reason is passed on.
        """
        body = read_json(self._call("POST", f"/actions/standard/{_checked(action)}", json={"inputs": [dict(inputs)]}))
        result = body[0] if isinstance(body, list) and body and isinstance(body[0], dict) else {}
        if result.get("isSuccess") is not True:
            raise error_for(Complaint.of(400, body), wrote=True, version=self.version, now=self._clock.now())

    # --- how a call goes ---

    def _read(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accepted: tuple[int, ...] = (),
    ) -> Response:
        try:
            return self._call("GET", path, params=params, headers=headers, accepted=accepted)
        except ServerFailed:
            return self._call("GET", path, params=params, headers=headers, accepted=accepted)

    def _call(self, method: str, path: str, **given: Any) -> Response:
        return self._rest.call(method, self._base + path, sees=self._see, **given)

    def _see(self, response: Response) -> None:
        self.usage = Usage.read(response.headers.get("Sforce-Limit-Info", "")) or self.usage

    def _read_failure(self, response: Response) -> JumpseatError:
        wrote = response.request.method not in {"GET", "HEAD"} and not (response.request.path_url or "").endswith("/composite")
        return error_for(
            Complaint.read(response),
            wrote=wrote,
            version=self.version,
            header=response.headers.get("Retry-After", ""),
            now=self._clock.now(),
        )

    def _part(self, answer: Any) -> tuple[Row, ...]:
        status, body = (answer.get("httpStatusCode"), answer.get("body")) if isinstance(answer, dict) else (None, None)
        if not isinstance(status, int):
            raise unreadable(say("list of answers"))
        if not 200 <= status < 300:
            raise error_for(Complaint.of(status, body), wrote=False, version=self.version, now=self._clock.now())
        return self._all(Page.read(body))

    def _all(self, page: Page) -> tuple[Row, ...]:
        """The rows of a page and of those that follow; no answer can lead elsewhere, or in a circle for long."""
        rows = list(page.rows)
        for _ in range(MOST_PAGES):
            if page.next is None or len(rows) >= self._most_rows:
                break
            page = Page.read(read_json(self._read(self._next(page.next))))
            rows += page.rows
        return tuple(rows[: self._most_rows])

    def _next(self, url: str) -> str:
        if not url.startswith(f"{self._base}/query/"):
            raise ProviderError(say("Salesforce names a next page outside of its own API; it was not asked for."))
        return url.removeprefix(self._base)


def _checked(name: str) -> str:
    if not is_name(name):
        raise InvalidValue(say("'{name}' cannot be the name of an object of Salesforce.", name=name[:100]), param="object")
    return name


def _with_query(path: str, soql: str) -> str:
    return f"{path}?{urlencode({'q': soql})}"
