"""Who looks at a provider account now, so that a process that died keeps it no longer. The version before leaves the column empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("watched_accounts", sa.Column("claimed_by", sa.Text(), nullable=True))
