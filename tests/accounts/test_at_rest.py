"""Tokens of 50 supporters are readable nowhere: not in the database, its side files, a copy of it, nor what a reader of its rows sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from accounts_kit import AtServer, keeping

from jumpseat import Grant, ProviderSignInNeeded, ProviderUnreachable, Secret
from jumpseat.accounts.flow import Flow
from jumpseat.accounts.lending import Lent
from jumpseat.sealing import Sealer
from jumpseat.store import Store
from jumpseat.store.copying import copy_table, tables
from jumpseat.store.schema import metadata

CANARIES = [(f"CANARY-access-{number:03}", f"CANARY-refresh-{number:03}") for number in range(50)]


@pytest.fixture
def filled(store: Store, key: str, sign_in: AtServer) -> Store:
    """A store in which 50 supporters are signed in and one is on the way."""
    kept = keeping(store, Sealer([key]), sign_in)
    for number, (access, refresh) in enumerate(CANARIES):
        grant = Grant(Secret(access), Secret(refresh), data={"at": "eu1"})
        kept.put(sign_in, f"005{number}", f"Supporter {number}", grant)
    sign_in.authorize_url = lambda request: "https://desk.example/authorize"  # type: ignore[method-assign]  # nobody goes there
    flow = Flow(kept)
    ticket = flow.start("desk", "006", "Sam").url.reveal().rpartition("/")[2]
    flow.leave(Secret(ticket))
    return store


def test_a_database_that_is_away_is_no_fault_of_the_plugin_that_asks(store: Store, key: str, sign_in: AtServer) -> None:
    kept = keeping(store, Sealer([key]), sign_in)
    lent = Lent(lambda: kept, lambda name: name == "desk")
    with store.write() as conn:
        conn.exec_driver_sql("ALTER TABLE provider_accounts RENAME TO elsewhere")

    for ask in (lent.has, lent.owners, lent.grant):
        with pytest.raises(ProviderUnreachable) as away:
            ask("desk")
        assert away.value.message == "The host's database does not answer; try again in a moment."


def test_nobody_is_lent_the_sign_ins_of_others(store: Store, key: str, sign_in: AtServer) -> None:
    kept = keeping(store, Sealer([key]), sign_in)
    kept.put(sign_in, "", "", Grant(Secret("a")))
    lent = Lent(lambda: kept, lambda name: name == "book")

    assert (lent.has("desk"), lent.owners("desk"), kept.has("desk")) == (False, (), True)
    for ask in (lambda: lent.grant("desk"), lambda: lent.renewed("desk", Secret("a"))):
        with pytest.raises(ProviderSignInNeeded) as refused:
            ask()
        assert refused.value.message == "The sign-in 'desk' belongs to another plugin or record source."


def rows_of(store: Store) -> str:
    """Every value of every row, as somebody sees it who may read the tables."""
    with store.read() as conn:
        found = [[dict(row._mapping) for row in conn.execute(sa.select(table))] for table in metadata.sorted_tables]
    return json.dumps(found, default=str)


def test_no_token_can_be_read_in_the_rows(filled: Store) -> None:
    seen = rows_of(filled)

    assert "Supporter 49" in seen
    assert "CANARY" not in seen


def test_no_token_can_be_read_in_the_files(filled: Store) -> None:
    if filled.dialect != "sqlite":
        pytest.skip("The files are the server's.")
    file = Path(filled.engine.url.database or "")
    bytes_of = {found.name: found.read_bytes() for found in file.parent.iterdir() if found.is_file()}

    assert any(name.endswith("-wal") for name in bytes_of)
    assert any(b"Supporter 49" in content for content in bytes_of.values())
    assert [name for name, content in bytes_of.items() if b"CANARY" in content] == []


def test_no_token_can_be_read_in_a_copy_and_all_work_there(filled: Store, key: str, sign_in: AtServer, tmp_path: Path) -> None:
    copy = Store.open(f"sqlite:///{tmp_path / 'copy' / 'jumpseat.db'}")
    with filled.read() as source, copy.write() as target:
        for table in tables():
            copy_table(source, target, table, lambda *_: None)

    there = keeping(copy, Sealer([key]), sign_in)
    assert "CANARY" not in rows_of(copy)
    assert [there.grant("desk", f"005{number}").access_token.reveal() for number in range(50)] == [access for access, _ in CANARIES]
    copy.close()
