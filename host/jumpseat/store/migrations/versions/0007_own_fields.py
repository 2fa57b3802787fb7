"""What supporters fill in of a channel's own fields. The version before leaves it empty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("shares", sa.Column("fields", sa.Text(), nullable=True))
