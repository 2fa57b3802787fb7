"""What stands before a CRM: the faults that were switched on."""

from __future__ import annotations

from jumpseat_fake_crm.crm import Crm
from jumpseat_fake_crm.faults import Faults
from jumpseat_fake_crm.web import Answer, Call

_HTML = "text/html;charset=UTF-8"
_WRITES = {"POST", "PATCH", "PUT", "DELETE"}


class Dropped(Exception):  # says what became of the connection
    """The call took effect, and its connection is to be cut."""


def answer(crm: Crm, call: Call) -> Answer:
    """Answer a call, or let it go wrong.

    Raises:
        Dropped: nothing may be answered.
    """
    faults = crm.faults
    if not crm.is_api(call.path):
        return _hostile(faults, crm.answer(call), call) if _is_meant(crm, call) else crm.answer(call)
    trouble = _trouble(crm, call)
    if trouble is not None:
        return trouble
    answered = crm.answer(call)
    if faults.drop_after_effect and call.method in _WRITES and answered.status < 300:
        faults.drop_after_effect -= 1
        raise Dropped
    return _hostile(faults, answered, call) if _is_meant(crm, call) else answered


def _trouble(crm: Crm, call: Call) -> Answer | None:
    """The refusal that comes before any effect."""
    faults = crm.faults
    if faults.expire_after is not None and crm.knows(call.bearer):
        faults.expire_after -= 1
        if faults.expire_after < 0:
            faults.expire_after = None
            crm.expire_tokens()
    if faults.retired:
        return crm.refuse(crm.gone())
    if faults.fail_calls:
        faults.fail_calls -= 1
        return crm.refuse(crm.failed(faults.fail_status))
    if faults.quota_spent:
        return crm.refuse(crm.quota())
    if faults.throttle_calls or crm.waits():
        faults.throttle_calls = max(0, faults.throttle_calls - 1)
        if crm.waits():
            crm.wait_begins()
        return crm.refuse(crm.throttled({"Retry-After": faults.retry_after} if faults.retry_after else {}))
    return None


def _is_meant(crm: Crm, call: Call) -> bool:
    faults = crm.faults
    if not faults.hostile:
        return False
    return faults.hostile_path in call.path if faults.hostile_path else crm.is_api(call.path)


def _hostile(faults: Faults, good: Answer, call: Call) -> Answer:
    """What a broken or wicked server would send in place of a good answer."""
    if faults.hostile == "redirect":
        return Answer(302, None, {"Location": faults.hostile_target + call.path})
    if faults.hostile == "html":
        return Answer(200, "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>", media=_HTML)
    if faults.hostile == "broken_json":
        return Answer(good.status, good.content()[: max(1, len(good.content()) // 2)] + b"{", good.headers, good.media)
    if faults.hostile == "wrong_types":
        return Answer(good.status, _twisted(good.body), good.headers, good.media)
    if faults.hostile == "huge":
        return Answer(200, b'{"records":["' + b"x" * faults.huge_bytes + b'"]}', good.headers, good.media)
    return _next_elsewhere(faults, good)


def _next_elsewhere(faults: Faults, good: Answer) -> Answer:
    if isinstance(good.body, dict) and "records" in good.body:
        good.body = {**good.body, "done": False, "nextRecordsUrl": f"{faults.hostile_target}/services/data/v67.0/query/01g-2000"}
    elif isinstance(good.body, dict) and "value" in good.body:
        good.body = {**good.body, "@odata.nextLink": f"{faults.hostile_target}/api/data/v9.2/contacts?$skiptoken=1"}
    return good


def _twisted(value: object) -> object:
    """The same shape with every value of another type."""
    if isinstance(value, dict):
        return {name: _twisted(one) for name, one in value.items()}
    if isinstance(value, list):
        return {"0": [_twisted(one) for one in value]}
    if isinstance(value, str):
        return {"text": [value]}
    return str(value)
