"""What Alembic runs: the migrations, on the connection and in the transaction that ``upgrade`` was given."""

from __future__ import annotations

from alembic import context

from jumpseat.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by copying it
    transactional_ddl=True,  # the caller began a transaction, and SQLite keeps changes of the schema in it
)
context.run_migrations()
