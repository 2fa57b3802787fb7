"""``/_fake/``: faults are switched, rows changed, and what callers did is read. For the loopback address only."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from jumpseat_fake_crm.crm import Crm
from jumpseat_fake_crm.web import Answer, Call

_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
_KEPT_HEADERS = (
    "prefer",
    "if-none-match",
    "if-match",
    "if-modified-since",
    "callerobjectid",
    "mscrmcallerid",
    "sforce-query-options",
    "odata-version",
)


class Control:
    """What is done to one fake.

    Args:
        crm: the CRM.
    """

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self.requests: list[dict[str, Any]] = []

    def answer(self, call: Call, client: str) -> Answer:
        """One call under ``/_fake/``. Bodies are JSON, so that no form on a foreign page can send one."""
        host = call.headers.get("host", "").rpartition(":")[0] or call.headers.get("host", "")
        if not _is_loopback(client) or host not in _HOSTS:
            return Answer(403, {"error": "Control is for this machine only."})
        what = call.path.removeprefix("/_fake/").strip("/")
        try:
            if call.method == "GET":
                return Answer(200, self._show(what, call.query))
            if call.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                raise ValueError("Send JSON with 'Content-Type: application/json'.")
            return Answer(200, self._do(what, call.json()))
        except KeyError as error:
            return Answer(404, {"error": str(error.args[0])})
        except ValueError as error:
            return Answer(422, {"error": str(error)})

    def _show(self, what: str, query: Mapping[str, str]) -> Any:
        if what == "written":
            return self.written(query.get("kind"))
        if what == "requests":
            return self.requests
        if what in {"", "state"}:
            return {
                "crm": self._crm.name,
                "faults": self._crm.faults.as_dict(),
                "written": len(self._crm.rows.written),
                "requests": len(self.requests),
            }
        raise KeyError(f"There is no /_fake/{what}. Read: state, written, requests. Post: switch, rows, reset.")

    def _do(self, what: str, body: dict[str, Any]) -> Any:
        if what == "switch":
            self.switch(**body)
            return self._crm.faults.as_dict()
        if what == "rows":
            return {"id": self.insert(str(body.get("object")), dict(body.get("values") or {}))}
        if what == "reset":
            self.reset()
            return {"reset": True}
        raise KeyError(f"There is no /_fake/{what}. Read: state, written, requests. Post: switch, rows, reset.")

    def written(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What callers wrote, of one kind or all."""
        return [dict(one) for one in self._crm.rows.written if kind is None or one["kind"] == kind]

    def insert(self, object: str, values: dict[str, Any]) -> str:
        """Add a row behind the API's back; answers its id.

        Raises:
            KeyError: there is no such object, or it has no such field.
        """
        table = self._crm.rows.tables.get(object)
        unknown = sorted(set(values) - set(table.fields)) if table else [object]
        if unknown:
            raise KeyError(f"There is no field '{unknown[0]}' of '{object}'." if table else f"There is no object '{object}'.")
        return self._crm.insert(object, values)

    def reset(self) -> None:
        """Rows, faults, tokens and logs as at the start."""
        self._crm.begin()
        self.requests.clear()

    def log(self, call: Call, status: int) -> None:
        """Remember a request; never its token, and of sign-in nothing but the path."""
        api = self._crm.is_api(call.path)
        self.requests.append(
            {
                "method": call.method,
                "path": call.path,
                "query": dict(call.query) if api else {},
                "headers": {name: call.headers[name] for name in _KEPT_HEADERS if name in call.headers},
                "bearer": call.bearer is not None,
                "status": status,
            }
        )

    def switch(self, **switches: Any) -> None:
        """Turn faults (``Faults``), and do at once: ``expire_tokens``, ``advance_seconds``, ``hide_field``, ``show_field``,
        ``hide_record``, ``show_record``, ``delete_record``, ``set_field``.

        Raises:
            ValueError: there is no such switch, or it does not take the value.
            KeyError: there is no such object or record.
        """
        deeds: dict[str, Callable[[Any], None]] = {
            "expire_tokens": lambda wanted: self._crm.expire_tokens() if wanted else None,
            "advance_seconds": lambda seconds: self._crm.advance(float(seconds)),
            "hide_field": lambda what: self._hide_field(what, hide=True),
            "show_field": lambda what: self._hide_field(what, hide=False),
            "hide_record": lambda what: self._hide_record(what, hide=True),
            "show_record": lambda what: self._hide_record(what, hide=False),
            "delete_record": self._delete,
            "set_field": self._set_field,
        }
        for name, value in switches.items():
            if name in deeds:
                deeds[name](value)
            else:
                self._crm.faults.turn(name, value)
            if name == "throttle_seconds":
                self._crm.wait_begins()

    def _hide_field(self, what: Mapping[str, Any], *, hide: bool) -> None:
        table = self._crm.rows.tables.get(what["object"])
        if table is None or what["field"] not in table.fields:
            raise KeyError(f"There is no field '{what['field']}' of '{what['object']}'.")
        entry = (self._crm.id(what["user"]) if what.get("user") else None, table.name, str(what["field"]))
        (self._crm.rows.hidden_fields.add if hide else self._crm.rows.hidden_fields.discard)(entry)
        self._crm.schema_changed()

    def _hide_record(self, what: Mapping[str, Any], *, hide: bool) -> None:
        entry = (self._crm.id(what["user"]) if what.get("user") else None, self._crm.id(what["id"]))
        (self._crm.rows.hidden_rows.add if hide else self._crm.rows.hidden_rows.discard)(entry)

    def _delete(self, id: str) -> None:
        found = self._crm.rows.find(self._crm.id(id))
        if found is None:
            raise KeyError(f"There is no record {id}.")
        found[1]["IsDeleted"] = True

    def _set_field(self, what: Mapping[str, Any]) -> None:
        found = self._crm.rows.find(self._crm.id(what["id"]))
        if found is None or what["field"] not in found[0].fields:
            raise KeyError(f"There is no record {what['id']}, or it has no field '{what['field']}'.")
        found[1][what["field"]] = what["value"]
        self._crm.touch(found[0].name, self._crm.id(what["id"]))


def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
