"""Who may call what: every route with every kind of caller, made from the routes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from api_kit import ADMINISTRATOR, CASE, OTHER_CASE, USER, Api, problem
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from jumpseat import Host, RecordRef
from jumpseat.api.app import ROUTERS, routes_of
from jumpseat.api.routes import webhooks
from jumpseat.api.signin import signed_in

WAY = {"/sign-in/close.js", "/sign-in/callback", "/sign-in/{ticket}"}
"""A browser's way through a sign-in at a provider: ticket and state say who is on it; see test_accounts."""
OPEN = {"/health/live", "/health/ready", "/metrics", *WAY}
"""Without sign-in on purpose; the descriptions of the API (``/openapi.json`` and its dialects) are the only further ones.
``/metrics`` asks for it itself, see test_metrics_route."""
JOBS = {"/v1/jobs", "/v1/jobs/{job}/runs", "/v1/job-runs/{runId}/cancel", "/v1/job-runs/{runId}/retry"}
REPORTS = {"/v1/connections", "/v1/connections/refresh"}
ADMINISTRATION = {*REPORTS, "/v1/alerts", "/v1/plugins", "/v1/problems", "/v1/trace", "/v1/trace/level", *JOBS}
WEBHOOKS = {route.path for route in routes_of(webhooks.router)}
OF_NO_RECORD = {
    *("listObjects", "listSessionTypes", "listShareChannels", "listTemplates", "renewLaunch"),
    *("listAccounts", "listSessions", "streamEvents"),
}
"""What a launch is answered whatever its record is; the last ones show the supporter's own and that record alone, see
test_launch_binding."""
NO_WEBHOOK = "wh_00000000000000000000000000000000"
NO_SESSION = "s_00000000000000000000000000000000"
NO_SHARE = "sh_00000000000000000000000000000000"
NO_RUN = "jr_00000000000000000000000000000000"
NO_ACCOUNT = "pa_00000000000000000000000000000000"
CREATE = {"createWebhook", "openSession", "refreshConnections", "runJob"}
BODIES = {
    "makeOffer": {"record": {"object": "Case", "recordId": CASE}},
    "createLaunch": {"object": "Case", "recordId": CASE},
    "openSession": {"sessionType": "remote_control"},
    "shareSession": {},
    "previewShare": {},
    "setTraceLevel": {"level": "off"},
    "createWebhook": {"name": "crm", "url": "https://hooks.example.com/"},
    "updateWebhook": {"enabled": False},
}


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in routes_of(router)]


