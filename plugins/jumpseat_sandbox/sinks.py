"""Both sinks together: a real SMTP server and a real HTTP gateway whose messages end in the outbox.

The real channels ``email`` and ``sms`` send to them, so that a demonstration and a test take the same way as production::

    with Sinks.start(workspace / "var" / "outbox") as sinks:
        settings = sinks.settings      # of the plugins email and sms
        ...
        read_outbox(sinks.folder)
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from jumpseat_sandbox.outbox import Outbox, Sent, read_outbox
from jumpseat_sandbox.sms_sink import SmsSink
from jumpseat_sandbox.smtp_sink import SmtpSink

__all__ = ["Sent", "Sinks", "read_outbox"]


@dataclass(frozen=True, slots=True)
class Sinks:
    """Two running servers; ``close`` or the end of ``with`` stops them. The outbox stays."""

    folder: Path
    smtp_port: int
    sms_url: str
    _servers: tuple[socketserver.BaseServer, ...]

    @classmethod
    def start(cls, folder: Path, *, smtp_port: int = 0, sms_port: int = 0) -> Sinks:
        """Start both on 127.0.0.1.

        Args:
            folder: the outbox; made when it is missing.
            smtp_port: 0 for any free one.
            sms_port: 0 for any free one.

        Raises:
            OSError: a port is taken.
        """
        outbox = Outbox(folder)
        smtp = SmtpSink(outbox, smtp_port)
        try:
            sms = SmsSink(outbox, sms_port)
        except OSError:
            smtp.server_close()
            raise
        for server in (smtp, sms):
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name=type(server).__name__, daemon=True).start()
        return cls(folder, smtp.port, sms.url, (smtp, sms))

    @property
    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Settings of the plugins ``email`` and ``sms`` with which they send here."""
        return {
            "email": {
                "host": "127.0.0.1",
                "port": self.smtp_port,
                "security": "none",
                "sender": "support@jumpseat.example",
                "sender_name": "Jumpseat",
            },
            "sms": {
                "url": self.sms_url,
                "body": {"to": "{to}", "text": "{text}", "sender": "{sender}"},
                "sender": "Jumpseat",
                "key_header": "Idempotency-Key",
                "honours_key": True,
                "id_path": "id",
                "lookup_url": f"{self.sms_url}/{{key}}",
                "status_path": "status",
                "status_map": {"sent": "sent"},
            },
        }

    def close(self) -> None:
        """Stop listening; what is being answered is finished by its own thread."""
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> Sinks:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
