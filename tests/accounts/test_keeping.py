"""Sign-ins are handed out, renewed once, ended when the provider says so and never before, and revoked for everybody at once."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_kit import AtServer, RealClock, TokenServer, Told, keeping

from jumpseat import Grant, ProviderSignInNeeded, ProviderUnreachable, Secret
from jumpseat.accounts.keeping import EARLY, Keeping
from jumpseat.errors import NotFound, ProviderError
from jumpseat.sealing import Sealer, new_key
from jumpseat.store import Store, accounts as rows
from jumpseat.store.schema import provider_accounts as table
from warm import Warm

CHILD = Path(__file__).parent / "renewing_child.py"
START = "POST https://jumpseat.example/v1/accounts/desk/start answers the address where you"
LASTING = Grant(
    Secret("access-1"), Secret("refresh-1"), datetime.now(UTC) + timedelta(days=3650), "nadia@example.test", ("calls",), {"at": "eu1"}
)


def row(store: Store, owner: str = "005A") -> Any:
    with store.read() as conn:
        return conn.execute(sa.select(table).where(table.c.owner == owner)).one()


def ended(kept: Keeping, owner: str = "005A") -> str:
    with pytest.raises(ProviderSignInNeeded) as needed:
        kept.grant("desk", owner)
    return needed.value.message


# --- handing out --------------------------------------------------------------------------------------------------------------


def test_what_a_sign_in_gave_is_handed_out_whole(kept: Keeping, sign_in: AtServer) -> None:
    kept.put(sign_in, "005A", "Nadia Ferrand", LASTING)

    assert kept.grant("desk", "005A") == LASTING
    assert (kept.has("desk", "005A"), kept.has("desk"), kept.has("other", "005A")) == (True, False, False)


def test_owners_are_listed_with_the_company_first(kept: Keeping, sign_in: AtServer) -> None:
    for owner in ("005B", "", "005A"):
        kept.put(sign_in, owner, owner, LASTING)

    assert list(kept.owners("desk")) == ["", "005A", "005B"]


def test_without_a_sign_in_the_message_says_where_to_sign_in(kept: Keeping) -> None:
    assert ended(kept) == f"You are not signed in to Desk. {START} sign in."
    assert ended(kept, "") == "The company is not signed in to Desk. An administrator signs in with 'jumpseat accounts sign-in desk'."


def test_the_last_use_is_noted_every_five_minutes_at_most(store: Store, key: str, sign_in: AtServer, clock: Any) -> None:
    kept = keeping(store, Sealer([key]), sign_in, clock=clock)
    kept.put(sign_in, "005A", "Nadia Ferrand", LASTING)
    noted = []
    for minutes in (0, 4, 1):
        clock.move(minutes=minutes)
        kept.grant("desk", "005A")
        noted.append((kept.listed()[0].used_at, clock.now()))

    assert noted[0][0] == noted[0][1] == noted[1][0]
    assert noted[2][0] == noted[2][1]


# --- renewing -----------------------------------------------------------------------------------------------------------------


def test_a_token_that_ran_out_is_renewed_before_it_is_handed_out(kept: Keeping, sign_in: AtServer, provider: TokenServer) -> None:
    old = provider.issue()
    kept.put(sign_in, "005A", "Nadia Ferrand", old)

    fresh = kept.grant("desk", "005A")

    assert (fresh.access_token != old.access_token, fresh.account, provider.refreshes) == (True, "nadia@example.test", 1)
    assert kept.grant("desk", "005A") == fresh


@pytest.mark.parametrize(("left", "refreshes"), [(EARLY - timedelta(seconds=1), 1), (EARLY + timedelta(seconds=30), 0)])
def test_a_token_that_is_about_to_run_out_is_renewed(
    kept: Keeping, sign_in: AtServer, provider: TokenServer, left: timedelta, refreshes: int
) -> None:
    kept.put(sign_in, "005A", "Nadia Ferrand", replace(provider.issue(), expires_at=datetime.now(UTC) + left))

    kept.grant("desk", "005A")

    assert provider.refreshes == refreshes


def test_a_token_that_was_refused_is_renewed_once_for_all_who_hold_it(kept: Keeping, sign_in: AtServer, provider: TokenServer) -> None:
    held = replace(provider.issue(), expires_at=None)
    kept.put(sign_in, "005A", "Nadia Ferrand", held)

    with ThreadPoolExecutor(16) as pool:
        fresh = set(pool.map(lambda _: kept.renewed("desk", held.access_token, "005A").access_token, range(16)))

    assert (len(fresh), provider.refreshes) == (1, 1)


def start(url: str, key: str, provider: TokenServer, tasks: int, **environment: str) -> Warm:
    return Warm([str(CHILD), url, key, provider.url, str(tasks)], {**os.environ, **environment})


@pytest.mark.timeout(240)
def test_200_tasks_in_4_processes_that_meet_an_expired_token_renew_it_once(
    store: Store, database_url: str, key: str, kept: Keeping, sign_in: AtServer, provider: TokenServer
) -> None:
    provider.slow = 0.5
    kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())
    children = [start(database_url, key, provider, 50) for _ in range(4)]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * 4

    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    tokens = {child.communicate(timeout=120)[0].strip() for child in children}

    assert (provider.refreshes, provider.reused) == (1, 0)
    assert tokens == {kept.grant("desk", "005A").access_token.reveal()}


@pytest.mark.timeout(240)
def test_a_process_that_ends_between_answer_and_storing_costs_the_sign_in_and_nothing_else(
    store: Store, database_url: str, key: str, sign_in: AtServer, provider: TokenServer, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keeping(store, Sealer([key]), sign_in, told)
    kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())
    child = start(database_url, key, provider, 1, DIE_BEFORE_STORING="1")
    child.communicate("go\n", timeout=60)
    assert child.returncode == 9
    assert row(store).renewing_until is not None
    with store.write() as conn:  # its lease has run out
        conn.execute(sa.update(table).values(renewing_until=datetime.now(UTC) - timedelta(seconds=1)))

    assert ended(kept) == f"Your sign-in to Desk has ended: Desk no longer takes it. Sign in again; {START} do."
    assert provider.refreshes == 2
    ended(kept)
    assert provider.refreshes == 2, "a grant that has ended is not shown to the provider again"


def test_a_lease_of_another_process_is_waited_for(kept: Keeping, sign_in: AtServer, provider: TokenServer, store: Store) -> None:
    kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())
    lease = datetime.now(UTC) + timedelta(seconds=1)
    with store.write() as conn:
        conn.execute(sa.update(table).values(renewing_until=lease))

    kept.grant("desk", "005A")

    assert datetime.now(UTC) >= lease
    assert provider.refreshes == 1


def test_a_lost_answer_whose_request_never_took_effect_costs_nothing(kept: Keeping, sign_in: AtServer, provider: TokenServer) -> None:
    sign_in_down = AtServer("http://127.0.0.1:9")
    kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())
    working, asked = sign_in.refresh, []

    def first_lost(grant: Grant) -> Grant:
        asked.append(grant)
        return sign_in_down.refresh(grant) if len(asked) == 1 else working(grant)

    sign_in.refresh = first_lost  # type: ignore[method-assign]  # the first request is lost on its way there

    assert kept.grant("desk", "005A").access_token
    assert len(asked) == 2


def test_a_lost_answer_of_a_renewal_that_took_effect_asks_for_a_new_sign_in(
    kept: Keeping, sign_in: AtServer, provider: TokenServer, told: Told
) -> None:
    kept.put(sign_in, "", "", provider.issue())
    provider.answers = [0]

    text = ended(kept, "")

    assert text == (
        "The company's sign-in to Desk has ended: Desk no longer takes it. "
        "An administrator signs in again with 'jumpseat accounts sign-in desk'."
    )
    assert told.open == {"account:desk:": ("The company's sign-in to Desk has ended", text)}


def test_signing_in_again_closes_the_incident(kept: Keeping, sign_in: AtServer, provider: TokenServer, told: Told) -> None:
    kept.put(sign_in, "", "", replace(provider.issue(), refresh_token=None))
    assert "it ran out, and Desk gave nothing to renew it with." in ended(kept, "")
    assert told.open

    kept.put(sign_in, "", "", LASTING)

    assert not told.open
    assert kept.grant("desk") == LASTING


def test_a_provider_that_is_away_ends_nothing_and_is_not_asked_by_everybody(
    kept: Keeping, sign_in: AtServer, provider: TokenServer, told: Told
) -> None:
    kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())
    provider.answers = [503]

    for _ in range(5):
        with pytest.raises(ProviderUnreachable) as away:
            kept.grant("desk", "005A")

    assert away.value.message == "The desk is closed."
    assert (kept.has("desk", "005A"), told.open, provider.refreshes) == (True, {}, 0)


@pytest.mark.shows_secrets  # the sign-in does, on purpose; what comes through is looked at here
def test_a_token_in_the_words_of_a_plugin_is_masked(kept: Keeping, sign_in: AtServer, provider: TokenServer) -> None:
    sign_in.careless = True
    kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())
    provider.answers = [503]

    with pytest.raises(ProviderUnreachable) as away:
        kept.grant("desk", "005A")

    assert (away.value.message, str(away.value)) == ("The desk is closed to ***.", "The desk is closed to ***.")


def test_while_the_provider_is_away_the_old_token_serves_while_it_lasts(kept: Keeping, sign_in: AtServer, provider: TokenServer) -> None:
    held = replace(provider.issue(), expires_at=datetime.now(UTC) + timedelta(seconds=30))
    kept.put(sign_in, "005A", "Nadia Ferrand", held)
    provider.answers = [503]

    assert kept.grant("desk", "005A") == held


def test_a_pair_that_the_database_did_not_take_is_stored_by_the_next_call(
    kept: Keeping, sign_in: AtServer, provider: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())

    def full(*_: Any, **__: Any) -> bool:
        raise sa.exc.OperationalError("", None, OSError("disk full"))

    with monkeypatch.context() as broken:
        broken.setattr(rows, "renewed", full)
        with pytest.raises(sa.exc.OperationalError):
            kept.grant("desk", "005A")
    with kept.around.store.write() as conn:
        conn.execute(sa.update(table).values(renewing_until=None))

    assert kept.grant("desk", "005A").refresh_token.reveal() in provider.valid  # type: ignore[union-attr]  # it has one
    assert provider.refreshes == 1


def test_the_job_renews_what_runs_out_soon_and_what_was_idle_for_long(
    store: Store, key: str, sign_in: AtServer, provider: TokenServer
) -> None:
    kept = keeping(store, Sealer([key]), sign_in)
    now = datetime.now(UTC)
    for owner, left in (("soon", timedelta(hours=1)), ("later", timedelta(hours=8)), ("idle", timedelta(hours=8))):
        kept.put(sign_in, owner, owner, replace(provider.issue(), expires_at=now + left))
    with store.write() as conn:
        conn.execute(sa.update(table).where(table.c.owner == "idle").values(created_at=now - timedelta(days=8)))

    assert kept.renew_due() == (2, [], [])
    assert {account.owner for account in kept.listed() if account.renewed_at} == {"soon", "idle"}


def test_the_job_tells_what_of_the_companys_has_ended_and_what_could_not_be_asked(
    kept: Keeping, sign_in: AtServer, provider: TokenServer, told: Told
) -> None:
    for owner in ("", "005A"):
        kept.put(sign_in, owner, owner, provider.issue())
    provider.answers = [503, 503]
    away = kept.renew_due()
    provider.valid.clear()
    for turn in kept._turns.values():
        turn.failed = None  # some time has passed

    renewed, lost, failed = kept.renew_due()

    assert away == (0, [], ["The desk is closed."])
    assert (renewed, lost, failed) == (0, [told.open["account:desk:"][1]], [])


# --- revoking -----------------------------------------------------------------------------------------------------------------


def test_a_sign_in_that_is_revoked_ends_at_the_provider_and_leaves_nothing(
    kept: Keeping, sign_in: AtServer, provider: TokenServer, store: Store
) -> None:
    grant = provider.issue()
    account = kept.put(sign_in, "005A", "Nadia Ferrand", grant)

    assert kept.revoke(account.id) == account

    assert grant.refresh_token is not None
    assert provider.revoked == [grant.refresh_token.reveal()]
    assert kept.listed() == []
    with pytest.raises(NotFound) as gone:
        kept.revoke(account.id)
    assert gone.value.message == f"There is no account '{account.id}'; 'jumpseat accounts list' shows them."


def test_a_provider_that_cannot_be_told_keeps_nobody_from_ending_the_use_here(
    kept: Keeping, sign_in: AtServer, provider: TokenServer
) -> None:
    account = kept.put(sign_in, "005A", "Nadia Ferrand", LASTING)
    provider.answers = [503]

    with pytest.raises(ProviderError) as untold:
        kept.revoke(account.id)

    assert untold.value.message == (
        "The sign-in is used here no more, but Desk could not be told: The desk is closed. Try again, or end it there."
    )
    assert not kept.has("desk", "005A")
    kept.revoke(account.id)
    assert kept.listed() == []


def test_a_renewal_that_a_revocation_overtakes_is_revoked_as_well(kept: Keeping, sign_in: AtServer, provider: TokenServer) -> None:
    account = kept.put(sign_in, "005A", "Nadia Ferrand", provider.issue())
    provider.slow = 1.0
    said: list[str] = []
    renewing = threading.Thread(target=lambda: said.append(ended(kept)))
    renewing.start()
    time.sleep(0.4)
    kept.revoke(account.id)
    renewing.join(60)

    assert said == [f"You are not signed in to Desk. {START} sign in."]
    assert set(provider.revoked) >= provider.valid
    assert kept.listed() == []


def test_a_sign_in_that_nothing_brings_any_more_can_be_removed(store: Store, key: str, kept: Keeping, sign_in: AtServer) -> None:
    account = kept.put(sign_in, "005A", "Nadia Ferrand", LASTING)

    keeping(store, Sealer([key]), None).revoke(account.id)

    assert kept.listed() == []


# --- at rest ------------------------------------------------------------------------------------------------------------------


def test_a_sealed_grant_that_was_moved_to_another_row_does_not_open(kept: Keeping, sign_in: AtServer, store: Store, told: Told) -> None:
    kept.put(sign_in, "", "", LASTING)
    kept.put(sign_in, "005A", "Nadia Ferrand", LASTING)
    with store.write() as conn:
        conn.execute(sa.update(table).where(table.c.owner == "").values(sealed=row(store).sealed))

    assert ended(kept, "").startswith(
        "The company's sign-in to Desk has ended: it cannot be opened with the keys that are known here, or was moved."
    )
    assert not kept.has("desk")
    assert list(told.open) == ["account:desk:"]
    assert kept.grant("desk", "005A") == LASTING


def test_a_row_that_was_given_to_another_owner_does_not_open(kept: Keeping, sign_in: AtServer, store: Store) -> None:
    kept.put(sign_in, "005A", "Nadia Ferrand", LASTING)
    with store.write() as conn:
        conn.execute(sa.update(table).values(owner="005B"))

    assert not kept.has("desk", "005B")
    assert "it cannot be opened" in ended(kept, "005B")


def test_a_new_key_takes_over_while_sign_ins_are_used_and_the_old_one_can_go(store: Store, sign_in: AtServer) -> None:
    old, new = new_key(), new_key()
    before, between = keeping(store, Sealer([old]), sign_in), keeping(store, Sealer([new, old]), sign_in)
    owners = [f"005{number}" for number in range(20)]
    for owner in owners:
        before.put(sign_in, owner, owner, LASTING)

    between.grant("desk", owners[0])  # what is used is put under the new key
    with ThreadPoolExecutor(4) as pool:
        using = [pool.submit(between.grant, "desk", owner) for owner in owners for _ in range(3)]
        resealed = between.reseal()
        assert all(one.result() == LASTING for one in using)

    after = keeping(store, Sealer([new]), sign_in)
    assert resealed[1] == 0
    assert [after.grant("desk", owner) for owner in owners] == [LASTING] * 20
    assert keeping(store, Sealer([old]), sign_in).reseal() == (0, 20)


def test_a_key_that_is_missing_is_told_and_nothing_is_lost_when_it_is_back(store: Store, key: str, sign_in: AtServer, told: Told) -> None:
    keeping(store, Sealer([key]), sign_in).put(sign_in, "", "", LASTING)
    without = keeping(store, Sealer([new_key()]), sign_in, told, RealClock())

    assert "it cannot be opened" in ended(without, "")
    assert told.open
    assert keeping(store, Sealer([new_key(), key]), sign_in).grant("desk") == LASTING
