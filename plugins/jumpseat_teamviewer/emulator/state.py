"""The emulated account: users, groups, tokens, sessions, connections. Everything in memory, everything under one lock."""

from __future__ import annotations

import secrets
import string
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from jumpseat_teamviewer.emulator.knobs import Knobs
from jumpseat_teamviewer.emulator.model import (
    ALL_SCOPES,
    ApiError,
    Case,
    EmulatorClock,
    Group,
    Machine,
    Report,
    SmsInvite,
    Token,
    User,
    invalid,
)

ADMIN, COLLEAGUE = "u70412233", "u70412299"
COMPANY = "Exemple SARL"
_LETTERS = string.ascii_letters + string.digits


class State:
    """All that the emulator knows. Public methods lock; a group of steps takes ``with state.lock``.

    Args:
        token: text of the script token of the first user; made up when left out.
    """

    def __init__(self, token: str | None = None) -> None:
        self.lock = threading.RLock()
        self.clock = EmulatorClock()
        self.knobs = Knobs()
        self.base = ""
        """Address of the emulator, without a slash at its end; known once it serves."""
        self.users = {
            ADMIN: User(ADMIN, "Nadia Ferrand", "nadia@support.example", "fr", admin=True),
            COLLEAGUE: User(COLLEAGUE, "Sam Okoro", "sam@support.example"),
        }
        self.groups = {
            "g240118877": Group("g240118877", "CRM support", ADMIN),
            "g240118900": Group("g240118900", "Field service", COLLEAGUE, {ADMIN: "read"}),
        }
        self.machines = _machines(self.clock.now())
        self.tokens: dict[str, Token] = {}
        self.cases: dict[str, Case] = {}
        self.reports: list[Report] = []
        self.sms: list[SmsInvite] = []
        self.calls: list[str] = []
        """Names of the functions called, in order; for counting."""
        self.running: dict[str, Report] = {}
        """Connections under way, by digits of the session."""
        self.report_changes = 0
        """Grows with every change of ``reports``, so that what was sorted once need not be sorted again."""
        self._windows: dict[tuple[str, str], deque[datetime]] = {}
        self.token = self.issue(ADMIN, text=token).text
        self.company_token = self.issue(ADMIN, company=True).text

    # --- tokens and limits ---

    def issue(
        self,
        user_id: str,
        *,
        company: bool = False,
        scopes: frozenset[str] = ALL_SCOPES,
        text: str | None = None,
        expires_at: datetime | None = None,
        refresh: str | None = None,
    ) -> Token:
        """Make an access token."""
        with self.lock:
            token = Token(text or new_token(), user_id, company, scopes, expires_at, refresh)
            self.tokens[token.text] = token
            return token

    def usable_token(self, text: str | None) -> Token:
        """The token of a call.

        Raises:
            ApiError: 401, as the case is.
        """
        bearer = {"WWW-Authenticate": "Bearer"}
        if not text:
            raise ApiError(401, "", "", headers=bearer)
        token = self.tokens.get(text)
        if token is None or token.revoked:
            raise ApiError(401, "invalid_token", "The access token is not valid.", headers=bearer)
        if token.expires_at is not None and self.clock.now() >= token.expires_at:
            raise ApiError(401, "token_expired", "The access token has expired.", headers=bearer)
        return token

    def spend(self, token: Token, function: str) -> None:
        """Count a call against the limits and against ``expire_token_after``.

        Raises:
            ApiError: the limit is reached, or the token has just ended.
        """
        with self.lock:
            self._count(token, function)
            left = self.knobs.expire_token_after
            if left is None:
                return
            self.knobs.expire_token_after = left - 1 if left > 0 else None
            if left == 0:
                token.expires_at = self.clock.now()
                self.usable_token(token.text)

    def _count(self, token: Token, function: str) -> None:
        knobs, now = self.knobs, self.clock.now()
        if knobs.rate_limit is None:
            return
        window = self._windows.setdefault((token.text, function), deque())
        span = timedelta(seconds=knobs.rate_window_seconds)
        while window and window[0] <= now - span:
            window.popleft()
        if len(window) >= knobs.rate_limit:
            wait = str(max(1, round((window[0] + span - now).total_seconds()))) if window else "60"
            headers = {"Retry-After": wait} if knobs.rate_status == 429 else {}
            raise ApiError(knobs.rate_status, "rate_limit_reached", "Too many calls to this function.", headers=headers)
        window.append(now)

    # --- sessions ---

    def add_case(self, make: Callable[[str, str], Case]) -> Case:
        """Allocate a code and a supporter secret and keep the session that ``make`` builds from them."""
        with self.lock:
            self._check_cap()
            digits = self._free_digits()
            case = self.cases[digits] = make(digits, "".join(secrets.choice(_LETTERS) for _ in range(12)))
            return case

    def case(self, code: str) -> Case | None:
        """The session of a code in any written form."""
        with self.lock:
            self._age()
            return self.cases.get(digits_of(code) or "")

    def all_cases(self) -> list[Case]:
        """Newest first, ties by code."""
        with self.lock:
            self._age()
            return sorted(self.cases.values(), key=lambda case: (-case.created_at.timestamp(), case.digits))

    def close(self, case: Case) -> None:
        """Close a session; whoever is in it leaves."""
        with self.lock:
            self._leave_both(case)
            case.closed_at = case.closed_at or self.clock.now()

    def send_sms(self, case: Case, number: str, language: int | None) -> None:
        """Note an SMS that would have been sent.

        Raises:
            ApiError: not for this type of session.
        """
        if not case.pilot and not self.knobs.sms_for_default:
            raise invalid("SMS invitations are available for Pilot sessions only.")
        with self.lock:
            self.sms.append(SmsInvite(self.clock.now(), case.code, number, self.customer_link(case), language))

    def _check_cap(self) -> None:
        cap, now = self.knobs.session_cap, self.clock.now()
        if cap is not None and sum(case.usable(now) for case in self.cases.values()) >= cap:
            raise ApiError(400, "invalid_request", "You have reached the session limit due to licence limitations.", plain=True)

    def _free_digits(self) -> str:
        while True:
            digits = str(secrets.randbelow(9) + 1) + "".join(secrets.choice(string.digits) for _ in range(self.knobs.code_digits - 1))
            if digits not in self.cases:
                return digits

    def _age(self) -> None:
        """Close what expired long enough ago, where the knob says that the provider does so."""
        hours = self.knobs.close_expired_after_hours
        if hours is None:
            return
        for case in self.cases.values():
            due = case.valid_until + timedelta(hours=hours)
            if case.closed_at is None and self.clock.now() >= due:
                self._leave_both(case)
                case.closed_at = due

    # --- who is in a session ---

    def customer_joins(self, code: str) -> bool:
        """The customer opens the link; False when the session is over."""
        with self.lock:
            case = self._known(code)
            case.online = case.usable(self.clock.now())
            return case.online

    def customer_leaves(self, code: str) -> None:
        """The customer leaves, and a connection under way ends."""
        with self.lock:
            self._leave_both(self._known(code))

    def supporter_joins(self, code: str) -> Report | None:
        """The supporter opens the link: a connection starts, or goes on; None while the customer is not there."""
        with self.lock:
            case = self._known(code)
            if not (case.online and case.usable(self.clock.now())):
                return None
            return self.running.get(case.digits) or self._connect(case)

    def supporter_leaves(self, code: str, notes: str = "") -> Report | None:
        """The supporter leaves: the connection ends and its report is complete. None when there was none."""
        with self.lock:
            return self._disconnect(self._known(code), notes)

    def _connect(self, case: Case) -> Report:
        user = self.users.get(case.assigned_user_id) or self.users[case.creator]
        device = str(secrets.randbelow(900_000_000) + 100_000_000)
        report = Report(
            id=str(uuid.uuid4()).upper(),
            user_id=user.id,
            user_name=user.name,
            device_id=device,
            device_name=f"POSTE-{device[-2:]}",
            kind=2 if case.pilot else 1,
            start=self.clock.now(),
            case=case,
        )
        self.running[case.digits] = report
        self.reports.append(report)
        self.report_changes += 1
        return report

    def add_reports(self, reports: Iterable[Report]) -> None:
        """Add connections of the past."""
        with self.lock:
            self.reports.extend(reports)
            self.report_changes += 1

    def _leave_both(self, case: Case) -> None:
        self._disconnect(case)
        case.online = False

    def _disconnect(self, case: Case, notes: str = "") -> Report | None:
        report = self.running.pop(case.digits, None)
        if report is not None:
            self.report_changes += 1
            report.end, report.notes = self.clock.now(), notes or report.notes
        return report

    def _known(self, code: str) -> Case:
        case = self.case(code)
        if case is None:
            raise KeyError(f"The emulator has no session {code}.")
        return case

    # --- links ---

    def customer_link(self, case: Case) -> str:
        """The link for the customer; Pilot has a shape of its own."""
        if self.knobs.link_base == "live":
            return f"https://getpilot.teamviewer.com/s{case.digits}" if case.pilot else f"https://get.teamviewer.com/v15/s{case.digits}"
        base = self.knobs.link_base.rstrip("/") or self.base
        return f"{base}/s{case.digits}" if case.pilot else f"{base}/v15/s{case.digits}"

    def supporter_link(self, case: Case) -> str:
        """The same with the secret behind it."""
        return f"{self.customer_link(case)}-{case.secret}"

    def overview(self) -> dict[str, Any]:
        """Everything that may be shown: no token and no supporter secret."""
        with self.lock:
            cases = [_shown(case) | {"code": case.code, "customer_link": self.customer_link(case)} for case in self.all_cases()]
            reports = [_shown(report) | {"session_code": report.case.code if report.case else None} for report in self.reports]
            return {
                "now": self.clock.now().isoformat(),
                "sessions": cases,
                "connections": reports,
                "sms": [_shown(sms) for sms in self.sms],
                "knobs": self.knobs.as_dict(),
            }


def digits_of(code: str) -> str | None:
    """The digits of a session code in any written form; None when it is none."""
    bare = code.lower().replace("-", "").replace(" ", "").removeprefix("s")
    return bare if bare.isascii() and bare.isdigit() else None


def new_token() -> str:
    """A token that looks like the provider's: digits, a dash, twenty letters and digits."""
    return f"{secrets.randbelow(90000) + 10000}-{''.join(secrets.choice(_LETTERS) for _ in range(20))}"


def _shown(value: Any) -> dict[str, Any]:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError("only remembered things can be shown")
    plain = {k: v for k, v in asdict(value).items() if k not in {"secret", "case"}}
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in plain.items()}


def _machines(now: datetime) -> list[Machine]:
    seen = now - timedelta(days=3)
    return [
        Machine("d98001234", "410220333", ADMIN, "Accueil 2", "g240118877", online=True),
        Machine("d98001299", "410220777", ADMIN, "Atelier", "g240118877", online=False, last_seen=seen),
        Machine("d98001310", "410220912", ADMIN, "Borne partagée", "g240118877", online=True, assigned=False),
        Machine("d98002001", "410221200", COLLEAGUE, "Front desk", "g240118900", online=True),
    ]
