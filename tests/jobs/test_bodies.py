"""What the jobs do: retention removes what is too old and nothing else; sign-ins are kept, and lost ones told of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from jobs_kit import ADA, Bench

from jumpseat.catalogue.model import HostSettings, Retention
from jumpseat.contract import ShareChannel
from jumpseat.errors import ProviderSignInNeeded, ProviderUnreachable
from jumpseat.jobs.bodies import Reconciliation, SignIns
from jumpseat.jobs.retention import BATCH, RetentionJob
from jumpseat.jobs.running import Runner
from jumpseat.notices.alerts import Alerts
from jumpseat.store import followers, schema, webhooks

SHORT = timedelta(days=1)
SETTINGS = HostSettings(retention=Retention(events=SHORT, job_runs=SHORT, messages=SHORT, connections=SHORT, alerts=SHORT))


def session_row(id: str, at: datetime, state: str) -> dict[str, Any]:
    texts = ("source", "object", "record_id", "record_name", "record_label", "session_type", "opened_by", "opened_by_name", "language")
    times = {"created_at": at, "valid_until": at, "closed_at": at if state == "closed" else None}
    flags = {"online": False, "provider_data": {}, "provider_close_due": False, "correlation_id": id}
    return {"id": id, "state": state, **dict.fromkeys(texts, "x"), **times, **flags}


def share_row(id: str, at: datetime, state: str) -> dict[str, Any]:
    texts = ("channel", "address", "recipient_name", "template", "language", "shared_by", "reason")
    message = {"subject": "Hello", "text": "Join", "html": "<p>Join</p>", "message_key": f"key-{id}"}
    return {"id": id, "session_id": "old", "state": state, **dict.fromkeys(texts, "x"), **message, "tries": 1, "created_at": at}


def event_row(at: datetime) -> dict[str, Any]:
    return {
        "at": at,
        "kind": "session_opened",
        "session_id": "old",
        **dict.fromkeys(("source", "object", "record_id", "opened_by"), "x"),
        "data": {},
    }


def count(bench: Bench, table: sa.Table) -> int:
    with bench.store.read() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


@pytest.fixture
def filled(bench: Bench, clock: Any) -> Bench:
    """Rows of long ago, and of today."""
    old, today = clock.now() - timedelta(days=30), clock.now()
    with bench.store.write() as conn:
        conn.execute(sa.insert(schema.sessions), [session_row("old", old, "closed"), session_row("open", today, "open")])
        conn.execute(sa.insert(schema.given_records), [{"session_id": id, "value": {}} for id in ("old", "open")])
        shares = [share_row("sent", old, "sent"), share_row("unknown", old, "unknown"), share_row("queued", old, "queued")]
        conn.execute(sa.insert(schema.shares), [*shares, share_row("new", today, "sent")])
        connection = {"account": "a", "imported_at": today}
        conn.execute(
            sa.insert(schema.connections),
            [{**connection, "provider_id": str(number), "start": old} for number in range(BATCH + 5)],
        )
        conn.execute(sa.insert(schema.connections), [{**connection, "provider_id": "new", "start": today}])
    bench.bodies["retention"] = RetentionJob(bench.store, bench.runs.work, clock, lambda: SETTINGS).run
    return bench


def test_retention_removes_in_batches_what_is_too_old_and_nothing_else(filled: Bench) -> None:
    run = filled.run()

    assert (run.state, run.rows) == ("succeeded", BATCH + 5 + 2 + 1)
    assert count(filled, schema.connections) == 1
    with filled.store.read() as conn:
        assert conn.execute(sa.select(schema.given_records.c.session_id)).scalars().all() == ["open"]
        progress = conn.execute(sa.select(schema.job_runs.c.progress)).scalar()
    assert progress == {"removed": {"messages": 2, "connections": BATCH + 5, "given_records": 1}}


def test_retention_blanks_old_messages_and_keeps_their_shares(filled: Bench) -> None:
    filled.run()

    with filled.store.read() as conn:
        columns = (schema.shares.c.id, schema.shares.c.subject, schema.shares.c.text, schema.shares.c.html, schema.shares.c.message_key)
        found = {row.id: tuple(row)[1:] for row in conn.execute(sa.select(*columns))}
    whole = ("Hello", "Join", "<p>Join</p>")
    assert found == {
        "sent": ("", "", None, "key-sent"),
        "unknown": ("", "", None, "key-unknown"),
        "queued": (*whole, "key-queued"),
        "new": (*whole, "key-new"),
    }


def test_retention_keeps_events_that_a_follower_has_not_seen(filled: Bench, clock: Any) -> None:
    old = clock.now() - timedelta(days=2)
    with filled.store.write() as conn:
        conn.execute(sa.insert(schema.followers).values(name="slow", last_id=0))
        conn.execute(sa.insert(schema.events), [event_row(old) for _ in range(5)] + [event_row(clock.now())])
        followers.take(conn, "slow", limit=3)

    filled.run()

    assert count(filled, schema.events) == 3


@pytest.mark.parametrize(("disabled", "left"), [(True, ["today"]), (False, ["waits", "today"])])
def test_retention_removes_what_waits_for_a_webhook_only_while_that_is_disabled(
    bench: Bench, clock: Any, disabled: bool, left: list[str]
) -> None:
    old, today = clock.now() - timedelta(days=31), clock.now()
    with bench.store.write() as conn:
        webhooks.add(conn, webhooks.Webhook("wh_1", "crm", "https://crm.example.com/hook", ("session.opened",), old), "sealed")
        ended = webhooks.add_delivery(conn, "wh_1", "ended", "{}", old, state=webhooks.SENDING)
        webhooks.settle(conn, webhooks.claimed(conn, ended).delivery, webhooks.FAILED, status=500, reason="500", done_at=old)
        for kind, at in (("waits", old), ("today", today)):
            webhooks.add_delivery(conn, "wh_1", kind, "{}", at)
        if disabled:
            webhooks.disable(conn, "wh_1", today, "Disabled by hand.")
    bench.bodies["retention"] = RetentionJob(bench.store, bench.runs.work, clock, HostSettings).run

    run = bench.run()

    with bench.store.read() as conn:
        assert [one.kind for one in webhooks.deliveries_of(conn, "wh_1")][::-1] == left
    assert run.rows == 3 - len(left)


def test_retention_forgets_old_runs(filled: Bench, clock: Any) -> None:
    filled.run()
    clock.move(days=2)

    filled.run()

    assert len(filled.history()) == 1


def test_retention_stops_between_two_batches_when_it_is_cancelled(filled: Bench, clock: Any) -> None:
    run = filled.runs.run("retention", ADA)
    body = filled.bodies["retention"]

    def cancelled_first(progress: Any) -> None:
        filled.runs.cancel(run.id, ADA)
        body(progress)

    filled.bodies["retention"] = cancelled_first

    done = filled.runner.carry_out(run.id)

    assert done is not None
    assert (done.state, done.rows, count(filled, schema.connections)) == ("cancelled", 0, BATCH + 6)


def test_reconciliation_counts_what_it_settled(bench: Bench) -> None:
    bench.bodies["reconciliation"] = Reconciliation(bench.store, {"sessions": lambda: 2, "shares": lambda: 3}).run

    assert bench.run("reconciliation").rows == 5


class Signed(ShareChannel):
    def __init__(self, name: str, error: Exception | None = None, missing: str = "") -> None:
        self.__dict__.update(name=name, label=name.title(), error=error, unset=missing)

    def missing(self) -> str:
        return self.unset

    def keep_signed_in(self) -> None:
        if self.error:
            raise self.error


def signing(bench: Bench, *extensions: Signed) -> None:
    bench.bodies["token_refresh"] = SignIns(bench.store, lambda: {one.name: one for one in extensions}, bench.told).run


def test_every_sign_in_is_tried_and_each_that_is_lost_is_told_once(bench: Bench) -> None:
    lost = ProviderSignInNeeded("Sign in to Beta again.")
    signing(bench, Signed("alpha"), Signed("beta", lost), Signed("gamma"), Signed("delta", lost, missing="Never set up."))

    runs = [bench.run("token_refresh") for _ in range(3)]

    assert {(run.state, run.reason, run.rows) for run in runs} == {("failed", "Sign in to Beta again.", 2)}
    assert bench.told.mails == [
        (
            "sign-in:beta",
            "The sign-in of Beta is lost",
            "Sign in to Beta again.\n\nUntil then nothing that needs this sign-in works. "
            "'jumpseat jobs run token_refresh' tries it at once.",
        )
    ]


def test_a_sign_in_that_holds_again_ends_its_incident(bench: Bench) -> None:
    signing(bench, Signed("beta", ProviderSignInNeeded("Sign in.")))
    bench.run("token_refresh")

    signing(bench, Signed("beta"))
    bench.run("token_refresh")

    assert bench.told.open == {}


def test_a_provider_that_is_away_is_no_lost_sign_in_and_is_tried_again(bench: Bench) -> None:
    signing(bench, Signed("beta", ProviderUnreachable("Beta cannot be reached.")))

    run = bench.run("token_refresh")

    assert (run.state, run.reason) == ("failed", "Beta cannot be reached.")
    assert [key for key, _, _ in bench.told.mails] == ["job:token_refresh"]
    assert bench.history("token_refresh")[-1].state == "waiting"


def test_the_mail_to_each_administrator_is_queued_once_per_incident(bench: Bench, clock: Any) -> None:
    settings = HostSettings(administrators=("ops@example.test", "lead@example.test"))
    runner = Runner(bench.runs, bench.bodies, Alerts(bench.store, clock, lambda: settings), lambda: "host-1")

    def body(_: Any) -> None:
        raise ProviderUnreachable("TeamViewer cannot be reached.")

    bench.bodies["retention"] = body
    runner.carry_out(bench.runs.run("retention", ADA).id)
    for _ in range(4):
        clock.move(hours=2)
        runner.carry_out(bench.history()[-1].id)

    with bench.store.read() as conn:
        mails = conn.execute(sa.select(schema.notices.c.address, schema.notices.c.subject).order_by(schema.notices.c.address)).all()
        alert = conn.execute(sa.select(schema.alerts.c.key, schema.alerts.c.count, schema.alerts.c.closed_at)).one()
    assert [tuple(mail) for mail in mails] == [
        ("lead@example.test", "[Jumpseat] The job 'retention' failed"),
        ("ops@example.test", "[Jumpseat] The job 'retention' failed"),
    ]
    assert tuple(alert) == ("job:retention", 5, None)
