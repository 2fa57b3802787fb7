"""The org's addresses: which call goes where, what every answer carries, and how a refusal is written."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from jumpseat_fake_crm.faults import Faults
from jumpseat_fake_crm.keys import KeyPair, make
from jumpseat_fake_crm.rows import Rows, Table
from jumpseat_fake_crm.salesforce import actions, soql
from jumpseat_fake_crm.salesforce.composite import composite
from jumpseat_fake_crm.salesforce.describe import brief, describe
from jumpseat_fake_crm.salesforce.ids import full
from jumpseat_fake_crm.salesforce.oauth import SignIn, refusal
from jumpseat_fake_crm.salesforce.query import Query
from jumpseat_fake_crm.salesforce.records import Records
from jumpseat_fake_crm.salesforce.schema import INTEGRATION_USER, Org
from jumpseat_fake_crm.web import Answer, Call, CrmError, OAuthError

CLIENT_ID = "3MVG9EXAMPLE.jumpseat.external.client.app"
OLDEST, RETIRED_UP_TO, NEWEST = 20, 30, 68
MOST_CALLS = 15_000
_VERSION = re.compile(r"/services/data/v(\d{2})\.0(?:/(.*))?")
_LARGEST_PAGE = 2000
_BATCH = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)


class Salesforce:
    """The whole org behind one address.

    Args:
        client_secret: of the external client app; made up when left out.
        private_key: PEM of the key registered for JWT bearer; made up when left out.
    """

    name = "salesforce"

    def __init__(self, client_secret: str | None = None, private_key: str | None = None) -> None:
        self._secret, self._private_key = client_secret, private_key
        self.begin()

    @cached_property
    def keys(self) -> KeyPair:
        """The key pair registered for JWT bearer."""
        return make(self._private_key)

    def begin(self) -> None:
        """The org as its data file has it, with the same app; all tokens are forgotten."""
        self.org = Org()
        self.sign_in = SignIn(self.org, CLIENT_ID, self._secret, lambda: self.keys)
        self._secret = self.sign_in.client_secret
        self._busy_until = 0.0
        self._cursors: dict[str, tuple[list[dict[str, Any]], int]] = {}

    def is_api(self, path: str) -> bool:
        """Is it a call of the API, and none of the sign-in?"""
        return path.startswith("/services/data")

    def answer(self, call: Call) -> Answer:
        """Everything but control and faults."""
        try:
            if call.path.startswith(("/services/oauth2/", "/id/")):
                return self.sign_in.answer(call)
            answer = self._api(call)
            answer.headers.setdefault("Sforce-Limit-Info", f"api-usage={self.org.calls}/{MOST_CALLS}")
            return answer
        except OAuthError as error:
            return refusal(error)
        except CrmError as error:
            return self.refuse(error)

    def refuse(self, error: CrmError) -> Answer:
        """A refusal of the API: a list of one."""
        fields = {"fields": list(error.fields)} if error.fields else {}
        headers = {"Sforce-Limit-Info": f"api-usage={self.org.calls}/{MOST_CALLS}", **error.headers}
        return Answer(error.status, [{"message": error.message, "errorCode": error.code, **fields}], headers)

    def quota(self) -> CrmError:
        """The org's calls of the day are used up."""
        self.org.calls = MOST_CALLS
        return CrmError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def throttled(self, headers: dict[str, str]) -> CrmError:
        """429, which the platform knows for feeds only."""
        return CrmError(429, "REQUEST_LIMIT_EXCEEDED", "You have reached the limit of requests.", headers)

    def failed(self, status: int) -> CrmError:
        """The platform is not well."""
        return CrmError(status, "SERVER_UNAVAILABLE", "The server is not available at the moment.")

    def gone(self) -> CrmError:
        """The version of the API is retired."""
        return CrmError(410, "UNSUPPORTED_API_VERSION", "The requested resource is no longer available. This API version has been retired.")

    # --- the API ---

    def _api(self, call: Call) -> Answer:
        if call.path.rstrip("/") == "/services/data":
            numbers = range(RETIRED_UP_TO + 1, NEWEST + 1)
            return Answer(200, [{"label": f"Release {one}", "url": f"/services/data/v{one}.0", "version": f"{one}.0"} for one in numbers])
        match = _VERSION.fullmatch(call.path)
        if match is None or not OLDEST <= int(match[1]) <= NEWEST:
            raise _missing()
        if int(match[1]) <= RETIRED_UP_TO:
            raise self.gone()
        user = self.sign_in.user_of(call.bearer)
        if user is None:
            raise CrmError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self.org.calls += 1
        return self._resource(call, user, f"v{match[1]}.0", (match[2] or "").strip("/"))

    def _resource(self, call: Call, user: str, version: str, rest: str) -> Answer:
        first, _, more = rest.partition("/")
        if first == "sobjects":
            return self._sobjects(call, user, version, more)
        plain: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", ""): lambda: Answer(
                200, {one: f"/services/data/{version}/{one}" for one in ("sobjects", "query", "limits", "chatter", "actions")}
            ),
            ("GET", "query"): lambda: self._query(call, user, version),
            ("GET", "limits"): lambda: Answer(200, {"DailyApiRequests": {"Max": MOST_CALLS, "Remaining": MOST_CALLS - self.org.calls}}),
            ("POST", "composite"): lambda: composite(
                call, version, lambda part, path: self._resource(part, user, version, path), self.refuse
            ),
            ("POST", "chatter/feed-elements"): lambda: actions.post(self.org, user, version, call),
            ("POST", "actions/standard/customNotificationAction"): lambda: actions.notify(self.org, user, call),
        }
        if (call.method, rest) in plain:
            return plain[call.method, rest]()
        if call.method == "GET" and first == "query":
            return self._more(user, version, more)
        if rest in {known for _, known in plain}:
            raise CrmError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed.")
        raise _missing()

    def _sobjects(self, call: Call, user: str, version: str, rest: str) -> Answer:
        parts = [unquote(part) for part in rest.split("/") if part]
        if not parts:
            shown = [brief(table, version) for table in self.org.rows.tables.values()]
            return Answer(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown})
        table = self.org.table(parts[0])
        if table is None:
            raise _missing()
        records = Records(self.org, user, version)
        if parts[1:] == ["describe"] and call.method == "GET":
            return describe(self.org, table, user, version, call)
        return self._record(call, records, table, parts[1:], version)

    def _record(self, call: Call, records: Records, table: Table, rest: list[str], version: str) -> Answer:
        match call.method, rest:
            case "GET", []:
                return Answer(200, {"objectDescribe": brief(table, version), "recentItems": []})
            case "POST", []:
                return records.create(table, call)
            case "GET", [id]:
                return records.read(table, id, call)
            case "PATCH", [id]:
                return records.update(table, id, call)
            case "PATCH", [key, value]:
                return records.upsert(table, key, value, call)
        if len(rest) > 2:
            raise _missing()
        raise CrmError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are HEAD,GET,PATCH,DELETE")

    # --- queries ---

    def _query(self, call: Call, user: str, version: str) -> Answer:
        text = call.query.get("q", "")
        if not text:
            raise soql.malformed("A query string has to be specified")
        select = soql.read(text)
        records = Query(self.org, user, version, text).run(select)
        if select.counts:
            return Answer(200, {"totalSize": len(records), "done": True, "records": []})
        asked = _BATCH.search(call.headers.get("sforce-query-options", ""))
        size = min(max(int(asked[1]), 200), _LARGEST_PAGE) if asked else _LARGEST_PAGE
        if self.org.faults.page_size is not None:
            size = min(size, self.org.faults.page_size)
        return self._page(records, size, 0, f"01g{len(self._cursors):012d}", version)

    def _more(self, user: str, version: str, locator: str) -> Answer:
        name, _, place = locator.rpartition("-")
        if name not in self._cursors or not place.isdigit():
            raise CrmError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        records, size = self._cursors[name]
        return self._page(records, size, int(place), name, version)

    def _page(self, records: list[dict[str, Any]], size: int, start: int, name: str, version: str) -> Answer:
        end = start + max(size, 1)
        body: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records)}
        if not body["done"]:
            self._cursors[name] = (records, size)
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{name}-{end}"
        return Answer(200, {**body, "records": records[start:end]})

    # --- control ---

    def knows(self, token: str | None) -> bool:
        """Is the access token good?"""
        return self.sign_in.user_of(token) is not None

    def expire_tokens(self) -> None:
        """Every access token is refused from now on."""
        self.sign_in.expire_all()

    def wait_begins(self) -> None:
        """The wait of ``throttle_seconds`` begins."""
        self._busy_until = self.org.now() + self.faults.throttle_seconds

    def waits(self) -> bool:
        """Is that wait not over?"""
        return self.org.now() < self._busy_until

    @property
    def faults(self) -> Faults:
        """The switches."""
        return self.org.faults

    @property
    def rows(self) -> Rows:
        """The rows behind the API."""
        return self.org.rows

    def settings(self, base: str) -> dict[str, str]:
        """What the settings of a source are filled with."""
        return {"url": base, "client_id": CLIENT_ID, "client_secret": self.sign_in.client_secret}

    def token_for(self, user: str) -> str:
        """A fresh access token of a user."""
        return self.sign_in.issue(full(user))

    def id(self, given: str) -> str:
        """An id in its full form."""
        return full(given)

    def insert(self, object: str, values: dict[str, Any]) -> str:
        """Add a row behind the API's back; answers its id."""
        return self.org.insert(self.org.rows.tables[object], values, INTEGRATION_USER)

    def advance(self, seconds: float) -> None:
        """Move the org's clock on."""
        self.org.ahead += seconds

    def schema_changed(self) -> None:
        """Describe answers are newer from now on."""
        self.org.schema_changed()

    def touch(self, object: str, id: str) -> None:
        """A row was changed behind the API's back."""
        self.org.rows.tables[object].rows[id]["LastModifiedDate"] = self.org.stamp()


def _missing() -> CrmError:
    return CrmError(404, "NOT_FOUND", "The requested resource does not exist")
