"""The typed client of the TeamViewer Web API: sessions, connection reports, devices, account.

Reads are repeated once after a fault of the provider; writes never. A 401 is answered with one renewed token. After a rate limit the same
function pauses for as long as the provider asks; after a block every function does.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from requests import Response

from jumpseat import (
    AnswerLost,
    Clock,
    HttpSession,
    ProviderBlocked,
    ProviderError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    Secret,
    joined,
    say,
)
from jumpseat_teamviewer.answers import Account, ConnectionReport, DeviceEntry, Page, ServiceCase
from jumpseat_teamviewer.budget import Budget
from jumpseat_teamviewer.failures import BLOCK_SECONDS, SETTINGS_FILE, Complaint, SessionUnknown, error_for, read_json
from jumpseat_teamviewer.reading import flag, format_date, normalise_code, text
from jumpseat_teamviewer.tokens import SIGN_IN_AGAIN, BearerAuth, TokenSource

T = TypeVar("T")
MAX_PAGES = 200
"""Pages of one list that are read at most; 1000 rows each."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PHONE = re.compile(r"\+?[\d ()/\-]{3,40}", re.ASCII)
SPENT = say("The calls that the TeamViewer licence allows are used up. Try again in {seconds} s; 'calls_per_day' says how many there are.")
_CREATED_UNREADABLE = say("TeamViewer's answer to the new session cannot be read. Whether the session was opened is not known yet.")


