"""What the tests of notices share: a store with sessions, a CRM and a mail channel that fail as they are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from jumpseat import Message, Notice, RecordRef, SupporterInfo
from jumpseat.catalogue.model import Catalogue, HostSettings, SessionSettings, SupportedObject
from jumpseat.notices.alerts import Alerts
from jumpseat.notices.joined import JoinNotices
from jumpseat.notices.telling import Telling
from jumpseat.store import Store, events, notices, sessions, shares
from jumpseat.store.columns import new_id
from jumpseat.store.notices import NoticeRow
from jumpseat.store.schema import notices as table
from jumpseat.store.sessions import Details
from jumpseat.testing import RecordingChannel, RecordingSource
from jumpseat.types import Outcome, OutcomeKind, Session, SessionState

CASE = RecordRef("Case", "500000000000001", "crm")
ANN = SupporterInfo("u1", "Ann Martin", "ann@support.example", "fr")
MAILS = Catalogue("v1", host=HostSettings(company="Exemple SARL", administrators=("root@example.test", "admin@example.test")))
OBJECTS = (SupportedObject("Case", "Case", "CaseNumber", "t", False, source="crm"),)


class MailChannel(RecordingChannel):
    """Remembers every try, also those that fail: ``plan`` says how the next ones go."""

    name, label, honours_key = "email", "E-mail", False

    def __init__(self) -> None:
        super().__init__()
        self.plan: list[Outcome | Exception] = []
        self.tries: list[Message] = []
        self.unset = ""

    def missing(self) -> str:
        return self.unset

    def send(self, message: Message) -> Outcome:
        self.tries.append(message)
        planned = self.plan.pop(0) if self.plan else Outcome.sent("1")
        if isinstance(planned, Exception):
            raise planned
        if planned.kind is OutcomeKind.SENT:
            self.sent.append(message)
        return planned


class Crm(RecordingSource):
    """Knows its users, and fails as planned."""

    def __init__(self) -> None:
        super().__init__()
        self.source = "crm"
        self.users = {ANN.id: ANN}
        self.plan: list[Exception] = []
        self.plan_users: list[Exception] = []
        self.visible: dict[str, bool | Exception | None] = {}
        self.asked: list[str] = []

    def find_supporter(self, id: str) -> SupporterInfo | None:
        if self.plan_users:
            raise self.plan_users.pop(0)
        return self.users.get(id)

    def notify(self, notice: Notice) -> None:
        if self.plan:
            raise self.plan.pop(0)
        super().notify(notice)

    def visible_to(self, ref: RecordRef, supporter: Any) -> bool | None:
        self.asked.append(supporter.id)
        answer = self.visible.get(supporter.id)
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Desk:
    """One host's notices, without the host."""

    store: Store
    clock: Any
    settings: SessionSettings = field(default_factory=SessionSettings)
    catalogue: Catalogue = field(default_factory=lambda: Catalogue("v1", objects=OBJECTS, host=MAILS.host))
    crm: Crm = field(default_factory=Crm)
    mail: MailChannel = field(default_factory=MailChannel)
    channels: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.channels = {"email": self.mail}
        self.joined = self.follower(self.store)
        self.telling = self.teller(self.store)
        self.alerts = Alerts(self.store, self.clock, lambda: self.catalogue.host)

    def follower(self, store: Store) -> JoinNotices:
        return JoinNotices(store, self.clock, lambda: self.settings, lambda: {"crm": self.crm})

    def teller(self, store: Store) -> Telling:
        return Telling(store, self.clock, lambda: self.catalogue, lambda: self.channels, lambda: {"crm": self.crm})

    def session(self, by: str = "u1", ref: RecordRef = CASE) -> Session:
        """An open session, valid for a day."""
        now = self.clock.now()
        until = now + timedelta(hours=24)
        session = Session(new_id("s"), ref, "00001026", "remote_control", SessionState.RESERVED, by, now, until, new_id("c"))
        with self.store.write() as conn:
            sessions.insert(conn, Details(session, "Case", "Ann Martin", "en", None, None, None, None))
            opened = {"code": "s123", "customer_link": "https://get.test/s123", "provider_data": {}}
            assert sessions.change(conn, session.id, expected=SessionState.RESERVED, state=SessionState.OPEN.value, **opened)
            found = sessions.get(conn, session.id)
        assert found is not None
        return found

    def share(self, session: Session, by: str = "u1", outcome: Outcome | None = None) -> None:
        """Share a session; without an outcome the gateway has not answered yet."""
        with self.store.write() as conn:
            share = shares.add(
                conn,
                session_id=session.id,
                channel="email",
                address="zoe@example.test",
                recipient_name="Zoe",
                contact_id=None,
                template="default",
                language="fr",
                subject="",
                text="Bonjour",
                html=None,
                shared_by=by,
                now=self.clock.now(),
            )
            assert shares.claim(conn, share.id, self.clock.now())
            if outcome is not None:
                shares.finish(conn, share.id, outcome, self.clock.now())

    def happen(self, session: Session, kind: str = events.CUSTOMER_JOINED) -> None:
        with self.store.write() as conn:
            events.add(conn, kind, session, self.clock.now())

    def join(self, by: str = "u1") -> Session:
        """A session whose customer joins."""
        session = self.session(by)
        self.happen(session)
        return session

    def close(self, session: Session) -> None:
        with self.store.write() as conn:
            assert sessions.change(conn, session.id, expected=SessionState.OPEN, state=SessionState.CLOSED.value)

    def rows(self) -> list[NoticeRow]:
        with self.store.read() as conn:
            keys = conn.execute(table.select().with_only_columns(table.c.key).order_by(table.c.key)).scalars().all()
            return [row for key in keys if (row := notices.get(conn, key))]

    def states(self) -> list[tuple[str, str, str]]:
        """Way, state and reason of each notice."""
        return [(row.way, row.state, row.reason) for row in self.rows()]

    def round(self) -> None:
        """One round of all three sweeps."""
        self.joined.follow()
        self.telling.tell_crm()
        self.telling.mail()


def refused(reason: str) -> Outcome:
    return Outcome(OutcomeKind.REFUSED, reason=reason)


MakeDesk = Callable[..., Desk]
