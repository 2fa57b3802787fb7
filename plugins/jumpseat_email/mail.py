"""From a message to the bytes of one mail: guarded before it is built, read again before it is sent.

The library turns an encoded line break in a value into a real one on some interpreters (CVE-2024-6923, Python before 3.11.10),
and had such gaps in its generator later: what goes out is judged by its bytes, not by the library's promise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, default as reading
from email.utils import format_datetime

from jumpseat import Message, say
from jumpseat_email.addresses import wire_address

_WRITING = SMTP.clone(cte_type="7bit")
_BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, everything some program takes for a line end, and halves of characters; a tab is blank space."""
_ENCODED = re.compile(r"=\?([^?]*)\?\s*([bq])\s*\?(.*?)(?=\?=|=\?|\Z)", re.IGNORECASE | re.DOTALL)
_IN_A_NAME = re.compile(r"""[\s"(),.:;<>@\[\]\\=?]+""")
MAX_NAME = 100
"""Characters of a display name that are kept."""
MAX_HEADER_LINE = 998


class UnsafeHeader(Exception):
    """A value would leave the header it stands in; the text is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mail comes from."""

    address: str
    name: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready for the wire."""

    sender: str
    recipient: str
    message_id: str
    data: bytes
    """ASCII with CR LF line ends; the same bytes whenever the same message is built."""


def build(message: Message, sender: Sender, now: datetime) -> Mail:
    """The mail of one message.

    Args:
        message: what to send.
        sender: who from.
        now: the Date where the message has no ``created_at``.

    Raises:
        RecipientInvalid: the recipient, the sender or the reply address is not one plain mailbox.
        UnsafeHeader: a value would break out of its header.
    """
    for what, value in ((say("subject"), message.subject), (say("recipient's name"), message.recipient_name), ("sender_name", sender.name)):
        guard(what, value)
    recipient, author = wire_address(message.address), wire_address(sender.address)
    mark = hashlib.sha256(message.key.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    mail = EmailMessage(policy=_WRITING)
    try:
        mail["From"] = _mailbox(sender.name, author)
        mail["To"] = _mailbox(message.recipient_name, recipient)
        mail["Subject"] = message.subject.replace("\t", " ")
        mail["Date"] = format_datetime((message.created_at or now).astimezone(UTC))
        mail["Message-ID"] = f"<{mark}@{author.rpartition('@')[2]}>"
        if sender.reply_to:
            mail["Reply-To"] = _mailbox("", wire_address(sender.reply_to))
        _fill(mail, message, mark)
        data = mail.as_bytes()
        verify(data, list(mail.keys()), {"From": author, "To": recipient})
    except (ValueError, LookupError, AttributeError, MessageError) as error:
        # The library's own checks, and places where its parser trips over odd text: nothing was sent yet.
        raise UnsafeHeader(say("The mail cannot be written; look for odd characters in the subject and the names.")) from error
    return Mail(author, recipient, str(mail["Message-ID"]), data)


def guard(what: str, value: str) -> None:
    """Refuse a header value that holds a line break or a control character, in the open or as an encoded word (RFC 2047).

    Raises:
        UnsafeHeader: names ``what``.
    """
    if _BREAKS.search(value):
        raise UnsafeHeader(say("The {what} holds a line break or a control character; take it out and share again.", what=what))
    for charset, encoding, text in _ENCODED.findall(value):
        raw = _decoded(encoding.lower(), text)
        if set(raw) & {0, 10, 13} or _BREAKS.search(_read(raw, charset)):
            raise UnsafeHeader(say("The {what} holds an encoded line break or control character; take it out and share again.", what=what))


def verify(data: bytes, names: list[str], mailboxes: dict[str, str]) -> None:
    """Read a built mail again and compare it with what was meant.

    Args:
        data: the mail.
        names: names of all its headers, in order.
        mailboxes: the one address that each of these headers must hold.

    Raises:
        UnsafeHeader: anything differs.
    """
    head = data.partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    found = [line.partition(b":")[0].decode("ascii", "replace") for line in lines if line[:1] not in (b" ", b"\t")]
    parsed = message_from_bytes(data, policy=reading)
    whole = data.isascii() and not re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", data) and all(len(line) <= MAX_HEADER_LINE for line in lines)
    if not whole or found != names or parsed.keys() != names:
        raise UnsafeHeader(
            say(
                "The mail does not read back with the headers it was built with, so it was not sent; "
                "look for odd characters in the subject."
            )
        )
    for name, address in mailboxes.items():
        if [mailbox.addr_spec for mailbox in parsed[name].addresses] != [address] or any(
            group.display_name for group in parsed[name].groups
        ):
            raise UnsafeHeader(
                say(
                    "The mail does not read back with one address in '{name}', so it was not sent; look for odd characters in the name.",
                    name=name,
                )
            )


def _mailbox(name: str, address: str) -> Address:
    """A mailbox whose name holds no character with a meaning in an address list: nothing to quote, nothing to misread."""
    return Address(_IN_A_NAME.sub(" ", name).strip()[:MAX_NAME].strip(), addr_spec=address)


def _fill(mail: EmailMessage, message: Message, mark: str) -> None:
    """Text, and the HTML beside it. Quoted-printable writes ``=`` as ``=3D``: no line of a text can be the boundary ``=_…``."""
    # A program wrote this: no holiday notices in return (RFC 3834; Exchange has a header of its own).
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    mail.set_content(_text(message.text), cte="quoted-printable")
    if message.html:
        mail.add_alternative(_text(message.html), subtype="html", cte="quoted-printable")
        mail.set_boundary(f"=_{mark}")
    mail["Content-Language"] = re.sub(r"[^A-Za-z0-9-]", "", message.language)[:35] or "en"


def _text(text: str) -> str:
    """Halves of characters cannot be written in UTF-8; they show as what they are, something lost."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _decoded(encoding: str, text: str) -> bytes:
    """The bytes of an encoded word, read as generously as the most generous mail program."""
    raw = text.encode("utf-8", "replace")
    if encoding == "q":
        return re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: bytes([int(found.group(1), 16)]), raw.replace(b"_", b" "))
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    try:
        return base64.b64decode(letters + b"=" * (-len(letters) % 4))
    except binascii.Error:
        return base64.b64decode(letters[: len(letters) // 4 * 4])


def _read(raw: bytes, charset: str) -> str:
    try:
        return raw.decode(charset.partition("*")[0].strip() or "ascii", "replace")
    except (LookupError, UnicodeError, ValueError):
        return raw.decode("utf-8", "replace")
