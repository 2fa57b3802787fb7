"""Opening, joining, watching and ending sessions, as the server sees it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from mesh_script import PASSWORD, USER, Scripted, running

from jumpseat import (
    AnswerLost,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderUnreachable,
    Session,
)
from jumpseat.testing import NOW, a_session, a_supporter, an_open_request
from jumpseat.testing.fakes import FakeClock
from jumpseat_meshcentral import ending, line
from jumpseat_meshcentral.session_type import MeshCentral

ORDER = ["deviceMeshShares", "removeDeviceShare", "runcommands", "deletemesh"]
"""How a session ends."""


def opened(mesh: MeshCentral, correlation_id: str = "c-1", hours: float = 24) -> Session:
    request = an_open_request(correlation_id, valid_until=NOW + timedelta(hours=hours))
    return a_session(mesh.open(request), request, "meshcentral")


def group_of(session: Session) -> str:
    return session.provider_data["group"]


# --- open ---------------------------------------------------------------------------------------------------------------


def test_a_session_is_a_group_of_its_own_that_forgets_devices(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)

    said = server.said("createmesh")
    assert (said["meshname"], said["meshtype"], said["flags"]) == (f"Jumpseat {session.code} c-1", 2, 1)


def test_the_customer_link_holds_nothing_at_which_mail_programs_cut(mesh: MeshCentral, server: Scripted) -> None:
    link = opened(mesh).customer_link

    assert link == f"{server.url}/agentinvite?c=%40invite%24{server.actions.index('createInviteLink') + 1}"


def test_an_invitation_lasts_whole_hours_and_no_less_than_the_session(mesh: MeshCentral, server: Scripted) -> None:
    opened(mesh, hours=1.01)

    assert server.said("createInviteLink")["expire"] == 2


def test_an_invitation_is_to_a_program_that_is_not_installed(mesh: MeshCentral, server: Scripted) -> None:
    opened(mesh)

    assert server.said("createInviteLink")["flags"] == 1


def test_nothing_of_the_record_or_the_customer_leaves(mesh: MeshCentral, server: Scripted) -> None:
    opened(mesh)

    left = json.dumps(server.asked)
    assert not [word for word in ("Marie", "marie@", "00001001", "500000000000001", "printer") if word in left]


@pytest.mark.parametrize(("set_to", "sent"), [(73, 73), (0, 8), (1, 9), (127, 127)])
def test_asking_the_customer_cannot_be_switched_off(made: Callable[..., MeshCentral], server: Scripted, set_to: int, sent: int) -> None:
    opened(made(consent=set_to))

    assert server.said("createmesh")["consent"] == sent


def test_a_group_whose_invitation_is_refused_does_not_stay(mesh: MeshCentral, server: Scripted) -> None:
    server.refuses["createInviteLink"] = "Invalid flags"

    with pytest.raises(ProviderRefused, match="MeshCentral refused: Invalid flags"):
        opened(mesh)
    assert server.groups == {}


@pytest.mark.parametrize("lost", ["createmesh", "createInviteLink"])
def test_a_session_whose_answer_was_lost_is_found(mesh: MeshCentral, server: Scripted, lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "CALL_SECONDS", 0.2)
    server.deaf.add(lost)
    with pytest.raises(AnswerLost):
        opened(mesh)
    server.deaf.clear()

    found = mesh.find("c-1", NOW)
    assert found is not None
    assert server.groups[found.provider_data["group"]]["name"] == f"Jumpseat {found.code} c-1"
    assert mesh.find("c-1", NOW) == found


def test_a_session_that_never_arrived_is_not_found(mesh: MeshCentral, server: Scripted) -> None:
    server.hangs_up.add("createmesh")

    with pytest.raises(AnswerLost):
        opened(mesh)
    assert mesh.find("c-1", NOW) is None


# --- whom it talks to ---------------------------------------------------------------------------------------------------


def test_a_wrong_token_is_told_without_showing_it(made: Callable[..., MeshCentral]) -> None:
    wrong = "aWrongTokenOfSomebody"

    with pytest.raises(ProviderSignInNeeded) as refused:
        opened(made(token_password=wrong))
    assert refused.value.message == (
        "MeshCentral does not accept the login token. Make a new one, and put its two parts into 'token_user' and 'token_password' "
        "in metadata/plugins/meshcentral.yaml."
    )


def test_a_server_that_is_away_is_told_as_such(made: Callable[..., MeshCentral]) -> None:
    with pytest.raises(ProviderUnreachable, match=r"MeshCentral at 127\.0\.0\.1:9 cannot be reached"):
        opened(made(url="https://127.0.0.1:9"))


def test_a_server_whose_authority_is_not_named_gets_no_token(made: Callable[..., MeshCentral], server: Scripted) -> None:
    with pytest.raises(ProviderUnreachable, match=r"'ca_file' in metadata/plugins/meshcentral\.yaml has to name the authority"):
        opened(made(ca_file=None))
    assert server.signed_in == 0


def test_a_missing_file_of_the_authority_is_named(made: Callable[..., MeshCentral]) -> None:
    with pytest.raises(ProviderUnreachable, match=r"names /nowhere\.pem, which is no readable PEM file"):
        opened(made(ca_file="/nowhere.pem"))


def test_the_token_follows_no_redirect(mesh: MeshCentral, server: Scripted, made: Callable[..., MeshCentral], tmp_path: Path) -> None:
    with running(tmp_path) as elsewhere:
        server.redirect = f"wss://127.0.0.1:{elsewhere.port}/control.ashx"
        both = tmp_path / "both.pem"
        both.write_text(Path(server.ca_file).read_text() + Path(elsewhere.ca_file).read_text())

        with pytest.raises(ProviderRefused, match="is not MeshCentral"):
            opened(made(ca_file=str(both)))
        assert elsewhere.signed_in == 0


@pytest.mark.parametrize(("status", "error"), [(404, ProviderRefused), (403, ProviderRefused), (502, ProviderUnreachable)])
def test_what_is_no_meshcentral_is_told_as_such(mesh: MeshCentral, server: Scripted, status: int, error: type[Exception]) -> None:
    server.status = status

    with pytest.raises(error):
        opened(mesh)


def test_a_slow_server_is_not_waited_for_forever(mesh: MeshCentral, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(mesh)
    monkeypatch.setattr(line, "CALL_SECONDS", 0.2)
    server.deaf.add("nodes")

    with pytest.raises(ProviderUnreachable, match="did not answer in time"):
        mesh.status((session,))


@pytest.mark.parametrize(
    "settings",
    [
        {"url": None},
        {"token_user": None},
        {"token_password": "two words"},
        {"url": "http://127.0.0.1"},
        {"url": "https://mesh.example.test/path"},
        {"url": "https://somebody@mesh.example.test"},
        {"domain": "../other"},
        {"consent": 128},
    ],
)
def test_settings_that_name_no_server_are_missing(made: Callable[..., MeshCentral], settings: dict[str, object]) -> None:
    unset = made(**settings)

    assert unset.missing().endswith("metadata/plugins/meshcentral.yaml.") or "in metadata/plugins/meshcentral.yaml" in unset.missing()
    with pytest.raises(ProviderRefused):
        unset.open(an_open_request())


def test_the_token_is_in_no_log_however_much_is_logged(mesh: MeshCentral, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        opened(mesh)

    assert not [word for word in (USER, PASSWORD, "x-meshauth") if word in caplog.text]


# --- join ---------------------------------------------------------------------------------------------------------------


def test_joining_has_to_wait_for_the_customer(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)

    with pytest.raises(ProviderRefused) as refused:
        mesh.supporter_link(session, a_supporter())
    assert refused.value.message == (
        "The customer is not here yet: there is nothing to join before their program runs. "
        "Send them the link, and join when the session says that they are online."
    )
    assert "createDeviceShareLink" not in server.actions


def test_a_share_is_for_the_supporter_by_name_and_for_the_rest_of_the_time(mesh: MeshCentral, server: Scripted, moving: FakeClock) -> None:
    session = opened(mesh, hours=2)
    node = server.customer_comes(group_of(session))
    moving.move(hours=1, seconds=30)
    mesh.supporter_link(session, a_supporter(name="Sam Support"))

    said = server.said("createDeviceShareLink")
    assert (said["nodeid"], said["guestname"], said["p"], said["consent"]) == (node, "Sam Support", 2, 73)
    assert said["end"] - said["start"] == 59 * 60 + 30
    assert "expire" not in said  # 0 minutes would mean for ever


def test_a_supporter_link_is_made_anew_at_each_click(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.customer_comes(group_of(session))

    first, second = (mesh.supporter_link(session, a_supporter()) for _ in range(2))
    assert first != second
    assert first.reveal().startswith(f"{server.url}/sharing?c=share%40")


def test_of_several_devices_the_one_that_came_last_is_joined(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.customer_comes(group_of(session), since=100)
    latest = server.customer_comes(group_of(session), since=200)
    server.customer_comes(group_of(session), since=150)
    mesh.supporter_link(session, a_supporter())

    assert server.said("createDeviceShareLink")["nodeid"] == latest


def test_a_group_that_no_longer_asks_is_made_to_ask_before_anybody_looks(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.customer_comes(group_of(session))
    server.groups[group_of(session)]["consent"] = 1
    mesh.supporter_link(session, a_supporter())

    assert server.groups[group_of(session)]["consent"] == 73


def test_nobody_joins_where_the_customer_would_not_be_asked(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.customer_comes(group_of(session))
    server.groups[group_of(session)]["consent"], server.headstrong = 0, True

    with pytest.raises(ProviderRefused, match="would not ask the customer"):
        mesh.supporter_link(session, a_supporter())
    assert "createDeviceShareLink" not in server.actions


def test_a_device_that_goes_at_the_last_moment_is_told_as_such(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.customer_comes(group_of(session))
    server.refuses["createDeviceShareLink"] = "Invalid node id"

    with pytest.raises(ProviderRefused, match="MeshCentral does not know the customer's device any more"):
        mesh.supporter_link(session, a_supporter())


def test_a_session_that_is_gone_there_cannot_be_joined(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.groups.clear()

    with pytest.raises(ProviderRefused, match=f"Session {session.code} is gone at MeshCentral"):
        mesh.supporter_link(session, a_supporter())


# --- watch --------------------------------------------------------------------------------------------------------------


def test_all_sessions_are_seen_with_two_calls(mesh: MeshCentral, server: Scripted) -> None:
    sessions = [opened(mesh, f"c-{number}") for number in range(3)]
    server.customer_comes(group_of(sessions[1]))
    server.groups.pop(group_of(sessions[2]))
    before, signed_in = len(server.asked), server.signed_in
    seen = mesh.status(sessions)

    assert [(one.state, one.online) for one in seen] == [("open", False), ("open", True), ("gone", False)]
    assert (server.actions[before:], server.signed_in - signed_in) == (["meshes", "nodes"], 1)


def test_a_customer_whose_program_lost_its_connection_is_not_online(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.nodes[server.customer_comes(group_of(session))]["conn"] = 0

    assert [(one.state, one.online) for one in mesh.status((session,))] == [("open", False)]


def test_what_is_left_of_sessions_that_are_over_is_cleared_away(mesh: MeshCentral, server: Scripted, moving: FakeClock) -> None:
    over, other, lasting = opened(mesh, "c-over", hours=1), opened(mesh, "c-other", hours=9), opened(mesh, "c-lasting", hours=9)
    server.groups["mesh//office"] = {"_id": "mesh//office", "name": "Jumpseat office", "consent": 0}
    server.customer_comes(group_of(over))
    moving.move(hours=2)
    mesh.status((lasting,))

    assert set(server.groups) == {group_of(other), group_of(lasting), "mesh//office"}
    assert server.nodes == {}


def test_a_program_that_brings_a_closed_session_back_is_ended_again(mesh: MeshCentral, server: Scripted) -> None:
    closed, lasting = opened(mesh, "c-closed"), opened(mesh, "c-lasting")
    kept = dict(server.groups[group_of(closed)])
    mesh.close(closed)
    server.groups[group_of(closed)] = kept
    server.customer_comes(group_of(closed))
    mesh.status((lasting,))

    assert set(server.groups) == {group_of(lasting)}
    assert server.nodes == {}


def test_what_cannot_be_cleared_away_does_not_cost_the_answers(mesh: MeshCentral, server: Scripted, moving: FakeClock) -> None:
    opened(mesh, "c-over", hours=1)
    lasting = opened(mesh, "c-lasting", hours=9)
    moving.move(hours=2)
    server.refuses["deletemesh"] = "Access denied"

    assert [one.state for one in mesh.status((lasting,))] == ["open"]


# --- close --------------------------------------------------------------------------------------------------------------


def test_closing_takes_the_access_away_before_the_group(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    server.customer_comes(group_of(session))
    mesh.supporter_link(session, a_supporter())
    mesh.close(session)

    assert [action for action in server.actions if action in ORDER] == ORDER
    assert (server.groups, server.nodes, server.shares) == ({}, {}, {})


@pytest.mark.parametrize(("kind", "shell"), [(6, 3), (4, 2)])
def test_the_customers_program_is_stopped_in_the_words_of_its_system(mesh: MeshCentral, server: Scripted, kind: int, shell: int) -> None:
    session = opened(mesh)
    node = server.customer_comes(group_of(session), kind=kind)
    mesh.close(session)

    said = server.said("runcommands")
    assert (said["nodeids"], said["type"]) == ([node], shell)


def test_a_program_that_does_not_stop_keeps_no_session_open(mesh: MeshCentral, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "GONE_SECONDS", 0.2)
    session = opened(mesh)
    server.customer_comes(group_of(session))
    server.stubborn = True
    mesh.close(session)

    assert server.groups == {}


def test_closing_twice_is_fine(mesh: MeshCentral, server: Scripted) -> None:
    session = opened(mesh)
    mesh.close(session)
    mesh.close(session)

    assert server.actions.count("deletemesh") == 1


def test_a_session_whose_code_never_came_back_is_closed_by_its_correlation_id(mesh: MeshCentral, server: Scripted) -> None:
    session = replace(opened(mesh), code=None, customer_link=None, provider_data={})
    mesh.close(session)

    assert server.groups == {}


def test_closing_fails_while_the_server_is_away_and_works_afterwards(made: Callable[..., MeshCentral], server: Scripted) -> None:
    session = opened(made())
    with pytest.raises(ProviderUnreachable):
        made(url="https://127.0.0.1:9").close(session)

    made().close(session)
    assert server.groups == {}
