"""Values that plugins keep. The version before knows nothing of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jumpseat.store.columns import ASCII, UtcDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "plugin_values",
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("key", ASCII, nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("keep_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("plugin", "key", name="pk_plugin_values"),
    )
    op.create_index("ix_plugin_values_keep_until", "plugin_values", ["keep_until"])
