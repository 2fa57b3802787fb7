"""Sending notices: each once, tried again with growing pauses while it is of use.

Supporters and administrators get them, never a customer. A notice in the CRM that was cut off is told again; a mail whose confirmation
was lost is not, and one whose process died goes out with the same Message-ID.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from jumpseat.catalogue.model import Catalogue
from jumpseat.clock import Clock
from jumpseat.contract import RecordSource, ShareChannel
from jumpseat.errors import (
    AnswerLost,
    JumpseatError,
    NotFound,
    PluginError,
    PluginQuarantined,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    RecipientInvalid,
)
from jumpseat.notices import words
from jumpseat.speech import say
from jumpseat.store import alerts, notices, sessions
from jumpseat.store.notices import CRM, EMAIL, FAILED, LATE, SENT, UNKNOWN, NoticeRow
from jumpseat.store.store import Store
from jumpseat.types import Message, Notice, Outcome, OutcomeKind, Session, SupporterInfo

FIRST_DELAY_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 300.0
MARGIN = timedelta(seconds=15)
"""Beyond the longest deadline of a way, before a try without an outcome counts as cut off."""
CUT_OFF = say("The try was cut off.")
OVER = say("The session was over before anybody could be told.")
TOO_LATE = say("It could not be sent in time.")
NO_CHANNEL = say("There is no share channel for e-mail.")
NO_ADDRESS = say("The CRM knows no e-mail address of the supporter who opened the session.")
_STATES = {OutcomeKind.SENT: SENT, OutcomeKind.REFUSED: FAILED, OutcomeKind.FAILED: FAILED, OutcomeKind.UNKNOWN: UNKNOWN}


@dataclass(frozen=True, slots=True)
class Telling:
    """Sends the notices that wait; safe in several processes at once.

    Args:
        store: the host's database.
        clock: what the time is.
        catalogue: what the metadata says now.
        channels: the share channels now, by name.
        sources: the record sources now, by name.
    """

    store: Store
    clock: Clock
    catalogue: Callable[[], Catalogue]
    channels: Callable[[], Mapping[str, ShareChannel]]
    sources: Callable[[], Mapping[str, RecordSource]]

    def mail(self) -> int:
        """Send the mails whose time has come; answers how many came to their end."""
        channel = mail_channel(self.channels())
        return self._all(EMAIL, channel.deadline_seconds if channel else 0.0, self._mail)

    def tell_crm(self) -> int:
        """Send the notices for the CRMs whose time has come; answers how many came to their end."""
        longest = max((source.deadline_seconds for source in self.sources().values()), default=0.0)
        return self._all(CRM, longest, self._tell)

    def _all(self, way: str, deadline_seconds: float, send: Callable[[NoticeRow, Session | None], Outcome]) -> int:
        done, stumbled = 0, set[str]()
        for key, place in self._due(way, deadline_seconds):
            if place in stumbled:
                continue  # one that cannot be reached keeps the others of this round waiting once, not once each
            outcome = self._one(key, send)
            if outcome is not None and outcome.retry:
                stumbled.add(place)
            done += outcome is not None and not outcome.retry
        return done

    def _due(self, way: str, deadline_seconds: float) -> Sequence[tuple[str, str]]:
        """Keys of the notices whose time has come, each with the place that it goes through."""
        now = self.clock.now()
        cut_off = now - timedelta(seconds=deadline_seconds) - MARGIN
        with self.store.read() as conn:
            stuck = notices.stuck(conn, way, cut_off)
        if stuck:
            with self.store.write() as conn:
                notices.take_back(conn, way, cut_off, CUT_OFF, now)
        with self.store.read() as conn:
            return [(row.key, row.address if way == CRM else way) for row in notices.due(conn, way, now)]

    def _one(self, key: str, send: Callable[[NoticeRow, Session | None], Outcome]) -> Outcome | None:
        now = self.clock.now()
        with self.store.write() as conn:
            row = notices.claim(conn, key, now)
            session = sessions.get(conn, row.data["session_id"]) if row and "session_id" in row.data else None
            late = _late(row, session, now) if row else ""
            if late:
                notices.finish(conn, key, LATE, late, now)
        if row is None or late:
            return None
        outcome = _judged(lambda: send(row, session), by_mail=row.way == EMAIL)
        self._keep(row, outcome)
        return outcome

    def _keep(self, row: NoticeRow, outcome: Outcome) -> None:
        now = self.clock.now()
        with self.store.write() as conn:
            if outcome.retry:
                notices.again(conn, row.key, outcome.reason, now + delay(row.tries, outcome))
            elif notices.finish(conn, row.key, _STATES[outcome.kind], outcome.reason, now) and outcome.kind is OutcomeKind.SENT:
                _note(conn, row, now)

    # --- the two ways -----------------------------------------------------------------------------------------------------

    def _mail(self, row: NoticeRow, session: Session | None) -> Outcome:
        channel = mail_channel(self.channels())
        if channel is None or channel.missing():
            return Outcome.failed(channel.missing() if channel else NO_CHANNEL, retry=True)
        if session is not None and not row.text:
            person = self._person(session)
            if person is None or not person.email:
                return Outcome.refused(NO_ADDRESS)
            said = self._words(session, person)
            row = self._fill(row, person.email, said.title, words.mail_text(said, self._link(session)))
        code, kind = (session.code or "", session.session_type) if session else ("", "")
        address = channel.check(row.address)
        return channel.send(Message(row.key, address, row.text, code, kind, "", subject=row.subject, created_at=row.created_at))

    def _tell(self, row: NoticeRow, session: Session | None) -> Outcome:
        source = self.sources().get(row.address)
        if source is None or session is None:
            return Outcome.failed(say("The record source '{source}' is not there.", source=row.address), retry=True)
        if not row.text:
            said = self._words(session, self._person(session))
            row = self._fill(row, row.address, said.title, said.text)
        source.notify(Notice(session.record, row.subject, row.text, self._link(session), tuple(row.data["supporter_ids"])))
        return Outcome.sent()

    def _person(self, session: Session) -> SupporterInfo | None:
        source = self.sources().get(session.record.source or "")
        try:
            return source.find_supporter(session.opened_by) if source else None
        except (AnswerLost, PluginError) as error:
            raise ProviderUnreachable(error.message) from error  # only a question failed; nothing has been sent

    def _words(self, session: Session, person: SupporterInfo | None) -> words.Words:
        catalogue = self.catalogue()
        supported = catalogue.object(session.record.object, session.record.source)
        label = supported.label if supported else session.record.object
        language = (person and person.language) or catalogue.host.default_language
        return words.joined(language, code=session.code or "", label=label, name=session.record_name)

    def _link(self, session: Session) -> str:
        return f"{self.catalogue().host.public_url}/join/{session.id}"

    def _fill(self, row: NoticeRow, address: str, subject: str, text: str) -> NoticeRow:
        with self.store.write() as conn:
            notices.fill(conn, row.key, address, subject, text)
        return replace(row, address=address, subject=subject, text=text)


def mail_channel(channels: Mapping[str, ShareChannel]) -> ShareChannel | None:
    """The channel that mails go through: ``email``, else the first one that sends to e-mail addresses."""
    by_mail = [channel for _, channel in sorted(channels.items()) if channel.address_kind == "email"]
    return channels.get("email") or (by_mail[0] if by_mail else None)


def delay(tries: int, outcome: Outcome) -> timedelta:
    """How long to wait before the next try: what was asked for, else twice as long each time; spread, so that many do not come at once."""
    if outcome.retry_after_seconds:
        return timedelta(seconds=min(outcome.retry_after_seconds, LONGEST_DELAY_SECONDS))
    longest = min(FIRST_DELAY_SECONDS * 2 ** min(tries - 1, 20), LONGEST_DELAY_SECONDS)
    return timedelta(seconds=random.uniform(longest / 2, longest))


def _late(row: NoticeRow, session: Session | None, now: datetime) -> str:
    if session is not None and not session.valid_at(now):
        return OVER
    return TOO_LATE if "until" in row.data and now >= datetime.fromisoformat(row.data["until"]) else ""


def _note(conn: sa.Connection, row: NoticeRow, now: datetime) -> None:
    if "alert_id" in row.data:
        alerts.mailed(conn, row.data["alert_id"], now)


def _judged(send: Callable[[], Outcome], *, by_mail: bool) -> Outcome:
    """What became of one try, whatever was raised."""
    try:
        return send()
    except (ProviderRefused, RecipientInvalid, NotFound) as error:
        return Outcome.refused(error.message)
    except PluginQuarantined as error:
        return Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds)
    except (AnswerLost, PluginError) as error:
        return Outcome.unknown(error.message) if by_mail else Outcome.failed(error.message, retry=True)
    except ProviderError as error:
        return Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds)
    except JumpseatError as error:
        return Outcome.failed(error.message, retry=False)
