"""The story of a case, told over HTTP as a CRM would: resolve, open, share, the customer joins, the supporter joins, close, history."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from jumpseat_sandbox.outbox import Sent
from jumpseat_sandbox.stage import Stage

CASE = "500A000000D34xy"
SUPPORTER = "005A000000Jmu02IAB"
WAIT_SECONDS = 30.0


class StoryFailed(Exception):
    """A step did not end as it should; the message says what came instead."""


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in one step."""

    title: str
    lines: tuple[str, ...]


class Story:
    """Plays the steps one after the other; each is checked before the next begins.

    Args:
        stage: where it plays.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._http = requests.Session()
        self._http.headers.update({"Authorization": f"Bearer {stage.key}", "Jumpseat-Supporter": SUPPORTER})
        self._record = f"/v1/records/Case/{CASE}"
        self._session: dict[str, Any] = {}

    def play(self) -> Iterator[Step]:
        """The steps, as they happen.

        Raises:
            StoryFailed: a step did not end as it should.
        """
        with self._http:
            for act in (self._resolve, self._open, self._share, self._customer_joins, self._supporter_joins, self._close, self._history):
                yield act()

    def _resolve(self) -> Step:
        offer = self._call("GET", f"{self._record}/offer")
        allowed = [offered["label"] for offered in offer["sessionTypes"] if offered["allowed"]]
        contacts = [
            f"{contact['name']}, {contact.get('email', 'no e-mail')}, {contact.get('mobile', 'no mobile')}" for contact in offer["contacts"]
        ]
        _expect(bool(allowed and contacts), "the case offers a session type and has a contact", offer)
        record = offer["record"]
        return Step("Resolve", (f"{record['label']} {record['name']}: {', '.join(allowed)} possible", *contacts))

    def _open(self) -> Step:
        self._session = self._call("POST", f"{self._record}/sessions", {"sessionType": "remote_control"}, expect=201)
        again = self._http.post(self._stage.api + f"{self._record}/sessions", json={"sessionType": "remote_control"}, timeout=30)
        _expect(again.status_code == 409 and again.json()["code"] == "JS-SESSION-VALID", "a second session is refused", again.text)
        return Step(
            "Open",
            (
                f"session {self._session['code']}, valid until {self._session['validUntil']}",
                f"customer link {self._session['customerLink']}",
                f"opening it again is refused: {again.json()['detail']}",
            ),
        )

    def _share(self) -> Step:
        shares = {"shares": [{"channel": "email"}, {"channel": "sms"}]}
        queued = self._call("POST", f"{self._path}/shares", shares, expect=201)["items"]
        done = self._until("both shares are sent", lambda: self._finished(len(queued)))
        lines = [f"{share['channel']:<6} to {share['address']}: {share['state']}" for share in done]
        _expect(all(share["state"] == "sent" for share in done), "both shares are sent", done)
        mail = next(sent for sent in self._stage.sent() if sent.channel == "email")
        text = next(sent for sent in self._stage.sent() if sent.channel == "sms")
        return Step("Share", (*lines, f"the mail: {mail.subject}", f"the text: {text.text}"))

    def _finished(self, number: int) -> list[dict[str, Any]]:
        shares: list[dict[str, Any]] = self._call("GET", f"{self._path}/shares")["items"]
        over = [share for share in shares if share["state"] not in ("queued", "sending")]
        return over if len(over) == number else []

    def _customer_joins(self) -> Step:
        link = _link_in(self._stage.sent()[0])
        _expect(link == self._session["customerLink"], "the mail holds the customer link", link)
        page = requests.get(link, timeout=30)
        _expect(page.ok, "the customer's page opens", page.status_code)
        self._until("the host is told that the customer is online", lambda: self._call("GET", self._path)["online"])
        return Step("The customer joins", ("opened the link from the mail", "the session says: online"))

    def _supporter_joins(self) -> Step:
        support_link = self._call("GET", self._path)["supportLink"]
        led = self._http.get(support_link, allow_redirects=False, timeout=30)
        _expect(led.status_code == 303, "the support link of the lists leads to the provider", f"{led.status_code} {led.text[:500]}")
        link = self._call("POST", f"{self._path}/join")["supporterLink"]
        page = requests.get(link, timeout=30)
        _expect(page.ok and link != self._session["customerLink"], "the supporter's page opens", page.status_code)
        shown = str(self._call("GET", self._path))
        _expect(link not in shown, "the supporter link is nowhere but in the answer to this click", "it is in the session's details")
        return Step("The supporter joins", ("with a link made for this click, which is stored nowhere",))

    def _close(self) -> Step:
        closed = self._call("POST", f"{self._path}/close")
        _expect(closed["state"] == "closed", "the session is closed", closed)
        actions = self._call("GET", f"{self._record}/actions")
        _expect(actions["newAllowed"] and not actions["joinAllowed"], "the record is free again", actions)
        return Step("Close", ("the case is free for its next session",))

    def _history(self) -> Step:
        rows = self._call("GET", f"{self._record}/sessions")["items"]
        timeline = self._call("GET", self._path)["timeline"]
        _expect(bool(rows) and rows[0]["sessionId"] == self._session["sessionId"], "the session stands in the record's history", rows)
        return Step("History", tuple(f"{entry['at']}  {entry['text']}" for entry in timeline))

    @property
    def _path(self) -> str:
        return f"/v1/sessions/{self._session['sessionId']}"

    def _call(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> Any:
        answer = self._http.request(method, self._stage.api + path, json=body, timeout=60)
        _expect(answer.status_code == expect, f"{method} {path} answers {expect}", f"{answer.status_code} {answer.text[:500]}")
        return answer.json()

    def _until(self, what: str, look: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := look()):
            if time.monotonic() > deadline:
                raise StoryFailed(f"Expected that {what}; it did not happen within {WAIT_SECONDS:g} s.")
            time.sleep(0.1)
        return found


def _link_in(mail: Sent) -> str:
    found = re.search(r"https?://[^\s<>\"]+", mail.text)
    return found.group().rstrip(".") if found else ""


def _expect(holds: bool, what: str, instead: object) -> None:
    if not holds:
        raise StoryFailed(f"Expected that {what}; instead: {str(instead)[:1000]}")
