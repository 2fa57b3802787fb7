"""One mail over one SMTP connection, and what became of it, told apart by the moment at which something went wrong.

Until the final dot is out nothing can have been delivered; after it only the server's answer says what happened. No answer is
``unknown`` and never repeated here (RFC 1047).
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import ssl
from dataclasses import dataclass

from jumpseat import Outcome, Secret, redact, say
from jumpseat_email.mail import Mail

FINAL_ANSWER_SECONDS = 60.0
"""Wait for the answer to the final dot; RFC 5321 would wait 10 minutes, a supporter would not. What is cut short is ``unknown``."""
GOODBYE_SECONDS = 2.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server and how to speak with it."""

    host: str
    port: int
    security: str
    """``starttls``, ``tls`` or ``none``."""
    username: str = ""
    password: Secret | None = None
    timeout_seconds: float = 15.0
    """Longest wait for a connection and for each answer before the final dot."""
    ca_file: str | None = None
    """Certificates to trust instead of the system's."""

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


class _Stop(Exception):
    """The dialogue ended with this outcome."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def deliver(mail: Mail, server: Server) -> Outcome:
    """Send one mail.

    Returns:
        ``sent`` with the Message-ID; ``refused`` after a lasting no to sender, recipient or mail; ``failed`` where nothing was
        handed over; ``unknown`` where the connection was lost between the final dot and its answer.
    """
    if server.username and server.security == "none" and server.host not in _LOOPBACK:
        return Outcome.failed(
            say("The password for {place} would travel unprotected; set 'security' to starttls or tls.", place=server.place), retry=False
        )
    try:
        smtp = _connect(server, mail.sender.rpartition("@")[2])
    except _Stop as stop:
        return stop.outcome
    try:
        return _hand_over(smtp, mail, server)
    except _Stop as stop:
        return stop.outcome
    finally:
        _leave(smtp)


def _connect(server: Server, own_name: str) -> smtplib.SMTP:
    """A greeted, protected and signed-in connection."""
    try:
        smtp = _open(server, own_name)
    except (ValueError, OSError) as error:
        raise _Stop(_no_connection(error, server)) from error
    try:
        _sign_in(smtp, server)
    except _Stop:
        _leave(smtp)
        raise
    except (ValueError, OSError) as error:
        _leave(smtp)
        raise _Stop(_no_connection(error, server)) from error
    return smtp


def _open(server: Server, own_name: str) -> smtplib.SMTP:
    if server.security == "tls":
        context = ssl.create_default_context(cafile=server.ca_file)
        return smtplib.SMTP_SSL(server.host, server.port, own_name, timeout=server.timeout_seconds, context=context)
    return smtplib.SMTP(server.host, server.port, own_name, timeout=server.timeout_seconds)


def _sign_in(smtp: smtplib.SMTP, server: Server) -> None:
    smtp.ehlo_or_helo_if_needed()
    if server.security == "starttls":
        if not smtp.has_extn("starttls"):
            raise _Stop(
                Outcome.failed(
                    say("{place} offers no STARTTLS; set 'security' to what the server speaks.", place=server.place), retry=False
                )
            )
        smtp.starttls(context=ssl.create_default_context(cafile=server.ca_file))
        smtp.ehlo()
    if server.username:
        smtp.login(server.username, server.password.reveal() if server.password else "")


def _no_connection(error: Exception, server: Server) -> Outcome:
    """Before MAIL nothing was said of the mail: always ``failed``, and worth another try unless an answer said no for good."""
    match error:
        case ssl.SSLCertVerificationError():
            why = say("The certificate of {place} cannot be trusted ({cause})", place=server.place, cause=error.verify_message)
            return Outcome.failed(say("{why}; correct 'host', or name the company's own 'ca_file'.", why=why), retry=False)
        case smtplib.SMTPAuthenticationError():
            text = say(
                "{place} did not accept 'username' and 'password': {words}",
                place=server.place,
                words=_words(error.smtp_code, error.smtp_error, server),
            )
            return Outcome.failed(text, retry=error.smtp_code < 500)
        case smtplib.SMTPResponseException():
            text = say(
                "{place} does not serve this host: {words}", place=server.place, words=_words(error.smtp_code, error.smtp_error, server)
            )
            return Outcome.failed(text, retry=not 500 <= error.smtp_code < 600)
        case smtplib.SMTPNotSupportedError():
            return Outcome.failed(
                say("{place} offers no sign-in; leave 'username' empty or correct 'security'.", place=server.place), retry=False
            )
        case FileNotFoundError():
            return Outcome.failed(say("The file that 'ca_file' names does not exist; correct metadata/plugins/email.yaml."), retry=False)
        case ssl.SSLError():
            return Outcome.failed(
                say("{place} does not speak TLS as expected; set 'security' and 'port' to what the server speaks.", place=server.place),
                retry=False,
            )
        case smtplib.SMTPServerDisconnected() | TimeoutError() | OSError():
            return Outcome.failed(say("The mail server {place} cannot be reached; nothing was sent.", place=server.place), retry=True)
        case _:
            return Outcome.failed(say("'{host}' cannot be the name of a mail server; correct 'host'.", host=server.host), retry=False)


def _hand_over(smtp: smtplib.SMTP, mail: Mail, server: Server) -> Outcome:
    """MAIL, RCPT, DATA, the mail, the final dot."""
    try:
        options = [f"size={len(mail.data)}"] if smtp.has_extn("size") else []
        _expect(250, smtp.mail(mail.sender, options), say("the sender {sender}", sender=mail.sender), server)
        _expect(
            250, smtp.rcpt(mail.recipient), say("the recipient {recipient}", recipient=mail.recipient), server, also=251, only_this=True
        )
        _expect(354, smtp.docmd("DATA"), say("the mail"), server)
        # The final dot is the end of what is written: when writing fails, it was not handed over.
        smtp.send(_with_final_dot(mail.data))
    except OSError as error:
        raise _Stop(
            Outcome.failed(
                say("The connection to {place} was lost before the mail was complete; nothing was sent.", place=server.place), retry=True
            )
        ) from error
    try:
        if smtp.sock:
            smtp.sock.settimeout(FINAL_ANSWER_SECONDS)
        answer = smtp.getreply()
    except OSError:
        return Outcome.unknown(
            say(
                "{place} took the whole mail and did not confirm it: it may have been sent. Ask the recipient before sending again.",
                place=server.place,
            )
        )
    _expect(250, answer, say("the mail"), server)
    return Outcome.sent(mail.message_id)


def _expect(code: int, answer: tuple[int, bytes], what: str, server: Server, also: int | None = None, *, only_this: bool = False) -> None:
    if answer[0] in (code, also):
        return
    if answer[0] == -1:
        raise smtplib.SMTPServerDisconnected
    words = say("{place} does not take {what}: {words}", place=server.place, what=what, words=_words(*answer, server))
    raise _Stop(Outcome.refused(words) if 500 <= answer[0] < 600 else Outcome.failed(words, retry=True, only_this=only_this))


def _words(code: int, text: bytes | str, server: Server) -> str:
    """What the server said, short and on one line, without what it should not have repeated."""
    said = text if isinstance(text, str) else text.decode("utf-8", "replace")
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in said).split())[:200]
    return redact(f"{code} {line}".strip(), (server.password,) if server.password else ())


def _with_final_dot(data: bytes) -> bytes:
    """The mail with the dots of transparency and the final dot (RFC 5321 4.5.2)."""
    stuffed = re.sub(rb"(?m)^\.", b"..", data)
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"


def _leave(smtp: smtplib.SMTP) -> None:
    """Say goodbye; what is decided is decided, whatever the other side makes of it."""
    with contextlib.suppress(OSError):
        if smtp.sock:
            smtp.sock.settimeout(GOODBYE_SECONDS)
            smtp.quit()
    smtp.close()
