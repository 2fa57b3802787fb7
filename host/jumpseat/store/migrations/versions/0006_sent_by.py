"""Who has a share in hand, so that one whose process died is settled at once. The version before leaves the column empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("shares", sa.Column("sent_by", sa.Text(), nullable=True))
