"""The share channel ``email``."""

from __future__ import annotations

from jumpseat import Message, Outcome, RecipientInvalid, Setting, ShareChannel, say
from jumpseat_email.addresses import check_address
from jumpseat_email.mail import Sender, UnsafeHeader, build
from jumpseat_email.smtp import Server, deliver

SECURITY = ("starttls", "tls", "none")
PORTS = {"starttls": 587, "tls": 465, "none": 25}


class EmailChannel(ShareChannel):
    """Mail over the company's own SMTP server: text with HTML beside it, to one recipient.

    SMTP has no key: a mail whose confirmation was lost is ``unknown``; sent again by hand it has the same Message-ID, Date and
    bytes, so that servers which drop repeats can.
    """

    name, label, address_kind = "email", say("E-mail"), "email"
    deadline_seconds = 120.0
    settings = (
        Setting("host", str, default="", help=say("Name of the SMTP server. Empty: no mail is sent, and the offer says so.")),
        Setting("port", int, help=say("Port of the SMTP server; left out: 587 for starttls, 465 for tls, 25 for none.")),
        Setting(
            "security",
            str,
            default="starttls",
            choices=SECURITY,
            help=say("How the connection is protected; the certificate is always checked."),
        ),
        Setting("username", str, default="", help=say("Sign-in name; empty: no sign-in.")),
        Setting("password", str, secret=True, help=say("Sign-in password.")),
        Setting("sender", str, default="", help=say("Mailbox that mails come from, such as support@example.com.")),
        Setting("sender_name", str, default="", help=say("Name shown beside the sender.")),
        Setting("reply_to", str, default="", help=say("Mailbox that answers go to; empty: the sender.")),
        Setting(
            "timeout_seconds",
            float,
            default=15.0,
            help=say("Longest wait for a connection and for each answer before the mail is handed over."),
        ),
        Setting("ca_file", str, help=say("File of certificates to trust instead of the system's, for a company's own authority.")),
    )

    def missing(self) -> str:
        unset = next((name for name in ("host", "sender") if not getattr(self.config, name)), None)
        return say("E-mail is not set up: fill '{unset}' in metadata/plugins/email.yaml.", unset=unset) if unset else ""

    def check(self, address: str) -> str:
        return check_address(address)

    def send(self, message: Message) -> Outcome:
        if missing := self.missing():
            return Outcome.refused(missing)
        sender = Sender(self.config.sender, self.config.sender_name or "", self.config.reply_to or "")
        try:
            mail = build(message, sender, self.clock.now())
        except (RecipientInvalid, UnsafeHeader) as error:
            return Outcome.refused(error)
        return deliver(mail, self._server())

    def _server(self) -> Server:
        return Server(
            host=self.config.host,
            port=self.config.port or PORTS[self.config.security],
            security=self.config.security,
            username=self.config.username or "",
            password=self.config.password,
            timeout_seconds=self.config.timeout_seconds,
            ca_file=self.config.ca_file,
        )
