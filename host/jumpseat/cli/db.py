"""``jumpseat db``: the database's schema, its health, and its move from one file to a server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context
from jumpseat.cli.progress import bars

if TYPE_CHECKING:
    from jumpseat.store.checks import Check
    from jumpseat.work.moving import Moved


@click.group()
def db() -> None:
    """Upgrade, check and copy the workspace's database."""


def address(ctx: Context) -> str:
    """Of the workspace's database: ``JUMPSEAT_DATABASE_URL``, else the file in ``var/``."""
    return os.environ.get("JUMPSEAT_DATABASE_URL") or f"sqlite:///{ctx.find_workspace() / 'var' / 'jumpseat.db'}"


@db.command()
@json_option
@pass_context
def upgrade(ctx: Context, as_json: bool) -> None:
    """Bring the schema up to date, durable work's own tables too; safe while processes run and when several do it at once."""
    from jumpseat.store.store import Store
    from jumpseat.store.upgrade import HEAD, revision
    from jumpseat.work.queue import migrate, work_engine

    store = Store.open(address(ctx), upgrade=False)
    try:
        with store.read() as conn:
            before = revision(conn)
    finally:
        store.close()
    Store.open(address(ctx)).close()
    engine = work_engine(store.url)
    try:
        migrate(engine)
    finally:
        engine.dispose()
    said = "was up to date" if before == HEAD else f"was {'empty' if before is None else f'at {before}'} and is up to date now"
    answer(as_json, {"database": store.shown, "before": before, "schema": HEAD}, lambda: f"{store.shown} {said} (schema {HEAD}).")


@db.command()
@json_option
@pass_context
def check(ctx: Context, as_json: bool) -> int:
    """Look at the schema and at what keeps rows from being lost; exit code 1 when something is wrong."""
    from jumpseat.store.checks import Check, checks
    from jumpseat.store.store import Store
    from jumpseat.views import view
    from jumpseat.work.queue import is_current, work_engine

    store = Store.open(address(ctx), upgrade=False)
    try:
        found = list(checks(store))
    finally:
        store.close()
    engine = work_engine(store.url)
    current = is_current(engine)
    engine.dispose()
    found.append(Check("durable work", current, "its tables are " + ("up to date" if current else "missing or old"), _fix(current)))
    answer(as_json, view(found), lambda: "\n".join(_line(one) for one in found))
    return 0 if all(one.ok for one in found) else 1


def _fix(current: bool) -> str:
    return "" if current else "run 'jumpseat db upgrade'"


def _line(one: Check) -> str:
    return f"{'ok  ' if one.ok else 'FAIL'} {one.what:<20} {one.found}" + (f"\n     fix: {one.fix}" if one.fix else "")


@db.command()
@click.option("--to", "target", required=True, metavar="URL", help="Address of an empty database: postgresql://USER@HOST/NAME.")
@json_option
@pass_context
def copy(ctx: Context, target: str, as_json: bool) -> None:
    """Move an embedded SQLite workspace to PostgreSQL: every row, and the work that waits. May be stopped and run again.

    Stop every 'jumpseat serve' and 'jumpseat work' first. Afterwards the file stays as it was, and no process works on it any more.
    """
    from jumpseat.work.moving import move

    with bars() as progress:
        moved = move(f"sqlite:///{ctx.find_workspace() / 'var' / 'jumpseat.db'}", target, progress)
    data = {"rows": dict(moved.rows), "work": moved.work, "alreadyThere": moved.was_there}
    answer(as_json, data, lambda: _told(moved))


def _told(moved: Moved) -> str:
    rows = sum(moved.rows.values())
    done = "was there already" if moved.was_there else f"was copied and compared, and {moved.work} pieces of waiting work carried over"
    return f"Everything ({rows} rows) {done}. Set JUMPSEAT_DATABASE_URL to the new address and start the processes again."
