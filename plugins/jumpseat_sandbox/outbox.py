"""The outbox: every mail and text that the sinks took, kept as files a person can open."""

from __future__ import annotations

import json
import os
import secrets
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Sent:
    """One message in the outbox."""

    reference: str
    """The sink's id of the message; the name of its files."""
    channel: Literal["email", "sms"]
    at: str
    """When the sink took it: UTC, RFC 3339."""
    sender: str
    to: str
    """The address of the envelope, not of a header."""
    text: str
    subject: str = ""
    html: str | None = None
    key: str | None = None
    """What the sender gave along to be recognised by: the Message-ID of a mail, the key of a text."""


class Outbox:
    """Writes messages down, and remembers the keys of texts.

    Args:
        folder: where the files go; made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._texts = {sent.key: sent for sent in read_outbox(folder) if sent.channel == "sms" and sent.key}

    def keep_mail(self, sender: str, to: str, data: bytes) -> Sent:
        """Keep a mail as it came over the wire (``.eml``, which mail programs open) and a summary beside it (``.json``)."""
        message = message_from_bytes(data, policy=mail_policy)
        assert isinstance(message, EmailMessage)
        reference, at = _stamp("email")
        sent = Sent(
            reference=reference,
            channel="email",
            at=at,
            sender=sender,
            to=to,
            text=_part(message, "plain") or "",
            subject=str(message["Subject"] or ""),
            html=_part(message, "html"),
            key=str(message["Message-ID"] or "") or None,
        )
        self._write(f"{reference}.eml", data)
        self._summarise(sent)
        return sent

    def keep_text(self, sender: str, to: str, text: str, key: str | None) -> tuple[Sent, bool]:
        """Keep a text (``.txt``) and a summary beside it (``.json``).

        Returns:
            The message, and whether it is new: one key is one message, however often it is sent.
        """
        with self._lock:
            if key and key in self._texts:
                return self._texts[key], False
            reference, at = _stamp("sms")
            sent = Sent(reference=reference, channel="sms", at=at, sender=sender, to=to, text=text, key=key)
            self._write(f"{reference}.txt", f"From: {sender}\nTo: {to}\n\n{text}\n".encode())
            self._summarise(sent)
            if key:
                self._texts[key] = sent
            return sent, True

    def find_text(self, key: str) -> Sent | None:
        """The text that was kept under this key."""
        with self._lock:
            return self._texts.get(key)

    def _summarise(self, sent: Sent) -> None:
        """Written last, so that a message counts only when all of it is there."""
        self._write(f"{sent.reference}.json", json.dumps(asdict(sent), ensure_ascii=False, indent=2).encode() + b"\n")

    def _write(self, name: str, data: bytes) -> None:
        unfinished = self.folder / f".{name}.part"
        unfinished.write_bytes(data)
        os.replace(unfinished, self.folder / name)


def read_outbox(folder: Path) -> list[Sent]:
    """Everything in an outbox, oldest first; nothing where there is no such folder."""
    files = sorted(file for file in folder.glob("*.json")) if folder.is_dir() else []
    return [Sent(**json.loads(file.read_text(encoding="utf-8"))) for file in files]


def _stamp(channel: str) -> tuple[str, str]:
    """A reference that sorts by time, and the time."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S%fZ}-{channel}-{secrets.token_hex(3)}", now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return None if part is None else str(part.get_content()).replace("\r\n", "\n").rstrip("\n")
