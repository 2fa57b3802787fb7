"""The environment's addresses: which call goes where, as whom it runs, and how a refusal is written."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from jumpseat_fake_crm.dynamics import entra, messages, metadata
from jumpseat_fake_crm.dynamics.entra import CLIENT_ID, TENANT, Entra
from jumpseat_fake_crm.dynamics.environment import APP_USER, Caller, Environment
from jumpseat_fake_crm.dynamics.odata import GUID
from jumpseat_fake_crm.dynamics.reading import Reader
from jumpseat_fake_crm.dynamics.writing import Writer
from jumpseat_fake_crm.faults import Faults
from jumpseat_fake_crm.keys import KeyPair, make
from jumpseat_fake_crm.rows import Row, Rows, Table
from jumpseat_fake_crm.web import Answer, Call, CrmError, OAuthError

_API = re.compile(r"/api/data/v9\.[012](?:/(.*))?")
_OLD = re.compile(r"/api/data/v[1-8]\.\d(?:/.*)?")
_LOGIN = re.compile(r"/[^/]+/(?:oauth2/v2\.0/token|v2\.0/\.well-known/openid-configuration)")
_ROW = re.compile(rf"(\w+)\(({GUID})\)(?:/(.+))?")
_LIMITS = {
    "0x80072322": "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
    "0x80072321": "Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds.",
    "0x80072326": "Number of concurrent requests exceeded the limit of 52.",
}


class Dynamics:
    """The whole environment and its tenant behind one address.

    Args:
        client_secret: of the app registration; made up when left out.
        private_key: PEM of the key whose certificate is registered; made up when left out.
    """

    name = "dynamics"

    def __init__(self, client_secret: str | None = None, private_key: str | None = None) -> None:
        self._secret, self._private_key = client_secret, private_key
        self.begin()

    @cached_property
    def keys(self) -> KeyPair:
        """The key pair registered for client assertions."""
        return make(self._private_key)

    def begin(self) -> None:
        """The environment as its data file has it, with the same application; all tokens are forgotten."""
        self.environment = Environment()
        self.entra = Entra(self.environment, self._secret, lambda: self.keys)
        self._secret = self.entra.client_secret
        self._busy_until = 0.0

    def is_api(self, path: str) -> bool:
        """Is it a call of the API, and none of the sign-in?"""
        return path.startswith("/api/data")

    def answer(self, call: Call) -> Answer:
        """Everything but control and faults."""
        try:
            if _LOGIN.fullmatch(call.path):
                return self.entra.answer(call)
            answer = self._api(call)
            answer.headers |= self._common()
            if answer.body is not None:
                answer.media = "application/json; odata.metadata=minimal"
            return answer
        except OAuthError as error:
            return entra.refusal(error)
        except CrmError as error:
            return self.refuse(error)

    def _common(self) -> dict[str, str]:
        return {
            "OData-Version": "4.0",
            "x-ms-ratelimit-burst-remaining-xrm-requests": "5999",
            "x-ms-ratelimit-time-remaining-xrm-requests": "1,199.90",
        }

    # --- refusals ---

    def refuse(self, error: CrmError) -> Answer:
        """A refusal of the API."""
        body = None if error.status == 401 else {"error": {"code": error.code, "message": error.message}}
        return Answer(error.status, body, {"OData-Version": "4.0", **error.headers}, "application/json; odata.metadata=minimal")

    def quota(self) -> CrmError:
        """The 24-hour entitlement is spent; Dataverse says it as any other limit."""
        return self.throttled({})

    def throttled(self, headers: dict[str, str]) -> CrmError:
        """One of the three service protection limits."""
        code = self.faults.throttle_code or "0x80072322"
        return CrmError(429, code, _LIMITS[code], headers)

    def failed(self, status: int) -> CrmError:
        """The platform is not well."""
        return CrmError(status, "0x80040216", "An unexpected error occurred.")

    def gone(self) -> CrmError:
        """The version of the API is retired."""
        return CrmError(410, "", "This version of the Web API is no longer available.")

    # --- the API ---

    def _api(self, call: Call) -> Answer:
        if _OLD.fullmatch(call.path):
            raise self.gone()
        match = _API.fullmatch(call.path)
        if match is None:
            raise CrmError(404, "0x80060888", "Resource not found for the segment.")
        caller = self._caller(call)
        self._check_headers(call)
        rest = (match[1] or "").strip("/")
        if rest.startswith("EntityDefinitions") and call.method == "GET":
            return metadata.answer(self.environment, call, rest)
        return messages.unbound(self.environment, caller, call, rest) or self._rows(caller, call, rest)

    def _caller(self, call: Call) -> Caller:
        """As whom the call runs: whom the token speaks for, and whom a header names besides."""
        user = self.entra.user_of(call.bearer)
        if user is None:
            address = f"{call.base}/{TENANT}/oauth2/authorize"
            raise CrmError(401, "", "", {"WWW-Authenticate": f"Bearer authorization_uri={address}, resource_id={call.base}/"})
        by_object, by_id = call.headers.get("callerobjectid"), call.headers.get("mscrmcallerid")
        if not by_object and not by_id:
            return Caller(user, (user,))
        users = self.environment.rows.tables["systemuser"].rows
        key, wanted = ("azureactivedirectoryobjectid", by_object) if by_object else ("systemuserid", by_id)
        found = next((row for row in users.values() if row.get(key) == str(wanted).lower()), None)
        if not self.faults.may_act_for_others:
            raise CrmError(403, "0x80040220", f"Principal user (Id={user}, type=8) is missing prvActOnBehalfOfAnotherUser privilege.")
        if found is None:
            raise CrmError(403, "0x80072560", "The user is not a member of the organization.")
        if found.get("isdisabled"):
            raise CrmError(403, "0x80040225", "The specified user is either disabled or is not a member of any business unit.")
        return Caller(found["systemuserid"], (user, found["systemuserid"]))

    def _check_headers(self, call: Call) -> None:
        """The headers that every call has to send; strict here, so that a client that forgets them is found."""
        for name in ("odata-version", "odata-maxversion"):
            if call.headers.get(name) != "4.0":
                raise CrmError(400, "0x80060888", f"The header {name} has to be 4.0.")
        if call.body and call.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise CrmError(415, "0x80060888", "The content type has to be application/json.")

    def _rows(self, caller: Caller, call: Call, rest: str) -> Answer:
        match = _ROW.fullmatch(rest)
        if match:
            return self._row(caller, call, self.environment.by_set(match[1]), match[2].lower(), match[3])
        if not rest.isidentifier():
            raise CrmError(400 if "(" in rest else 404, "0x80060888", f"Error in query syntax: '{rest}'.")
        table = self.environment.by_set(rest)
        if call.method == "GET":
            rows = [row for row in table.rows.values() if self.environment.sees(caller, table, row)]
            return Reader(self.environment, caller, call).many(table, rows)
        if call.method == "POST":
            return Writer(self.environment, caller, call).create(table)
        raise CrmError(405, "0x80060888", f"{call.method} is not allowed here.")

    def _row(self, caller: Caller, call: Call, table: Table, id: str, below: str | None) -> Answer:
        if below:
            return self._below(caller, call, table, self.environment.row(caller, table, id), below)
        if call.method == "GET":
            return Reader(self.environment, caller, call).one(table, self.environment.row(caller, table, id))
        if call.method == "PATCH":
            return Writer(self.environment, caller, call).change(table, id)
        raise CrmError(405, "0x80060888", f"{call.method} is not allowed here.")

    def _below(self, caller: Caller, call: Call, table: Table, row: Row, below: str) -> Answer:
        if call.method != "GET":
            raise CrmError(405, "0x80060888", f"{call.method} is not allowed here.")
        if below.startswith("Microsoft.Dynamics.CRM.") and table.name == "systemuser":
            return messages.access(self.environment, caller, call, row, below)
        way = self.environment.navigation(table, below)
        there, rows = self.environment.rows.tables[way.target], self.environment.follow(caller, table, row, way)
        reader = Reader(self.environment, caller, call)
        if way.kind != "one":
            return reader.many(there, rows)
        return reader.one(there, rows[0]) if rows else Answer(204)

    # --- control ---

    @property
    def faults(self) -> Faults:
        """The switches."""
        return self.environment.faults

    @property
    def rows(self) -> Rows:
        """The rows behind the API."""
        return self.environment.rows

    def knows(self, token: str | None) -> bool:
        """Is the access token good?"""
        return self.entra.user_of(token) is not None

    def expire_tokens(self) -> None:
        """Every access token is refused from now on."""
        self.entra.expire_all()

    def wait_begins(self) -> None:
        """The wait of ``throttle_seconds`` begins."""
        self._busy_until = self.environment.now() + self.faults.throttle_seconds

    def waits(self) -> bool:
        """Is that wait not over?"""
        return self.environment.now() < self._busy_until

    def settings(self, base: str) -> dict[str, str]:
        """What the settings of a source are filled with."""
        return {"url": base, "tenant": TENANT, "client_id": CLIENT_ID, "client_secret": self.entra.client_secret, "authority": base}

    def token_for(self, user: str = APP_USER) -> str:
        """A fresh access token of a user."""
        return self.entra.issue(self.id(user))

    def id(self, given: str) -> str:
        """An id in lower case."""
        if not re.fullmatch(GUID, given):
            raise ValueError(f"{given} is no GUID.")
        return given.lower()

    def insert(self, object: str, values: dict[str, Any]) -> str:
        """Add a row behind the API's back; answers its id."""
        return self.environment.insert(self.rows.tables[object], values, Caller(APP_USER, (APP_USER,)))

    def touch(self, object: str, id: str) -> None:
        """A row was changed behind the API's back."""
        self.environment.touch(self.rows.tables[object].rows[id])

    def advance(self, seconds: float) -> None:
        """Move the environment's clock on."""
        self.environment.ahead += seconds

    def schema_changed(self) -> None:
        """Metadata has a new version."""
        self.environment.metadata_version += 1