class TeamViewerClient:
    """Calls the Web API on behalf of one provider account. Safe to share between threads.

    Args:
        http: prepared by the host; never follows a redirect to another host.
        base_url: ``https://webapi.teamviewer.com/api/v1``, or a loopback address of the emulator; every call goes there.
        token: where access tokens come from.
        clock: tells the time, for pauses.
        ca_file: certificate authority of a proxy that inspects TLS; None for the usual ones.
        budget: how many calls there are; None for no limit.

    Raises:
        ProviderRefused: the base URL is neither HTTPS nor loopback.
    """

    def __init__(
        self,
        http: HttpSession,
        base_url: str,
        token: TokenSource,
        clock: Clock,
        *,
        ca_file: str | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._http, self._token, self._clock = http, token, clock
        self._base = check_base_url(base_url)
        self._options: dict[str, Any] = {"verify": ca_file} if ca_file else {}
        self._budget = budget or Budget(0, clock)
        self._pauses: dict[str, tuple[datetime, ProviderError]] = {}
        self._lock = threading.Lock()

    def free(self, function: str) -> float | None:
        """Which part of a function's calls is still free, 0 to 1; None without a limit."""
        return self._budget.free(function)

    # --- sessions ---

    def create_session(self, fields: Mapping[str, Any]) -> ServiceCase:
        """Open a session (``POST /sessions``); never repeated, for each one that arrives opens another.

        Args:
            fields: as in the API; None values are left out.

        Raises:
            AnswerLost: it may have been opened: look for its correlation id.
        """
        response = self._write("create_session", "POST", "/sessions", fields)
        case = ServiceCase.read(read_json(response))
        if case is None or case.customer_link is None:
            raise AnswerLost(_CREATED_UNREADABLE)
        return case

    def get_session(self, code: str, *, watching: bool = False) -> ServiceCase:
        """One session with all fields.

        Args:
            code: of the session.
            watching: nobody waits for the answer.

        Raises:
            SessionUnknown: there is none of this code.
        """
        response = self._read("get_session", f"/sessions/{path_code(code)}", about=code, watching=watching)
        case = ServiceCase.read(read_json(response))
        if case is None:
            raise ProviderError(say("TeamViewer's answer about session {code} cannot be read. Try again in a moment.", code=code))
        return case

    def list_sessions(self, *, states: Sequence[str] = ("open",), full: bool = False) -> Iterator[ServiceCase]:
        """Sessions of the account, newest first, page by page as they are asked for.

        Args:
            states: ``open``, ``closed`` or both.
            full: all fields; otherwise only code, state, online, group and type.
        """
        for page in self.session_pages(states=states, full=full):
            yield from page.items

    def session_pages(
        self, *, states: Sequence[str] = ("open",), full: bool = False, watching: bool = False
    ) -> Iterator[Page[ServiceCase]]:
        """The same page by page; each page is a call, made when it is asked for.

        Args:
            states: as above.
            full: as above.
            watching: nobody waits for the answer.
        """
        query = {"state": ",".join(states), "full_list": "true" if full else "false"}

        def fetch(offset: str | None) -> Page[ServiceCase]:
            asked = {**query, "offset": offset}
            return self._page("list_sessions", "/sessions", asked, "sessions", ServiceCase.read, watching=watching)

        return self._pages(fetch)

    def update_session(self, code: str, fields: Mapping[str, Any]) -> None:
        """Change fields of a session (``PUT /sessions/CODE``).

        Raises:
            SessionUnknown: there is none of this code.
        """
        self._write("update_session", "PUT", f"/sessions/{path_code(code)}", fields, about=code)

    def close(self, code: str) -> None:
        """Close a session; closing one that is closed or gone is no failure.

        Raises:
            AnswerLost: it could not be made out whether the session is closed.
        """
        try:
            self.update_session(code, {"state": "closed"})
        except SessionUnknown:
            return
        except AnswerLost:
            if not self._is_over(code):
                raise

    def sms_invite(self, code: str, number: str, language: int | None = None) -> None:
        """Have the provider send the customer link by SMS. Each accepted call may send one: never repeat it.

        Args:
            code: of the session.
            number: E.164.
            language: the provider's number of a language (0-32); None leaves the choice to it.

        Raises:
            ProviderRefused: the number or the session was not accepted.
            AnswerLost: the SMS may have been sent.
        """
        if not _PHONE.fullmatch(number):
            raise ProviderRefused(
                say("TeamViewer takes only digits, blanks, brackets, slashes and dashes in a number, and a '+' in front.")
            )
        self.update_session(code, {"sms_invite_number": number, "sms_invite_language": language})

    # --- reports, devices, account ---

    def connection_reports(self, since: datetime, *, session_code: str | None = None) -> Iterator[ConnectionReport]:
        """Connections that started at or after ``since``, page by page.

        Args:
            since: UTC, whole seconds.
            session_code: only those of this session.
        """
        pages = self._pages(lambda offset: self.connection_page(since, offset, session_code=session_code))
        return (row for page in pages for row in page.items)

    def connection_page(self, since: datetime, offset: str | None = None, *, session_code: str | None = None) -> Page[ConnectionReport]:
        """One page of ``connection_reports``: a thousand rows at most.

        Args:
            since: UTC, whole seconds; the same for all pages.
            offset: ``next_offset`` of the page before; None for the first.
            session_code: only those of this session.
        """
        code = path_code(session_code) if session_code else None
        query = {"from_date": format_date(since), "session_code": code, "offset_id": offset}
        return self._page("connection_reports", "/reports/connections", query, "records", ConnectionReport.read)

    def devices(self) -> tuple[DeviceEntry, ...]:
        """The account's list of computers (user-level tokens only)."""
        return self._page("devices", "/devices", {}, "devices", DeviceEntry.read).items

    def account(self) -> Account:
        """Whom the token belongs to (user-level tokens only)."""
        found = Account.read(read_json(self._read("account", "/account")))
        if found is None:
            raise ProviderError(say("TeamViewer's answer about the account cannot be read. Try again in a moment."))
        return found

    def ping(self) -> bool:
        """Does the provider take the token? For a connection test; every other call finds out by itself."""
        body = read_json(self._read("ping", "/ping"))
        return (flag(body, "token_valid") if isinstance(body, dict) else None) or False

    # --- how a call goes ---

    def _is_over(self, code: str) -> bool:
        try:
            return self.get_session(code).state == "closed"
        except SessionUnknown:
            return True
        except ProviderError:
            return False

    def _pages(self, fetch: Callable[[str | None], Page[T]]) -> Iterator[Page[T]]:
        """All pages; ends when the next offset is missing or one that was there before, so that no answer can loop us."""
        offset: str | None = None
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            page = fetch(offset)
            yield page
            offset = page.next_offset
            if offset is None or offset in seen:
                return
            seen.add(offset)
        raise ProviderError(say("TeamViewer's list has more than {most} pages; the rest was not read.", most=MAX_PAGES))

    def _page(
        self, function: str, path: str, query: Mapping[str, Any], rows: str, read: Callable[[Any], T | None], *, watching: bool = False
    ) -> Page[T]:
        body = read_json(self._read(function, path, query, watching=watching))
        found = body.get(rows) if isinstance(body, dict) else None
        if not isinstance(body, dict) or not isinstance(found, list):
            raise ProviderError(say("TeamViewer's list of {rows} cannot be read. Try again in a moment.", rows=rows))
        items = tuple(item for item in map(read, found) if item is not None)
        remaining = body.get("sessions_remaining")
        return Page(items, text(body, "next_offset"), remaining if isinstance(remaining, int) and remaining > 0 else 0)

    def _read(
        self, function: str, path: str, query: Mapping[str, Any] | None = None, about: str | None = None, *, watching: bool = False
    ) -> Response:
        given = {k: v for k, v in (query or {}).items() if v is not None}
        response = self._send(function, "GET", path, watching=watching, params=given)
        if response.status_code >= 500:
            response = self._send(function, "GET", path, watching=watching, params=given)
        return self._checked(function, response, about, wrote=False)

    def _write(self, function: str, method: str, path: str, fields: Mapping[str, Any], about: str | None = None) -> Response:
        body = {k: v for k, v in fields.items() if v is not None}
        try:
            response = self._send(function, method, path, json=body)
        except ProviderError as error:
            if type(error) is not ProviderError:
                raise
            raise AnswerLost(joined(error.message, say("Whether the request took effect is not known yet."))) from error
        return self._checked(function, response, about, wrote=True)

    def _send(self, function: str, method: str, path: str, *, watching: bool = False, **arguments: Any) -> Response:
        self._wait_out(function)
        self._pay(function, watching=watching)
        token = self._token.current()
        response = self._request(method, path, token, arguments)
        if response.status_code != 401:
            return response
        # A request without a valid token changed nothing, so this is the one repetition that a write may have.
        response = self._request(method, path, self._token.renew(token), arguments)
        if response.status_code == 401:
            raise ProviderSignInNeeded(SIGN_IN_AGAIN)
        return response

    def _request(self, method: str, path: str, token: Secret, arguments: Mapping[str, Any]) -> Response:
        headers = {"Accept": "application/json"}
        return self._http.request(method, self._base + path, auth=BearerAuth(token), headers=headers, **arguments, **self._options)

    def _checked(self, function: str, response: Response, about: str | None, *, wrote: bool) -> Response:
        if 200 <= response.status_code < 300:
            return response
        complaint = Complaint.read(response, (Secret(response.request.headers.get("Authorization", "").removeprefix("Bearer ")),))
        if about is not None and complaint.names_the_session:
            raise SessionUnknown(say("TeamViewer does not know the session {about}.", about=about))
        now = self._clock.now()
        error = error_for(complaint, response, wrote=wrote, now=now)
        if isinstance(error, ProviderThrottled):
            self._budget.used_up(function)
            self._pause(function, now + timedelta(seconds=error.retry_after_seconds or 0), error)
        if isinstance(error, ProviderBlocked):
            self._pause("", now + timedelta(seconds=BLOCK_SECONDS), error)
        raise error

    def _pause(self, function: str, until: datetime, error: ProviderError) -> None:
        with self._lock:
            self._pauses[function] = (until, error)

    def _pay(self, function: str, *, watching: bool) -> None:
        seconds = math.ceil(self._budget.take(function, watching=watching))
        if seconds:
            raise ProviderThrottled(SPENT.format(seconds=seconds), retry_after_seconds=seconds)

    def _wait_out(self, function: str) -> None:
        """Refuse without a call while the provider wants to be left alone: limits count per function, a block counts for all."""
        now = self._clock.now()
        for name in ("", function):
            until, error = self._pauses.get(name, (now, None))
            if error is not None and now < until:
                raise _again(error, until - now)


def check_base_url(url: str) -> str:
    """The base URL without a slash at its end.

    Raises:
        ProviderRefused: it is neither HTTPS nor on this machine, or carries more than host, port and path.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not host or not safe or parts.username or parts.query or parts.fragment:
        raise ProviderRefused(
            say("'api_url' in {file} has to be an https:// address without a query (http:// only on this machine).", file=SETTINGS_FILE)
        )
    return url.strip().rstrip("/")


def path_code(code: str) -> str:
    """A session code as it may stand in a path or query: ``s``, digits and dashes.

    Raises:
        SessionUnknown: this can never be a code.
    """
    key = normalise_code(code)
    if key is None:
        raise SessionUnknown(say("This is not a session code of TeamViewer."))
    return f"s{key[:-6]}-{key[-6:-3]}-{key[-3:]}" if len(key) > 6 else f"s{key}"


def _again(error: ProviderError, rest: timedelta) -> ProviderError:
    seconds = max(1, round(rest.total_seconds()))
    if isinstance(error, ProviderThrottled):
        return ProviderThrottled(
            say("TeamViewer's rate limit is reached. Try again in {seconds} s.", seconds=seconds), retry_after_seconds=seconds
        )
    return type(error)(error.message, retry_after_seconds=seconds)
