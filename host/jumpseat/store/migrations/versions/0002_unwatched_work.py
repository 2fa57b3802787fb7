"""What works without being watched: events, webhooks, connections, write-backs, runs of jobs, alerts, notices, watched accounts.

It only adds: tables, and columns that may be null, so that the version before goes on working on the new schema.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jumpseat.store.columns import BigId, UtcDateTime

revision = "0002"
down_revision = "0001"
TIME = UtcDateTime()


def upgrade() -> None:
    _sessions()
    _shares()
    _executors()
    _events()
    _followers()
    _webhooks()
    _webhook_deliveries()
    _connections()
    _connection_readings()
    _write_backs()
    _job_runs()
    _alerts()
    _notices()
    _watched_accounts()


def _sessions() -> None:
    op.add_column("sessions", sa.Column("request_key", sa.Text(), nullable=True))
    op.add_column("sessions", sa.Column("written_back_at", TIME, nullable=True))
    op.add_column("sessions", sa.Column("wanted_at", TIME, nullable=True))
    op.create_index("ix_sessions_code", "sessions", ["code"])
    op.create_index("uq_sessions_request_key", "sessions", ["request_key"], unique=True)


def _shares() -> None:
    op.add_column("shares", sa.Column("next_try_at", TIME, nullable=True))
    op.add_column("shares", sa.Column("cut_at", TIME, nullable=True))
    op.add_column("shares", sa.Column("resend_of", sa.Text(), nullable=True))
    op.create_index("ix_shares_created_at", "shares", ["created_at"])
    op.create_index("ix_shares_reference", "shares", ["channel", "reference"])


def _executors() -> None:
    op.add_column("executors", sa.Column("role", sa.Text(), nullable=True))
    op.add_column("executors", sa.Column("version", sa.Text(), nullable=True))
    op.add_column("executors", sa.Column("catalogue_version", sa.Text(), nullable=True))


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_events_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_at", "events", ["at"])


def _followers() -> None:
    op.create_table(
        "followers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_followers"),
    )


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("sealed_old_secret", sa.Text(), nullable=True),
        sa.Column("old_secret_until", TIME, nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("disabled_reason", sa.Text(), nullable=True),
        sa.Column("paused_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        sa.UniqueConstraint("name", name="uq_webhooks_name"),
    )


def _webhook_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("sending_at", TIME, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], name="fk_webhook_deliveries_webhook_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.UniqueConstraint("webhook_id", "event_id", name="uq_webhook_deliveries_webhook_id_event_id"),
    )
    op.create_index("ix_webhook_deliveries_state", "webhook_deliveries", ["state", "next_try_at"])
    op.create_index("ix_webhook_deliveries_webhook_id", "webhook_deliveries", ["webhook_id", "created_at"])


def _connections() -> None:
    op.create_table(
        "connections",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("session_type", sa.Text(), nullable=True),
        sa.Column("session_code", sa.Text(), nullable=True),
        sa.Column("correlation_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("object", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("record_name", sa.Text(), nullable=True),
        sa.Column("record_label", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("supporter_name", sa.Text(), nullable=True),
        sa.Column("customer_name", sa.Text(), nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("start", TIME, nullable=False),
        sa.Column("end", TIME, nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("imported_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_connections_session_id"),
        sa.PrimaryKeyConstraint("account", "provider_id", name="pk_connections"),
    )
    op.create_index("ix_connections_correlation_id", "connections", ["correlation_id"])
    op.create_index("ix_connections_record", "connections", ["source", "object", "record_id", sa.text("start DESC")])
    op.create_index("ix_connections_session_id", "connections", ["session_id"])
    op.create_index("ix_connections_start", "connections", [sa.text("start DESC"), sa.text("account DESC"), sa.text("provider_id DESC")])


def _connection_readings() -> None:
    op.create_table(
        "connection_readings",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("read_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_connection_readings"),
    )


def _write_backs() -> None:
    op.create_table(
        "write_backs",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_write_backs_session_id"),
        sa.PrimaryKeyConstraint("session_id", name="pk_write_backs"),
    )
    op.create_index("ix_write_backs_due_at", "write_backs", ["due_at"])


def _job_runs() -> None:
    op.create_table(
        "job_runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("slot", TIME, nullable=True),
        sa.Column("retry_of", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("beat_at", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("executor", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("progress", sa.JSON(), nullable=False),
        sa.Column("cancel_asked", sa.Boolean(), nullable=False),
        sa.Column("active_key", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_job_runs"),
        sa.UniqueConstraint("active_key", name="uq_job_runs_active_key"),
        sa.UniqueConstraint("job", "slot", name="uq_job_runs_slot"),
    )
    op.create_index("ix_job_runs_job", "job_runs", ["job", sa.text("created_at DESC")])
    op.create_table(
        "job_schedules",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("looked_until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("job", name="pk_job_schedules"),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("opened_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("mailed_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("open_key", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sa.UniqueConstraint("open_key", name="uq_alerts_open_key"),
    )
    op.create_index("ix_alerts_opened_at", "alerts", ["opened_at"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("next_try_at", TIME, nullable=True),
        sa.Column("sending_at", TIME, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_notices"),
    )
    op.create_index("ix_notices_state", "notices", ["state", "next_try_at"])


def _watched_accounts() -> None:
    op.create_table(
        "watched_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("all_at", TIME, nullable=False),
        sa.Column("free_at", TIME, nullable=False),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_watched_accounts"),
    )
