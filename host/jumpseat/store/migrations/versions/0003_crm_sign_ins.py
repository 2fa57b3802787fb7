"""Sign-ins at providers and CRMs, and signed launches. It only adds tables, so that the version before goes on working."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jumpseat.store.columns import UtcDateTime

revision = "0003"
down_revision = "0002"
TIME = UtcDateTime()


def upgrade() -> None:
    _provider_accounts()
    _pending_sign_ins()
    _seen_launches()


def _provider_accounts() -> None:
    op.create_table(
        "provider_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sign_in", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.Column("renewed_at", TIME, nullable=True),
        sa.Column("renewing_until", TIME, nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_provider_accounts"),
        sa.UniqueConstraint("sign_in", "owner", name="uq_provider_accounts_owner"),
    )


def _pending_sign_ins() -> None:
    op.create_table(
        "pending_sign_ins",
        sa.Column("ticket_hash", sa.Text(), nullable=False),
        sa.Column("state_hash", sa.Text(), nullable=True),
        sa.Column("browser_hash", sa.Text(), nullable=True),
        sa.Column("sign_in", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.Text(), nullable=False),
        sa.Column("sealed_request", sa.Text(), nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("ticket_hash", name="pk_pending_sign_ins"),
        sa.UniqueConstraint("state_hash", name="uq_pending_sign_ins_state"),
    )


def _seen_launches() -> None:
    op.create_table(
        "seen_launches",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_seen_launches"),
    )
