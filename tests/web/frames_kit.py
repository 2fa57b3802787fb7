"""A CRM on another site than the host, whose page shows launches in frames as a customer's CRM does."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from web_kit import ADMINISTRATOR, CASE

from jumpseat import Host, Secret
from jumpseat.access.signed import sign

SECRET = "launch-secret-of-the-sample-crm-0123456789"
PAGE = """<!doctype html><meta charset="utf-8"><title>CRM</title>
<script>
  window.heard = [];
  addEventListener("message", (event) => heard.push({...event.data, origin: event.origin}));
  const show = (number) => document.querySelectorAll("form")[number].submit();
  addEventListener("load", () => { if (location.hash !== "#later") document.querySelectorAll("form").forEach((form) => form.submit()); });
</script>
"""


@dataclass
class Crm:
    """The CRM's pages: each launches some components in frames."""

    base: str
    pages: dict[str, str] = field(default_factory=dict)

    def show(self, host: Host, address: str, shown: Sequence[tuple[str, str | None]], supporter: str = ADMINISTRATOR) -> str:
        """A page with a frame for each component and the record, or none, that it is launched for; answers its address."""
        frames = [_frame(host, address, number, component, record, supporter) for number, (component, record) in enumerate(shown)]
        name = f"/{secrets.token_hex(4)}"
        self.pages[name] = PAGE + "\n".join(frames)
        return self.base + name


def _frame(host: Host, address: str, number: int, component: str, record: str | None, supporter: str) -> str:
    signed = launch(host, record, supporter)
    return (
        f'<form method="post" action="{address}/launch/sandbox" target="frame{number}">'
        f'<input type="hidden" name="launch" value="{signed}"><input type="hidden" name="show" value="{component}">'
        f'</form><iframe name="frame{number}" id="frame{number}" title="{component}" width="900" height="300"></iframe>'
    )


def launch(host: Host, record: str | None = CASE, supporter: str = ADMINISTRATOR, **changed: Any) -> str:
    """What the CRM signs: for a record, or for none."""
    of_record = {"object": "Case", "recordId": record} if record else {}
    said = {
        "version": 1,
        "audience": host.catalogue.host.public_url,
        "source": "sandbox",
        "supporter": supporter,
        **of_record,
        "issuedAt": int(time.time()),
        "nonce": secrets.token_urlsafe(16),
        **changed,
    }
    return sign(said, Secret(SECRET))


def let_launch(workspace: Path, *ancestors: str) -> None:
    """Let the workspace's record source launch, into frames of these origins."""
    (workspace / "var" / "launch").write_text(SECRET)
    (workspace / "metadata" / "sources" / "sandbox.yaml").write_text(
        "name: sandbox\nkind: sandbox\nlabel: Sample CRM\nsettings:\n  flavour: salesforce\n"
        f"launch_secret: {{file: var/launch}}\nframe_ancestors: {json.dumps(ancestors)}\n"
    )


@contextmanager
def crm_serving() -> Iterator[Crm]:
    """The CRM, at the number of this machine; the host goes by its name, which is another site."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = crm.pages.get(self.path, "").encode()
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    crm = Crm(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield crm
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
