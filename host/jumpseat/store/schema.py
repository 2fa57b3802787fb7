"""The tables. A change here needs a migration beside it; a test compares the two."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from jumpseat.store.columns import BigId, UtcDateTime

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
    sa.UniqueConstraint("valid_key", name=ONE_VALID),
)
sa.Index(
    "ix_sessions_record", sessions.c.source, sessions.c.object, sessions.c.record_id, sessions.c.created_at.desc(), sessions.c.id.desc()
)
sa.Index("ix_sessions_state_valid_until", sessions.c.state, sessions.c.valid_until)
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
    _time("done_at", null=True),
    _text("shared_by"),
)
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
)
