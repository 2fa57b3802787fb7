"""The tables. A change here needs a migration beside it; a test compares the two."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jumpseat.store.columns import ASCII, BigId, UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str, *args: Any, null: bool = False, **kwargs: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, *args, nullable=null, **kwargs)


def _time(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime, nullable=null)


ONE_VALID = "uq_sessions_valid_key"
"""The constraint that keeps the rule: one valid session per record."""
ONE_KEY_NAME = "uq_api_keys_name"
ONE_REQUEST = "uq_sessions_request_key"
ONE_WEBHOOK_NAME = "uq_webhooks_name"
ONE_SLOT = "uq_job_runs_slot"
"""A scheduled time of a job makes one run, however many processes see it come."""
ONE_RUN_AT_ONCE = "uq_job_runs_active_key"
ONE_OPEN_ALERT = "uq_alerts_open_key"

sessions = sa.Table(
    "sessions",
    metadata,
    _text("id", primary_key=True),
    _text("source"),  # empty when the caller named none
    _text("object"),
    _text("record_id"),
    _text("record_name"),
    _text("record_label"),
    _text("session_type"),
    _text("state"),
    _text("code", null=True),
    _text("customer_link", null=True),
    _text("opened_by"),
    _text("opened_by_name"),
    _text("language"),
    _time("created_at"),
    _time("opened_at", null=True),
    _time("valid_until"),
    _text("correlation_id", unique=True),
    sa.Column("online", sa.Boolean, nullable=False),
    _time("joined_at", null=True),
    _time("shared_at", null=True),
    _time("closed_at", null=True),
    sa.Column("provider_data", sa.JSON, nullable=False),
    _text("failure", null=True),
    # The record this row is *the* session of, while it is reserved or open; null for every other row.
    _text("valid_key", null=True),
    # The session that this one takes the place of.
    _text("replaces", sa.ForeignKey("sessions.id"), null=True),
    # Over for the host, and the provider has not confirmed it yet.
    sa.Column("provider_close_due", sa.Boolean, nullable=False),
    # The provider said once that it does not list the session; a second time closes it.
    _time("gone_at", null=True),
    # Failed without certainty that nothing was opened: when to look once more.
    _time("look_again_at", null=True),
    # Who asked for it and under which idempotency key; a repeat after a crash finds its own session by it.
    _text("request_key", null=True),
    # Start, end and notes were written to the CRM record, or need not be any more.
    _time("written_back_at", null=True),
    # Somebody asked for the session at this time, and sees more the sooner its provider is asked.
    _time("wanted_at", null=True),
    sa.UniqueConstraint("valid_key", name=ONE_VALID),
)
sa.Index(
    "ix_sessions_record", sessions.c.source, sessions.c.object, sessions.c.record_id, sessions.c.created_at.desc(), sessions.c.id.desc()
)
# An index and not a constraint: SQLite adds it without copying the table.
sa.Index(ONE_REQUEST, sessions.c.request_key, unique=True)
sa.Index("ix_sessions_state_valid_until", sessions.c.state, sessions.c.valid_until)
sa.Index("ix_sessions_code", sessions.c.code)
sa.Index("ix_sessions_created_at", sessions.c.created_at.desc(), sessions.c.id.desc())
sa.Index(
    "ix_sessions_close_due", sessions.c.id, sqlite_where=sa.text("provider_close_due = 1"), postgresql_where=sa.text("provider_close_due")
)

timeline = sa.Table(
    "timeline",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    _text("session_id", sa.ForeignKey("sessions.id")),
    _time("at"),
    _text("kind"),
    _text("text"),
    _text("by_id", null=True),
)
sa.Index("ix_timeline_session_id", timeline.c.session_id, timeline.c.id)

shares = sa.Table(
    "shares",
    metadata,
    _text("id", primary_key=True),
    _text("session_id", sa.ForeignKey("sessions.id")),
    _text("channel"),
    _text("address"),
    _text("recipient_name"),
    _text("contact_id", null=True),
    _text("template"),
    _text("language"),
    _text("subject"),
    _text("text"),
    _text("html", null=True),
    _text("message_key", unique=True),
    _text("state"),
    _text("reference", null=True),
    _text("reason"),
    sa.Column("tries", sa.Integer, nullable=False),
    _time("created_at"),
    _time("sending_at", null=True),
    # What the supporter filled in of the channel's own fields, as JSON with sorted keys; null where there is nothing.
    _text("fields", null=True),
    # Executor id of the process that has the try in hand; empty once that process is gone.
    _text("sent_by", null=True),
    _time("done_at", null=True),
    _text("shared_by"),
    # Not before this time; null when it may be tried at once.
    _time("next_try_at", null=True),
    # A try was cut off then: the message may be out, whatever later tries came to.
    _time("cut_at", null=True),
    # The share whose message this one sends once more.
    _text("resend_of", null=True),
)
sa.Index("ix_shares_created_at", shares.c.created_at)
sa.Index("ix_shares_reference", shares.c.channel, shares.c.reference)
sa.Index("ix_shares_session_id", shares.c.session_id, shares.c.created_at)
sa.Index("ix_shares_state", shares.c.state, shares.c.created_at)

given_records = sa.Table(
    "given_records",
    metadata,
    _text("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    # Name, label, fields and contacts, as the caller gave them.
    sa.Column("value", sa.JSON, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("hash", unique=True),
    _text("permission_set"),
    _time("created_at"),
    _time("last_used_at", null=True),
    _time("revoked_at", null=True),
    sa.UniqueConstraint("name", name=ONE_KEY_NAME),
)

trace = sa.Table(
    "trace",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    _time("at"),
    _text("plugin"),
    _text("call"),
    _text("record", null=True),
    sa.Column("duration_ms", sa.Float, nullable=False),
    _text("outcome"),
    _text("text"),
    _text("correlation_id"),
)
sa.Index("ix_trace_at", trace.c.at)
sa.Index("ix_trace_correlation_id", trace.c.correlation_id)

trace_levels = sa.Table(
    "trace_levels",
    metadata,
    _text("plugin", primary_key=True),
    _text("hook", primary_key=True),  # empty: every hook of the plugin
    _text("level"),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    _text("caller", primary_key=True),
    _text("key", primary_key=True),
    _text("fingerprint"),
    _text("state"),
    sa.Column("status", sa.Integer, nullable=True),
    _text("body", null=True),
    _time("created_at"),
)
sa.Index("ix_idempotency_created_at", idempotency.c.created_at)

executors = sa.Table(
    "executors",
    metadata,
    _text("id", primary_key=True),
    _time("started_at"),
    _time("beat_at"),
    # What the process said of itself at its last beat.
    _text("role", null=True),
    _text("version", null=True),
    _text("catalogue_version", null=True),
)

# What happened, in the order of commits; live events, webhooks and notices are read from here.
events = sa.Table(
    "events",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=True),
    _time("at"),
    _text("kind"),
    _text("session_id", sa.ForeignKey("sessions.id")),
    _text("source"),
    _text("object"),
    _text("record_id"),
    _text("opened_by"),
    sa.Column("data", sa.JSON, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice, not even after the newest rows were removed
)
sa.Index("ix_events_at", events.c.at)

# How far each reader of the events has come that must see every one exactly once.
followers = sa.Table("followers", metadata, _text("name", primary_key=True), sa.Column("last_id", sa.BigInteger, nullable=False))

webhooks = sa.Table(
    "webhooks",
    metadata,
    _text("id", primary_key=True),
    _text("name"),
    _text("url"),
    _text("sealed_secret"),
    # The secret before the last change, which signs as well until its time is over.
    _text("sealed_old_secret", null=True),
    _time("old_secret_until", null=True),
    sa.Column("kinds", sa.JSON, nullable=False),
    _time("created_at"),
    _time("disabled_at", null=True),
    _text("disabled_reason", null=True),
    # The receiver asked for patience.
    _time("paused_until", null=True),
    sa.UniqueConstraint("name", name=ONE_WEBHOOK_NAME),
)

webhook_deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    _text("id", primary_key=True),
    _text("webhook_id", sa.ForeignKey("webhooks.id", ondelete="CASCADE")),
    sa.Column("event_id", sa.BigInteger, nullable=True),  # null: a trial
    _text("kind"),
    _text("body"),
    _text("state"),
    sa.Column("tries", sa.Integer, nullable=False),
    _time("created_at"),
    _time("next_try_at", null=True),
    _time("sending_at", null=True),
    _time("done_at", null=True),
    sa.Column("status", sa.Integer, nullable=True),
    _text("reason"),
    sa.UniqueConstraint("webhook_id", "event_id", name="uq_webhook_deliveries_webhook_id_event_id"),
)
sa.Index("ix_webhook_deliveries_state", webhook_deliveries.c.state, webhook_deliveries.c.next_try_at)
sa.Index("ix_webhook_deliveries_webhook_id", webhook_deliveries.c.webhook_id, webhook_deliveries.c.created_at)

connections = sa.Table(
    "connections",
    metadata,
    _text("account", primary_key=True),
    _text("provider_id", primary_key=True),
    _text("session_id", sa.ForeignKey("sessions.id"), null=True),
    _text("session_type", null=True),
    _text("session_code", null=True),
    _text("correlation_id", null=True),
    _text("source", null=True),
    _text("object", null=True),
    _text("record_id", null=True),
    _text("record_name", null=True),
    # Label of the supported object: the report's entity type.
    _text("record_label", null=True),
    _text("user_id", null=True),
    _text("supporter_name", null=True),
    _text("customer_name", null=True),
    _text("device_id", null=True),
    _time("start"),
    _time("end", null=True),
    _text("description", null=True),
    _text("notes", null=True),
    _time("imported_at"),
)
sa.Index("ix_connections_start", connections.c.start.desc(), connections.c.account.desc(), connections.c.provider_id.desc())
sa.Index("ix_connections_record", connections.c.source, connections.c.object, connections.c.record_id, connections.c.start.desc())
sa.Index("ix_connections_session_id", connections.c.session_id)
sa.Index("ix_connections_correlation_id", connections.c.correlation_id)

# How far the reading of each provider account's connections has come.
connection_readings = sa.Table(
    "connection_readings",
    metadata,
    _text("account", primary_key=True),
    # What the reading is about: connections from this time on.
    _time("since"),
    # Where its next page begins; null on the first page, and when it is done.
    _text("cursor", null=True),
    sa.Column("done", sa.Boolean, nullable=False),
    _time("read_at"),
)

# Sessions that are over and whose record is to be written to, or was.
write_backs = sa.Table(
    "write_backs",
    metadata,
    _text("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    # When it is looked at next; null while nothing is to be done.
    _time("due_at", null=True),
    sa.Column("tries", sa.Integer, nullable=False),
    _text("reason"),
)
sa.Index("ix_write_backs_due_at", write_backs.c.due_at)

job_runs = sa.Table(
    "job_runs",
    metadata,
    _text("id", primary_key=True),
    _text("job"),
    _text("state"),
    # schedule, hand or retry.
    _text("cause"),
    # The scheduled time that this run is for; null for runs by hand.
    _time("slot", null=True),
    # The run that this one tries again, and which try in a row it is, from 1.
    _text("retry_of", null=True),
    sa.Column("attempt", sa.Integer, nullable=False),
    _text("asked_by", null=True),
    _time("created_at"),
    _time("due_at"),
    _time("started_at", null=True),
    _time("beat_at", null=True),
    _time("ended_at", null=True),
    _text("executor", null=True),
    # How often a process took it up; whoever took it last may write, nobody else.
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    _text("reason"),
    # How far it has come, so that a run that was cut off goes on instead of beginning again.
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("cancel_asked", sa.Boolean, nullable=False),
    # The job's name while the run waits or is in progress; null afterwards.
    _text("active_key", null=True),
    sa.UniqueConstraint("job", "slot", name=ONE_SLOT),
    sa.UniqueConstraint("active_key", name=ONE_RUN_AT_ONCE),
)
sa.Index("ix_job_runs_job", job_runs.c.job, job_runs.c.created_at.desc())

# Up to when the schedule of each job was looked at; what came due since then, while nothing ran, is made up for once.
job_schedules = sa.Table("job_schedules", metadata, _text("job", primary_key=True), _time("looked_until"))

alerts = sa.Table(
    "alerts",
    metadata,
    _text("id", primary_key=True),
    _text("key"),
    _text("title"),
    _text("text"),
    _time("opened_at"),
    _time("last_at"),
    sa.Column("count", sa.Integer, nullable=False),
    _time("mailed_at", null=True),
    _time("closed_at", null=True),
    # The key while the incident is open; null afterwards.
    _text("open_key", null=True),
    sa.UniqueConstraint("open_key", name=ONE_OPEN_ALERT),
)
sa.Index("ix_alerts_opened_at", alerts.c.opened_at)

# Mails to administrators and supporters; each key is sent once.
notices = sa.Table(
    "notices",
    metadata,
    _text("key", primary_key=True),
    # email or crm.
    _text("way"),
    _text("address"),
    _text("subject"),
    _text("text"),
    _text("state"),
    sa.Column("tries", sa.Integer, nullable=False),
    _time("created_at"),
    _time("next_try_at", null=True),
    _time("sending_at", null=True),
    _time("done_at", null=True),
    _text("reason"),
    # What the way needs to know besides (the record of a notice in the CRM).
    sa.Column("data", sa.JSON, nullable=False),
)
sa.Index("ix_notices_state", notices.c.state, notices.c.next_try_at)

# One row per provider account: who looks next, and when.
watched_accounts = sa.Table(
    "watched_accounts",
    metadata,
    _text("account", primary_key=True),
    _time("next_at"),
    # When all sessions are looked at again, not only those that somebody waits for.
    _time("all_at"),
    # Not before this time, whoever waits: the provider's limit, or the patience that it asked for.
    _time("free_at"),
    _time("asked_at", null=True),
    # How far the look at all sessions has come: the id of the last one; empty between two of them.
    _text("cursor"),
    sa.Column("failures", sa.Integer, nullable=False),
    _text("reason"),
    # Executor id of the process that looks now; null where nobody does, or a process without a heartbeat.
    _text("claimed_by", null=True),
)

# Sign-ins at providers and CRMs; the tokens are sealed for this row and no other.
provider_accounts = sa.Table(
    "provider_accounts",
    metadata,
    _text("id", primary_key=True),
    # Name of the sign-in, or of the record source.
    _text("sign_in"),
    # Id of the supporter whose account it is, and their name; empty for the company's.
    _text("owner"),
    _text("owner_name"),
    # Whose account it is at the provider, for people.
    _text("account"),
    sa.Column("scopes", sa.JSON, nullable=False),
    # The whole grant, sealed.
    _text("sealed"),
    _time("expires_at", null=True),
    _time("created_at"),
    _time("used_at", null=True),
    _time("renewed_at", null=True),
    # Until when one process renews it; the others wait for what it stores.
    _time("renewing_until", null=True),
    # Since when and why it is worth nothing any more; null while it works.
    _time("ended_at", null=True),
    _text("ended_reason", null=True),
    # Counts the grants of this row: who renews an older one has come too late.
    sa.Column("generation", sa.Integer, nullable=False),
    sa.UniqueConstraint("sign_in", "owner", name="uq_provider_accounts_owner"),
)

# Sign-ins on their way through a browser; each state is taken once.
pending_sign_ins = sa.Table(
    "pending_sign_ins",
    metadata,
    # Hashes of the ticket with which the browser begins, of the state with which it comes back, and of what it was told to keep.
    _text("ticket_hash", primary_key=True),
    _text("state_hash", null=True),
    _text("browser_hash", null=True),
    _text("sign_in"),
    _text("owner"),
    _text("owner_name"),
    # The verifier and the addresses that were agreed upon, sealed; null until the browser begins.
    _text("sealed_request", null=True),
    _time("expires_at"),
    sa.UniqueConstraint("state_hash", name="uq_pending_sign_ins_state"),
)

# Signed launches that were taken, so that none is taken twice.
seen_launches = sa.Table("seen_launches", metadata, _text("digest", primary_key=True), _time("expires_at"))

# What plugins keep; a value without an end is kept until its plugin removes it.
plugin_values = sa.Table(
    "plugin_values",
    metadata,
    _text("plugin", primary_key=True),
    sa.Column("key", ASCII, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
    _time("keep_until", null=True),
)
sa.Index("ix_plugin_values_keep_until", plugin_values.c.keep_until)
