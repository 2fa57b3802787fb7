"""Whoever came by a launch works with its record alone: every operation of the host is either bound to it or refused."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from api_kit import ACCOUNT, CASE, OTHER_CASE, USER, make_workspace
from hypothesis import HealthCheck, given, settings, strategies as st
from launch_kit import launchable, opened

from jumpseat import Grant, Host, ProviderSignInNeeded, Record, RecordRef, Secret, ShareWish, Supporter
from jumpseat.access.launches import OF_ONE_RECORD, OF_THE_SUPPORTER, bound
from jumpseat.access.rights import OPERATIONS, UNGUARDED
from jumpseat.errors import JumpseatError, LaunchBound, NotFound, RightMissing, SessionNotFound
from jumpseat.reports.dashboards import Span
from jumpseat.testing import a_picture
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Running

MINE = RecordRef("Case", CASE, "sandbox")
OTHER = RecordRef("Case", OTHER_CASE, "sandbox")


@dataclass(frozen=True)
class Things:
    """What there is: a session of the bound record and one of another, each with a share."""

    host: Host
    supporter: Supporter
    """With every right there is, and bound."""
    sessions: Mapping[RecordRef, str]
    shares: Mapping[RecordRef, str]


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory, emulator: Running, sinks: Sinks) -> Iterator[Things]:
    folder = make_workspace(tmp_path_factory.mktemp("bound") / "workspace", emulator, sinks)
    with opened(launchable(folder)) as host:
        operator = host.operator()
        sessions = {ref: host.open_session(ref, "remote_control", operator).id for ref in (MINE, OTHER)}
        shares = {ref: host.share(id, [ShareWish("email")], operator)[0].id for ref, id in sessions.items()}
        yield Things(host, bound(operator, MINE), sessions, shares)


Ask = Callable[[Things, RecordRef], Any]

OF_A_RECORD: dict[str, Ask] = {
    "resolve": lambda t, ref: t.host.resolve(ref, t.supporter),
    "buttons": lambda t, ref: t.host.buttons(ref, t.supporter),
    "history": lambda t, ref: t.host.history(ref, t.supporter),
    "record_connections": lambda t, ref: t.host.record_connections(ref, t.supporter),
    "export_record_connections": lambda t, ref: t.host.export_record_connections(ref, t.supporter).close(),
    "joined_sessions": lambda t, ref: t.host.joined_sessions(t.supporter, ref=ref),
    "open_session": lambda t, ref: t.host.open_session(ref, "pilot", t.supporter, replace=True),
    "wanted_events": lambda t, ref: t.host.wanted_events(t.supporter, ref=ref),
    "events": lambda t, ref: t.host.events(t.supporter, ref=ref, since=0),
    "fill_template": lambda t, ref: t.host.fill_template(t.host.templates("email")[0], t.supporter, ref),
}
"""Operations that are told the record."""

OF_A_SESSION: dict[str, Ask] = {
    "session": lambda t, ref: t.host.session(t.sessions[ref], t.supporter),
    "timeline": lambda t, ref: t.host.timeline(t.sessions[ref], t.supporter),
    "join_session": lambda t, ref: t.host.join_session(t.sessions[ref], t.supporter),
    "close_session": lambda t, ref: t.host.close_session(t.sessions[ref], t.supporter),
    "share": lambda t, ref: t.host.share(t.sessions[ref], [], t.supporter),
    "preview_share": lambda t, ref: t.host.preview_share(t.sessions[ref], [], t.supporter),
    "shares": lambda t, ref: t.host.shares(t.sessions[ref], t.supporter),
    "resend_share": lambda t, ref: t.host.resend_share(t.shares[ref], t.supporter),
    "attach": lambda t, ref: t.host.attach(t.sessions[ref], a_picture(), "Seen", t.supporter),
}
"""Operations that are told a session or a share."""

SENT_AGAIN = {"share_again"}
"""Of two sessions, see below."""
LISTS = {"sessions", "listed_sessions", "listed_shares", "listed_connections"}
REFUSED = {"create_launch"}
"""Its right is one that launches have, and it is refused all the same."""


def of_no_record() -> list[str]:
    return sorted(name for name, right in OPERATIONS.items() if right not in {*OF_ONE_RECORD, *OF_THE_SUPPORTER, UNGUARDED})


def test_every_operation_whose_right_a_launch_has_is_looked_at_here() -> None:
    looked_at = {*OF_A_RECORD, *OF_A_SESSION, *SENT_AGAIN, *LISTS, *REFUSED}

    assert {name for name, right in OPERATIONS.items() if right in OF_ONE_RECORD} == looked_at


def test_what_needs_no_right_is_the_same_for_everybody_and_names_no_record() -> None:
    for name in (name for name, right in OPERATIONS.items() if right == UNGUARDED):
        assert not {"supporter", "ref", "asked", "session_id"} & set(inspect.signature(getattr(Host, name)).parameters)


@pytest.mark.parametrize("name", OF_A_RECORD)
def test_an_operation_on_another_record_is_refused(name: str, things: Things) -> None:
    for other in (OTHER, RecordRef("Case", OTHER_CASE), RecordRef("Account", ACCOUNT), RecordRef("Case", CASE, "plain")):
        with pytest.raises(LaunchBound):
            OF_A_RECORD[name](things, other)


@pytest.mark.parametrize("name", OF_A_SESSION)
def test_an_operation_on_another_records_session_sees_none(name: str, things: Things) -> None:
    with pytest.raises(NotFound) as refused:
        OF_A_SESSION[name](things, OTHER)

    assert isinstance(refused.value, SessionNotFound) or name == "resend_share"


@pytest.mark.parametrize(
    "name", [name for name in (*OF_A_RECORD, *OF_A_SESSION) if name not in {"open_session", "close_session", "resend_share"}]
)
def test_the_same_operation_on_the_launched_record_is_done(name: str, things: Things) -> None:
    (OF_A_RECORD.get(name) or OF_A_SESSION[name])(things, MINE)


def test_a_record_is_named_in_any_of_its_written_forms(things: Things) -> None:
    for same in (RecordRef("Case", CASE), RecordRef("Case", CASE[:15]), RecordRef("Case", CASE[:15], "sandbox")):
        assert things.host.resolve(same, things.supporter).record.ref == MINE


def test_a_record_by_value_is_refused(things: Things) -> None:
    for ask in (things.host.resolve, lambda record, supporter: things.host.open_session(record, "pilot", supporter)):
        with pytest.raises(LaunchBound):
            ask(Record(MINE, "by value", contacts=()), things.supporter)


@pytest.mark.parametrize("name", of_no_record())
def test_an_operation_that_concerns_no_record_is_refused(name: str, things: Things) -> None:
    method = getattr(things.host, name)
    parameters = [one for one in inspect.signature(method).parameters.values() if one.default is inspect.Parameter.empty]
    values = {"supporter": things.supporter, "kind": "sessions"}
    given = {one.name: values.get(one.name, 7 if one.annotation == "int" else one.name) for one in parameters}

    with pytest.raises(RightMissing) as refused:
        method(**given)

    assert refused.value.right.startswith(OPERATIONS[name])


def test_a_launch_leaves_the_supporter_their_own_sign_ins(things: Things) -> None:
    acting, other = bound(things.host.supporter(USER), MINE), Grant(Secret("the-token-of-somebody"))
    desk = things.host.sign_ins["teamviewer"]
    kept = things.host._wiring.accounts.put(desk, "005A000000Jmu03IAB", "Emma", other)

    assert things.host.accounts(acting) == []
    with pytest.raises(NotFound):
        things.host.revoke_account(kept.id, acting)
    for refused in (lambda: things.host.start_sign_in("teamviewer", acting, company=True), lambda: things.host.reseal_accounts(acting)):
        with pytest.raises(RightMissing):
            refused()
    with pytest.raises(ProviderSignInNeeded):  # the application is not set up in this workspace; the right is not what is missing
        things.host.start_sign_in("teamviewer", acting)


def test_lists_hold_the_launched_record_only(things: Things) -> None:
    shown = things.host.sessions(things.supporter).items
    events = things.host.events(things.supporter, since=0)

    assert {session.record for session in shown} == {MINE}
    assert {told.event.record for told in events} == {MINE}
    assert {told.event.record for told in things.host.events(things.host.operator(), since=0)} == {MINE, OTHER}


def test_lists_behind_charts_hold_the_launched_record_only(things: Things) -> None:
    day = things.host.clock.now().date()
    found = [things.host.listed_sessions, things.host.listed_shares]

    for ask in found:
        rows = ask(things.supporter, Span(day, day), {}).rows
        assert {row["session_id"] for row in rows} == {things.sessions[MINE]}
    assert things.host.listed_connections(things.supporter, Span(day, day), {}).rows == ()


def test_events_of_another_records_session_are_not_told(things: Things) -> None:
    assert things.host.events(things.supporter, since=0, session_id=things.sessions[OTHER]) == []


def test_nothing_is_sent_again_that_belongs_to_another_record(things: Things) -> None:
    host, mine, other = things.host, things.sessions[MINE], things.sessions[OTHER]
    for session, of in ((other, other), (other, mine)):
        with pytest.raises(SessionNotFound):
            host.share_again(session, of, things.supporter)
    with pytest.raises(JumpseatError):
        host.share_again(mine, other, things.supporter)


def test_a_launch_makes_no_other(things: Things) -> None:
    for ref in (MINE, OTHER):
        with pytest.raises(LaunchBound):
            things.host.create_launch(ref, things.supporter)


def test_a_supporter_of_a_crm_is_bound_like_any(things: Things) -> None:
    acting = bound(things.host.supporter(USER), MINE)

    assert things.host.resolve(MINE, acting).record.ref == MINE
    with pytest.raises(LaunchBound):
        things.host.resolve(OTHER, acting)


calls = st.sampled_from(sorted({*OF_A_RECORD, *OF_A_SESSION} - {"open_session", "close_session", "resend_share", "share", "join_session"}))
refs = st.builds(
    RecordRef,
    st.sampled_from(["Case", "case", "Account", "Nothing"]),
    st.sampled_from([CASE, CASE[:15], CASE.lower(), OTHER_CASE, ACCOUNT, "", "..", f"{CASE} "]),
    st.sampled_from([None, "sandbox", "plain", "nowhere"]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=calls, ref=refs, to=st.sampled_from([MINE, OTHER]))
def test_no_call_tells_anything_of_another_record(name: str, ref: RecordRef, to: RecordRef, things: Things) -> None:
    acting = Things(things.host, bound(things.host.operator(), to), things.sessions, things.shares)
    of_record = name in OF_A_RECORD
    asked = ref if of_record else (OTHER if to == MINE else MINE)

    try:
        answer = (OF_A_RECORD.get(name) or OF_A_SESSION[name])(acting, asked)
    except JumpseatError:
        return
    other = OTHER if to == MINE else MINE
    assert of_record
    assert things.host._wiring.catalogue.object(ref.object, ref.source) is not None
    assert other.id not in repr(answer)
