"""The first schema: sessions with their timeline and given records, shares, API keys, the trace log, idempotency keys, executors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jumpseat.store.columns import BigId as COUNT, UtcDateTime

revision = "0001"
down_revision = None
TIME = UtcDateTime()


def upgrade() -> None:
    _api_keys()
    _executors()
    _idempotency()
    _sessions()
    _trace()
    _trace_levels()
    _shares()
    _timeline()
    _given_records()


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("permission_set", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("hash", name="uq_api_keys_hash"),
        sa.UniqueConstraint("name", name="uq_api_keys_name"),
    )


def _executors() -> None:
    op.create_table(
        "executors",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("beat_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_executors"),
    )


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("record_name", sa.Text(), nullable=False),
        sa.Column("record_label", sa.Text(), nullable=False),
        sa.Column("session_type", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("customer_link", sa.Text(), nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_by_name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("opened_at", TIME, nullable=True),
        sa.Column("valid_until", TIME, nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("joined_at", TIME, nullable=True),
        sa.Column("shared_at", TIME, nullable=True),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("provider_data", sa.JSON(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("valid_key", sa.Text(), nullable=True),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.Column("provider_close_due", sa.Boolean(), nullable=False),
        sa.Column("gone_at", TIME, nullable=True),
        sa.Column("look_again_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["replaces"], ["sessions.id"], name="fk_sessions_replaces"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("correlation_id", name="uq_sessions_correlation_id"),
        sa.UniqueConstraint("valid_key", name="uq_sessions_valid_key"),
    )
    op.create_index(
        "ix_sessions_close_due",
        "sessions",
        ["id"],
        sqlite_where=sa.text("provider_close_due = 1"),
        postgresql_where=sa.text("provider_close_due"),
    )
    op.create_index("ix_sessions_created_at", "sessions", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_sessions_record", "sessions", ["source", "object", "record_id", sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_sessions_state_valid_until", "sessions", ["state", "valid_until"])


def _trace() -> None:
    op.create_table(
        "trace",
        sa.Column("id", COUNT, autoincrement=True, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=True),
        sa.Column("duration_ms", sa.Float(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_trace"),
    )
    op.create_index("ix_trace_at", "trace", ["at"])
    op.create_index("ix_trace_correlation_id", "trace", ["correlation_id"])


def _trace_levels() -> None:
    op.create_table(
        "trace_levels",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("plugin", "hook", name="pk_trace_levels"),
    )


def _shares() -> None:
    op.create_table(
        "shares",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=True),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("message_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sending_at", TIME, nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.Column("shared_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_shares_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shares"),
        sa.UniqueConstraint("message_key", name="uq_shares_message_key"),
    )
    op.create_index("ix_shares_session_id", "shares", ["session_id", "created_at"])
    op.create_index("ix_shares_state", "shares", ["state", "created_at"])


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("id", COUNT, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_timeline_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_timeline"),
    )
    op.create_index("ix_timeline_session_id", "timeline", ["session_id", "id"])


def _given_records() -> None:
    op.create_table(
        "given_records",
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_given_records_session_id"),
        sa.PrimaryKeyConstraint("session_id", name="pk_given_records"),
    )