def calls_of(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from calls_of(inner)


def test_every_route_asks_who_calls_unless_it_is_open_on_purpose() -> None:
    without = {route.path for route in routes() if signed_in not in calls_of(route.dependant)}

    assert without == OPEN


SIGNED_IN = [
    pytest.param(route, method, id=f"{method} {route.path}")
    for route in routes()
    if route.path not in OPEN
    for method in sorted(route.methods or ())
]


def ask(api: Api, route: APIRoute, method: str) -> requests.Response:
    path = route.path.replace("{object}", "Case").replace("{recordId}", CASE).replace("{sessionId}", NO_SESSION)
    path = path.replace("{shareId}", NO_SHARE).replace("{webhookId}", NO_WEBHOOK).replace("{deliveryId}", NO_WEBHOOK)
    path = path.replace("{dashboard}", "activity")
    path = path.replace("{job}", "retention").replace("{runId}", NO_RUN)
    path = path.replace("{signIn}", "nobody").replace("{accountId}", NO_ACCOUNT)
    query = f"?object=Case&recordId={CASE}" if route.path == "/v1/contacts" else ""
    return api.call(method, path + query, BODIES.get(route.operation_id or ""))


@pytest.fixture(scope="module")
def callers(shared_api: Api, shared_host: Host) -> dict[str, Api]:
    """Every kind of caller."""
    operator = shared_host.operator()
    revoked = shared_host.create_key("old", "administrator", operator).reveal()
    shared_host.revoke_key("old", operator)
    user_key = shared_host.create_key("narrow", "user", operator).reveal()
    return {
        "nobody": Api(shared_api.base),
        "wrong key": Api(shared_api.base, "jsk_wrong", ADMINISTRATOR),
        "revoked key": Api(shared_api.base, revoked, ADMINISTRATOR),
        "user": shared_api.as_(USER),
        "user key for an administrator": shared_api.as_(ADMINISTRATOR, user_key),
        "administrator": shared_api,
    }


@pytest.mark.parametrize(("route", "method"), SIGNED_IN)
@pytest.mark.parametrize("caller", ["nobody", "wrong key", "revoked key"])
def test_without_a_valid_key_every_operation_asks_for_one(route: APIRoute, method: str, caller: str, callers: dict[str, Api]) -> None:
    answer = ask(callers[caller], route, method)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="jumpseat"')
    assert problem(answer)["code"] == "JS-AUTH"


@pytest.mark.parametrize(("route", "method"), SIGNED_IN)
@pytest.mark.parametrize("caller", ["user", "user key for an administrator", "administrator"])
def test_with_a_key_every_operation_does_what_the_rights_allow(route: APIRoute, method: str, caller: str, callers: dict[str, Api]) -> None:
    answer = ask(callers[caller], route, method)

    if route.path in ADMINISTRATION | WEBHOOKS and caller != "administrator":
        assert problem(answer)["code"] == "JS-RIGHT"
    elif "{sessionId}" in route.path:
        assert problem(answer)["code"] == "JS-SESSION"
    elif route.operation_id == "getDashboard" and caller != "administrator":
        assert problem(answer)["code"] == "JS-NOT-FOUND"  # no role is granted
    elif re.search(r"{((run|share|webhook|account)Id|signIn)}", route.path):
        assert problem(answer)["code"] == "JS-NOT-FOUND"
    elif route.operation_id == "renewLaunch":
        assert problem(answer)["code"] == "JS-REFUSED"  # only launches are renewed
    elif route.operation_id == "openSession" and answer.status_code == 409:
        assert problem(answer)["code"] == "JS-SESSION-VALID"  # another caller of this module has opened one
    else:
        assert answer.status_code == (201 if route.operation_id in CREATE else 200)


@pytest.fixture(scope="module")
def elsewhere(shared_api: Api, shared_host: Host) -> Api:
    """Launched for another record than the one that the calls name, by an administrator."""
    key = shared_host.create_key("launching", "administrator", shared_host.operator())
    token, _ = shared_host.create_launch(RecordRef("Case", OTHER_CASE), shared_host.key_supporter(key, ADMINISTRATOR))
    return Api(shared_api.base, token.token.reveal())


@pytest.mark.parametrize(("route", "method"), SIGNED_IN)
def test_with_the_token_of_a_launch_nothing_is_done_to_another_record(route: APIRoute, method: str, elsewhere: Api) -> None:
    answer = ask(elsewhere, route, method)

    if route.operation_id in OF_NO_RECORD:
        assert answer.status_code == 200
    else:
        assert problem(answer)["code"] in {"JS-LAUNCH-RECORD", "JS-RIGHT", "JS-SESSION", "JS-NOT-FOUND"}
        assert answer.status_code in {403, 404}


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Token abc", "bearer\tabc", "Bearer \xe9"])
def test_what_is_no_bearer_key_is_refused(shared_api: Api, header: str) -> None:
    answer = Api(shared_api.base).get("/v1/objects", Authorization=header.encode("latin-1"))  # type: ignore[arg-type]  # as bytes, past the client's own check

    assert problem(answer)["code"] == "JS-AUTH"


def test_a_key_in_the_address_opens_nothing(api: Api) -> None:
    assert Api(api.base).get(f"/v1/objects?access_token={api.key}&key={api.key}").status_code == 401


def test_a_revoked_key_is_refused_from_the_next_call_on(api: Api, host: Host) -> None:
    assert api.get("/v1/objects").status_code == 200
    host.revoke_key("crm", host.operator())
    assert api.get("/v1/objects").status_code == 401
