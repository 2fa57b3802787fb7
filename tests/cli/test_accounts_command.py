"""``jumpseat accounts``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Grant, Host, Secret, SignIn
from jumpseat.cli import run
from jumpseat.sealing import VARIABLE, new_key
from jumpseat.testing import make_workspace

DESK = '''
from jumpseat import Grant, ProviderUnreachable, Secret, SignIn, hookimpl


class Desk(SignIn):
    """A desk that can be told nothing of one of its tokens."""

    name, label = "desk", "Desk"

    def authorize_url(self, request):
        return "https://desk.example/authorize"

    def exchange(self, code, request):
        return Grant(Secret("a"))

    def refresh(self, grant):
        return grant

    def revoke(self, grant):
        if grant.access_token.reveal() == "stubborn":
            raise ProviderUnreachable("The desk is closed.")


@hookimpl
def register_sign_ins(host):
    return [Desk()]
'''


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    folder = make_workspace(tmp_path / "workspace")
    (folder / "metadata" / "sources" / "recording.yaml").write_text("name: sandbox\nkind: sandbox\nlabel: Sample CRM\n")
    (folder / "templates" / "recording").rename(folder / "templates" / "email")
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "desk.py").write_text(DESK)
    return folder


@pytest.fixture
def jumpseat(workspace: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs a command in a small workspace; answers its JSON where ``--json`` was asked for, else exit code, output and errors."""

    def command(*words: str) -> Any:
        code = run(["--workspace", str(workspace), "accounts", *words])
        out, err = capsys.readouterr()
        return json.loads(out) if "--json" in words else (code, out, err)

    return command


def signed_in(workspace: Path, *tokens: str) -> list[str]:
    """Sign supporters in, by their own tokens; answers the ids of the accounts."""
    with Host.open(workspace) as host:
        kept, sign_in = host._wiring.accounts, host._wiring.sign_in("desk")
        assert isinstance(sign_in, SignIn)
        return [
            kept.put(sign_in, f"005{token}", token.title(), Grant(Secret(token), account=f"{token}@example.test")).id for token in tokens
        ]


def test_the_address_to_sign_in_is_printed_alone(jumpseat: Callable[..., Any]) -> None:
    code, out, err = jumpseat("sign-in", "desk")

    assert (code, err, out.count("\n")) == (0, "", 1)
    assert out.startswith("http://127.0.0.1:8400/sign-in/")
    assert set(jumpseat("sign-in", "desk", "--as", "005A000000Jmu01IAB", "--json")) == {"url", "expiresAt"}


def test_what_is_not_there_cannot_be_signed_in_to(jumpseat: Callable[..., Any]) -> None:
    assert jumpseat("sign-in", "nobody") == (
        1,
        "",
        "error[JS-NOT-FOUND]: The sign-in 'nobody' is not there: no plugin and no record source that is running brings it.\n",
    )


def test_sign_ins_are_listed_with_owner_and_last_use_and_without_what_they_gave(jumpseat: Callable[..., Any], workspace: Path) -> None:
    assert jumpseat("list") == (0, "Nobody is signed in.\n", "")
    (id,) = signed_in(workspace, "nadia")

    code, out, err = jumpseat("list")
    (shown,) = jumpseat("list", "--json")

    assert (code, out, err) == (0, f"{id}  {'desk':<14} {'Nadia':<24} {'nadia@example.test':<28} never used\n", "")
    assert set(shown) == {"id", "signIn", "owner", "ownerName", "account", "scopes", "createdAt"}


def test_one_or_all_sign_ins_are_revoked_and_the_exit_code_says_when_a_provider_was_not_told(
    jumpseat: Callable[..., Any], workspace: Path
) -> None:
    first, *_ = signed_in(workspace, "anna", "ben", "stubborn")

    assert [account["id"] for account in jumpseat("revoke", first, "--json")] == [first]
    code, out, err = jumpseat("revoke", "--all")

    assert (code, out.count("Revoked: ")) == (1, 1)
    assert err == (
        "error[JS-PROVIDER]: The sign-in is used here no more, but Desk could not be told: The desk is closed. "
        "Try again, or end it there.\n"
    )
    (left,) = jumpseat("list", "--json")
    assert (left["ownerName"], left["endedReason"]) == ("Stubborn", "it was revoked.")
    assert jumpseat("revoke")[0] == 2


def test_a_new_key_is_put_on_all_and_the_exit_code_says_when_some_cannot_be_opened(
    jumpseat: Callable[..., Any], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv(VARIABLE, old)
    signed_in(workspace, "anna", "ben")
    with Host.open(workspace) as host:
        host.create_webhook("crm", "https://hooks.example.com/x", (), host.operator())

    monkeypatch.setenv(VARIABLE, f"{new},{old}")
    assert jumpseat("reseal") == (0, resealed(2, 0) + webhooks_resealed(1, 0), "")
    assert jumpseat("reseal", "--json") == {"resealed": 0, "unreadable": 0, "webhooks": {"resealed": 0, "unreadable": 0}}
    monkeypatch.setenv(VARIABLE, old)
    assert jumpseat("reseal") == (1, resealed(0, 2) + webhooks_resealed(0, 1), "")


def resealed(done: int, broken: int) -> str:
    return f"Sign-ins resealed: {done}. Not readable with the keys given: {broken}.\n"


def webhooks_resealed(done: int, broken: int) -> str:
    return f"Webhooks resealed: {done}. Not readable with the keys given: {broken}.\n"
