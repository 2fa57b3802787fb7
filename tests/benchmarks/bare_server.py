"""The baseline of ``getOffer``: a handler that reads the same rows and answers a body of the same size, without any rule.

Run as a process of its own: ``python bare_server.py WORKSPACE DATABASE BODY``; prints its address.
"""

from __future__ import annotations

import hashlib
import json
import socket
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI, Request, Response

from jumpseat import Record, RecordRef, Supporter
from jumpseat.store import Store
from jumpseat.store.schema import api_keys, sessions
from jumpseat.wiring import Options, Wiring

OBJECT_RULE_SOURCES = "sandbox"


def main(workspace: str, database: str, body: str) -> None:
    """Serve until killed."""
    wiring = Wiring(Path(workspace), Options(database_url=database), object())
    # The CRM itself, without the guard around it.
    source: Any = wiring.sources()[OBJECT_RULE_SOURCES]._extension  # type: ignore[attr-defined]
    rules = source.recipe("Case").contacts
    store = Store.open(database)
    answer = Path(body).read_bytes()
    app = FastAPI()

    @app.get("/v1/records/{object}/{record_id}/offer")
    def offer(object: str, record_id: str, request: Request) -> Response:
        ref = RecordRef(object, record_id, OBJECT_RULE_SOURCES)
        supporter = Supporter(request.headers.get("Jumpseat-Supporter", ""), "")
        source.find_supporter(supporter.id)
        record = Record(ref, "", "", source.get(ref, ()))
        found = [contact for rule in rules for contact in source.contacts(record, rule)]
        hashed = hashlib.sha256(request.headers.get("Authorization", "").removeprefix("Bearer ").encode()).hexdigest()
        with store.read() as conn:
            conn.execute(sa.select(api_keys).where(api_keys.c.hash == hashed)).first()
            of_record = (sessions.c.source == ref.source, sessions.c.object == object, sessions.c.record_id == record_id)
            conn.execute(sa.select(sessions).where(*of_record, sessions.c.state == "open")).all()
        return Response(answer, headers={"Contacts": str(len(found))}, media_type="application/json")

    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
