"""The share channel ``sms``."""

from __future__ import annotations

from requests import Response

from jumpseat import (
    AnswerLost,
    Config,
    Message,
    Outcome,
    ProviderError,
    ProviderThrottled,
    ProviderUnreachable,
    RecipientInvalid,
    Setting,
    ShareChannel,
    joined,
    redact,
    retry_after,
    say,
)
from jumpseat_sms import apprise_way
from jumpseat_sms.gateway import Gateway, NotSetUp, gateway_of, pick, read
from jumpseat_sms.numbers import NUMBER_TYPES, check_number
from jumpseat_sms.segments import longest, segments

PERHAPS_SENT = say("The text may have been sent; ask the recipient before sending again.")


class SmsChannel(ShareChannel):
    """Texts through an HTTP gateway that the settings describe; Twilio is described already (``preset: twilio``).

    What a lost answer or a 5xx means depends on the gateway: where it promises that one key is one message, the same message can
    be sent again; where it can be asked, the host asks; elsewhere the outcome is ``unknown``.
    """

    name, label, address_kind = "sms", say("SMS"), "phone"
    settings = (
        Setting("preset", str, default="generic", choices=("generic", "twilio"), help=say("A gateway that is described already.")),
        Setting(
            "url", str, default="", help=say("Where messages are posted; https only. With preset twilio: another host than Twilio's own.")
        ),
        Setting(
            "method", str, default="POST", choices=("POST", "PUT"), help=say("HTTP method; never GET, which is repeated when it is lost.")
        ),
        Setting("body", dict[str, str], help=say("What is posted, by name; {to}, {to_digits}, {text}, {sender} and {key} are filled in.")),
        Setting("body_format", str, default="json", choices=("json", "form"), help=say("How the body is written.")),
        Setting("sender", str, default="", help=say("Number or name that texts come from.")),
        Setting("auth", str, default="none", choices=("none", "basic", "bearer", "header"), help=say("How to sign in to the gateway.")),
        Setting("username", str, default="", help=say("User name for auth basic.")),
        Setting("secret", str, secret=True, help=say("Password, token or key for auth.")),
        Setting("auth_header", str, default="", help=say("Name of the header that carries the secret for auth header.")),
        Setting("key_header", str, default="", help=say("Header that carries the key of a message, such as Idempotency-Key.")),
        Setting("honours_key", bool, default=False, help=say("True when the gateway promises that one key is one message.")),
        Setting("id_path", str, default="", help=say("Where the answer holds the message's id: a dotted path such as messages.0.id.")),
        Setting("success_statuses", list[str], help=say("HTTP statuses that mean taken; left out: every 2xx.")),
        Setting("lookup_url", str, default="", help=say("Where to ask what became of a message; {key} and {to} are filled in.")),
        Setting("status_path", str, default="", help=say("Where an answer holds the gateway's word for the state.")),
        Setting("status_map", dict[str, str], help=say("The gateway's words, each with sent, refused, failed or unknown.")),
        Setting("error_path", str, default="", help=say("Where a refusal holds its reason, shown to the supporter.")),
        Setting("account_sid", str, default="", help=say("Twilio: the account.")),
        Setting("auth_token", str, secret=True, help=say("Twilio: its token.")),
        Setting("messaging_service_sid", str, default="", help=say("Twilio: the messaging service to send from, instead of 'sender'.")),
        Setting(
            "apprise_url", str, secret=True, help=say("A service by its Apprise URL, with {to} for the number; needs jumpseat[apprise].")
        ),
        Setting(
            "receipts", bool, default=False, help=say("True when the gateway calls back at /-/sms/receipt with what became of a message.")
        ),
        Setting("receipt_secret", str, secret=True, help=say("What a receipt carries to show that the gateway sent it; not for Twilio.")),
        Setting(
            "receipt_header", str, default="", help=say("Header of a receipt that carries receipt_secret; left out: the end of its path.")
        ),
        Setting("receipt_key_path", str, default="", help=say("Where a receipt holds the key of its message: a dotted path.")),
        Setting("receipt_id_path", str, default="", help=say("Where a receipt holds the gateway's id of its message; left out: id_path.")),
        Setting("receipt_status_path", str, default="", help=say("Where a receipt holds the state; left out: status_path.")),
        Setting("receipt_error_path", str, default="", help=say("Where a receipt holds the reason; left out: error_path.")),
        Setting("number_types", list[str], default=list(NUMBER_TYPES), help=say("Kinds of number that are written to.")),
        Setting("countries", list[str], help=say("Countries that are written to, by ISO code; left out: all.")),
        Setting("max_segments", int, default=3, help=say("Longest text, in segments of 160 (GSM-7) or 70 (UCS-2) characters.")),
    )

    @property
    def honours_key(self) -> bool:  # type: ignore[override]  # what a gateway promises stands in the settings, not in the class
        gateway = self._described()
        return gateway is not None and gateway.honours_key

    @property
    def can_look_up(self) -> bool:  # type: ignore[override]  # as above
        gateway = self._described()
        return gateway is not None and bool(gateway.lookup_url)

    @property
    def max_text(self) -> int | None:  # type: ignore[override]  # as above
        config = self._lent()
        return longest(config.max_segments) if config else None

    @property
    def max_segments(self) -> int | None:  # type: ignore[override]  # as above
        config = self._lent()
        return config.max_segments if config else None

    def segments(self, text: str) -> int | None:
        return segments(text).segments

    def missing(self) -> str:
        if self.config.apprise_url:
            return ""
        try:
            gateway_of(self.config)
        except NotSetUp as unset:
            return str(unset)
        return ""

    def check(self, address: str) -> str:
        return check_number(address, self.config.number_types or NUMBER_TYPES, self.config.countries or ())

    def send(self, message: Message) -> Outcome:
        size, limit = segments(message.text), self.config.max_segments
        if size.segments > limit:
            return Outcome.refused(
                say(
                    "The text takes {segments} segments ({characters} characters in {encoding}); "
                    "{limit} are allowed. Shorten it, or raise 'max_segments' in metadata/plugins/sms.yaml.",
                    segments=size.segments,
                    characters=size.characters,
                    encoding=size.encoding,
                    limit=limit,
                )
            )
        try:
            self.check(message.address)
            if self.config.apprise_url:
                return apprise_way.send(message, self.config.apprise_url)
            gateway = gateway_of(self.config, self.runtime.public_url)
        except (RecipientInvalid, NotSetUp) as error:
            return Outcome.refused(error)
        return self._hand_over(message, gateway)

    def look_up(self, message: Message) -> Outcome | None:
        """What the gateway says of this message's key.

        Raises:
            ProviderThrottled: it asks for patience.
            ProviderUnreachable: it cannot be reached, or has a failure of its own.
            ProviderError: it answered otherwise.
        """
        gateway = self._described()
        if gateway is None or not gateway.lookup_url:
            return None
        answer = self.http.get(gateway.lookup(message), auth=gateway.sign())
        if answer.status_code == 404:
            return None
        if answer.status_code == 429:
            raise ProviderThrottled(say("{place} asks for patience.", place=gateway.place), retry_after_seconds=self._retry_after(answer))
        if answer.status_code >= 500:
            raise ProviderUnreachable(
                say("{place} has a failure ({status}); ask again in a moment.", place=gateway.place, status=answer.status_code)
            )
        if not answer.ok:
            raise ProviderError(
                say("{place} does not say what became of the text: {reason}", place=gateway.place, reason=_reason(answer, gateway))
            )
        return _taken(answer, gateway)

    def _hand_over(self, message: Message, gateway: Gateway) -> Outcome:
        try:
            answer = self.http.request(gateway.method, gateway.url, **gateway.request(message))
        except ProviderUnreachable as error:
            return Outcome.failed(error, retry=True)
        except ProviderError as error:  # the answer was lost, or too large to read: the request went out
            return _lost(gateway, str(error))
        return self._outcome(answer, gateway)

    def _outcome(self, answer: Response, gateway: Gateway) -> Outcome:
        """What an answer means. Only a key that the gateway honours makes a second try safe once it may have acted."""
        status, reason = answer.status_code, _reason(answer, gateway)
        if status in gateway.success_statuses or (not gateway.success_statuses and 200 <= status < 300):
            return _taken(answer, gateway)
        if status == 429:
            return Outcome.failed(
                say("{place} asks for patience: {reason}", place=gateway.place, reason=reason),
                retry=True,
                retry_after_seconds=self._retry_after(answer),
            )
        if 300 <= status < 400:
            return Outcome.refused(
                say(
                    "{place} points to another address ({status}); correct 'url' in metadata/plugins/sms.yaml.",
                    place=gateway.place,
                    status=status,
                )
            )
        # 408: the gateway gave up waiting for the request. 409: the same key is being worked on.
        if 400 <= status < 500 and status != 408 and not (status == 409 and gateway.honours_key):
            return Outcome.refused(say("{place} refused the text: {reason}", place=gateway.place, reason=reason))
        if gateway.honours_key:
            return Outcome.failed(
                say("{place} has a failure: {reason}", place=gateway.place, reason=reason),
                retry=True,
                retry_after_seconds=self._retry_after(answer),
            )
        return _lost(gateway, say("{place} has a failure: {reason}.", place=gateway.place, reason=reason))

    def _retry_after(self, answer: Response) -> int | None:
        return retry_after(answer.headers.get("Retry-After", ""), self.clock.now())

    def _lent(self) -> Config | None:
        """The settings; None before the host has lent them."""
        runtime = getattr(self, "runtime", None)
        return runtime.config if runtime else None

    def _described(self) -> Gateway | None:
        """The gateway; None where the settings describe none, or the text goes through Apprise."""
        config = self._lent()
        if config is None or config.apprise_url:
            return None
        try:
            return gateway_of(config)
        except NotSetUp:
            return None


def _lost(gateway: Gateway, why: str) -> Outcome:
    """The gateway may have acted: ``unknown``, unless asking it or sending the same key again settles the matter.

    Raises:
        AnswerLost: the host looks the message up, or sends it again under its key.
    """
    if gateway.honours_key or gateway.lookup_url:
        raise AnswerLost(why)
    return Outcome.unknown(joined(why, PERHAPS_SENT))


def _taken(answer: Response, gateway: Gateway) -> Outcome:
    """An answer that says the gateway has the message: its word for the state decides, where there is one."""
    reference = pick(answer.content, gateway.id_path)
    word = pick(answer.content, gateway.status_path)
    if word is None or not gateway.status_map:
        return Outcome.sent(reference)
    return read(gateway, word, reference, _reason(answer, gateway))


def _reason(answer: Response, gateway: Gateway) -> str:
    """The status and the gateway's own words, short, on one line, without what it should not have repeated."""
    words = pick(answer.content, gateway.error_path)
    return redact(f"{answer.status_code} {_line(words or answer.reason or '')}".strip(), (gateway.secret,) if gateway.secret else ())


def _line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
