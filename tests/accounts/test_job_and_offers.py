"""Sign-ins in the middle of the host: the job that renews them, and offers that say who has to sign in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Grant, Host, ProviderSignInNeeded, Secret, SignIn, SignInRequest, hookimpl
from jumpseat.errors import SessionTypeNotAllowed
from jumpseat.testing import make_workspace
from jumpseat.testing.fakes import RecordingPlugin, a_record, a_supporter

FIRST = "Sign in to the desk first."


class Desk(SignIn):
    """Renews by counting."""

    name, label = "desk", "Desk"
    renewed = 0

    def authorize_url(self, request: SignInRequest) -> str:
        return "https://desk.example/authorize"

    def exchange(self, code: Secret, request: SignInRequest) -> Grant:
        return Grant(Secret("a"))

    def refresh(self, grant: Grant) -> Grant:
        self.renewed += 1
        return Grant(Secret(f"access-{self.renewed}"), grant.refresh_token, datetime.now(UTC) + timedelta(hours=8))


class Plugin(RecordingPlugin):
    """A session type that needs the supporter's own sign-in at the desk."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        recorded = self.session_type
        recorded.missing_for = lambda supporter: "" if recorded.runtime.accounts.has("desk", supporter.id) else FIRST  # type: ignore[method-assign]  # of this one

    @hookimpl
    def register_sign_ins(self) -> list[SignIn]:
        return [self.desk]


@pytest.fixture
def plugin() -> Plugin:
    return Plugin()


@pytest.fixture
def host(tmp_path: Path, plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    with Host.open(make_workspace(tmp_path / "workspace"), discover=False, plugins=[("recording", plugin)]) as host:
        yield host


def sign_in(host: Host, owner: str, grant: Grant) -> None:
    found = host._wiring.sign_in("desk")
    assert found is not None
    host._wiring.accounts.put(found, owner, "Sam Support", grant)


def test_an_offer_says_who_has_to_sign_in_and_opening_asks_for_it(host: Host) -> None:
    sam = a_supporter()
    offered = host.resolve(a_record(), sam).session_type("recording")

    assert offered is not None
    assert (offered.allowed, [reason.text for reason in offered.reasons if not reason.allowed]) == (False, [FIRST])
    with pytest.raises(ProviderSignInNeeded) as needed:
        host.open_session(a_record(), "recording", sam)
    assert (needed.value.message, needed.value.param) == (FIRST, "sessionType")

    sign_in(host, sam.id, Grant(Secret("a")))

    assert host.open_session(a_record(), "recording", sam).code
    with pytest.raises((ProviderSignInNeeded, SessionTypeNotAllowed)):
        host.open_session(a_record(id="500000000000002"), "recording", a_supporter("005000000000002"))


def test_the_job_token_refresh_renews_what_runs_out_soon(host: Host, plugin: Plugin) -> None:
    for owner in ("", "005A"):
        sign_in(host, owner, Grant(Secret("old"), Secret("refresh"), datetime.now(UTC) + timedelta(minutes=30)))
    operator = host.operator()

    run = host.carry_out_job_run(host.run_job("token_refresh", operator).id, operator)

    assert run is not None
    assert (run.state, plugin.desk.renewed) == ("succeeded", 2)
    assert host._wiring.accounts.grant("desk").access_token in (Secret("access-1"), Secret("access-2"))
