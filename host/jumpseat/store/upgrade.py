"""Brings the schema up to date, in the transaction it is given: a process that dies on the way leaves the old schema whole."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from jumpseat.errors import JumpseatError

HEAD = "0007"
"""The newest migration; known without loading Alembic, which costs more than the rest of a command."""
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x6A73_6462
"""The advisory lock of PostgreSQL under which one process upgrades and the others wait."""


def upgrade(conn: sa.Connection) -> None:
    """Run the migrations that are missing; nothing where there are none.

    Args:
        conn: in a transaction that may write. On SQLite it holds the write lock already.

    Raises:
        JumpseatError: the schema was made by a newer Jumpseat.
    """
    if revision(conn) == HEAD:
        return
    if conn.dialect.name == "postgresql":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    found = revision(conn)
    if found == HEAD or _next(found):
        return
    _refuse_newer(found)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = conn
    command.upgrade(config, HEAD)


def revision(conn: sa.Connection) -> str | None:
    """The migration at which the database stands; None for an empty one."""
    if not sa.inspect(conn).has_table("alembic_version"):
        return None
    found: str | None = conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _next(found: str | None) -> bool:
    """Is the schema the one after ours? A migration only adds, so that a process of the version before may start on it while the
    others are being replaced, or when somebody goes back."""
    return found is not None and int(found) == int(HEAD) + 1


def _refuse_newer(found: str | None) -> None:
    if found is not None and found > HEAD:
        raise JumpseatError(
            f"The database has schema {found} and this Jumpseat knows schemas up to {HEAD}. Start the newer Jumpseat again."
        )
