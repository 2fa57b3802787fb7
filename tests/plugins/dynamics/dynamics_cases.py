"""The sample rows of the fake environment by short names, and what was asked of it."""

from __future__ import annotations

from typing import Any

from jumpseat import Record, RecordRef
from jumpseat_fake_crm.serving import Fake

API = "/api/data/v9.2/"


def guid_of(kind: str, number: int) -> str:
    """Id of a sample row: ``account``, ``contact``, ``lead``, ``case``, ``deal``, ``contract``, ``user``."""
    heads = {
        "account": "a0000000",
        "contact": "c0000000",
        "lead": "1ead0000",
        "case": "1c1de000",
        "deal": "0bb00000",
        "contract": "5c000000",
    }
    return f"{(heads | {'user': '50000000'})[kind]}-0000-4000-8000-{number:012d}"


TABLES = {
    "account": "account",
    "contact": "contact",
    "lead": "lead",
    "case": "incident",
    "deal": "opportunity",
    "contract": "new_servicecontract",
}


def a_row(kind: str, number: int, name: str = "", **fields: Any) -> Record:
    """A sample record as a host would hold it."""
    return Record(RecordRef(TABLES[kind], guid_of(kind, number), "crm"), name or f"{kind} {number}", kind.title(), fields)


def asked(fake: Fake, part: str = "", method: str = "GET") -> list[dict[str, Any]]:
    """Calls of the API so far whose path, below its root, holds a text."""
    calls = [call for call in fake.requests() if call["path"].startswith(API) and call["method"] == method]
    return [call for call in calls if part in call["path"].removeprefix(API)]
