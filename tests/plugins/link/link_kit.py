"""A stand-in for a BigBlueButton server, written from its API reference (2.5 to 3.0): signed GETs, XML, people who come and go."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.sax.saxutils import escape

Make = Callable[..., Any]
"""``make(Room, room_url=…)``: a kind with these settings."""
SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"
ROOT = "/bigbluebutton"


@dataclass
class Meeting:
    given: dict[str, str]
    created: int
    people: list[tuple[str, str]] = field(default_factory=list)
    """Name and role of whoever is in it."""
    ended: int = 0


class Bbb:
    """The server's state, and what goes wrong on demand.

    Attributes:
        body: answered to every call instead of what it would be.
        status: with which status everything is answered.
        calls: what was asked, in its order.
    """

    def __init__(self) -> None:
        self.url = ""
        self.meetings: dict[str, Meeting] = {}
        self.body: bytes | None = None
        self.status = 200
        self.calls: list[str] = []
        self.now = 1_772_442_000_000
        self.waiting: dict[str, tuple[Meeting, str, str]] = {}

    def __call__(self, address: str) -> tuple[int, bytes, str]:
        """Status, body, and where it redirects to."""
        parts = urlsplit(address)
        call = parts.path.rpartition("/")[2]
        if parts.path == "/html5client/join":  # the page that a browser loads: only with it somebody is there
            meeting, name, role = self.waiting.pop(dict(parse_qsl(parts.query))["sessionToken"])
            meeting.people.append((name, role))
            return 200, b"<html>in the meeting</html>", ""
        self.calls.append(call)
        if self.body is not None or self.status != 200:
            return self.status, self.body or b"", ""
        if not parts.path.startswith(f"{ROOT}/api/"):
            return 404, b"<html>nothing here</html>", ""
        query, _, checksum = parts.query.rpartition("checksum=")
        query = query.removesuffix("&")
        if checksum not in {algorithm(f"{call}{query}{SECRET}".encode()).hexdigest() for algorithm in (hashlib.sha1, hashlib.sha256)}:
            return _failed("checksumError", "Checksums do not match")
        return getattr(self, f"_{call}")(dict(parse_qsl(query, keep_blank_values=True)))

    # --- calls ---

    def _create(self, given: dict[str, str]) -> tuple[int, bytes, str]:
        id, name = given.get("meetingID", ""), given.get("name", "")
        if not 2 <= len(id) <= 256 or "," in id or not 2 <= len(name) <= 64:
            return _failed("validationError", "name and meetingID are required, with 2 to 64 and 2 to 256 characters")
        there = self.meetings.get(id)
        if there is not None and there.ended:
            return _failed("idNotUnique", "A meeting already exists with that meeting ID. Please use a different meeting ID.")
        if there is None:
            self.now += 1
            there = self.meetings[id] = Meeting(given, self.now)
        return _ok({"meetingID": id, "createTime": there.created, "duration": given.get("duration", 0), "hasBeenForciblyEnded": "false"})

    def _join(self, given: dict[str, str]) -> tuple[int, bytes, str]:
        meeting = self.meetings.get(given.get("meetingID", ""))
        if meeting is None or meeting.ended:
            return _failed("invalidMeetingIdentifier", "The meeting ID that you supplied did not match any existing meetings")
        if given.get("createTime") not in (None, str(meeting.created)):
            return _failed("mismatchCreateTimeParam", "The createTime parameter submitted mismatches with the current meeting.")
        if given.get("role") not in ("MODERATOR", "VIEWER") or not given.get("fullName"):
            return _failed("missingParamRole", "You must specify a role and a full name.")
        token = f"t{len(self.calls)}"
        self.waiting[token] = (meeting, given["fullName"], given["role"])
        return 302, b"", f"{self.url}/html5client/join?{urlencode({'sessionToken': token})}"

    def _end(self, given: dict[str, str]) -> tuple[int, bytes, str]:
        meeting = self.meetings.get(given.get("meetingID", ""))
        if meeting is None:
            return _failed("notFound", "We could not find a meeting with that meeting ID")
        self.now += 1
        meeting.ended, meeting.people = self.now, []
        return _ok({"messageKey": "sentEndMeetingRequest", "message": "A request to end the meeting was sent."})

    def _getMeetings(self, given: dict[str, str]) -> tuple[int, bytes, str]:  # the API's own name
        if not self.meetings:
            return _ok({"messageKey": "noMeetings", "message": "no meetings were found on this server"}, "<meetings/>")
        found = "".join(f"<meeting>{_told(id, meeting)}</meeting>" for id, meeting in self.meetings.items())
        return _ok({}, f"<meetings>{found}</meetings>")

    # --- what happens by itself ---

    def left(self, id: str) -> None:
        """Everybody leaves; one that is never to end without people goes on."""
        self.meetings[id].people.clear()
        if self.meetings[id].given.get("meetingExpireWhenLastUserLeftInMinutes") != "0":
            del self.meetings[id]

    def passed(self, minutes: int) -> None:
        """So much time passes: meetings that are as long as they may be, or to which nobody came, are gone."""
        for id, meeting in list(self.meetings.items()):
            longest = int(meeting.given.get("duration", 0)) or minutes + 1
            alone = int(meeting.given.get("meetingExpireIfNoUserJoinedInMinutes", 5))
            if minutes >= longest or (not meeting.people and minutes >= alone):
                del self.meetings[id]

    @contextmanager
    def serve(self) -> Iterator[Bbb]:
        """Serve on loopback until the block is left."""
        answer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body, location = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                if location:
                    self.send_header("Location", location)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _told(id: str, meeting: Meeting) -> str:
    moderators = sum(role == "MODERATOR" for _, role in meeting.people)
    metadata = {name.removeprefix("meta_"): value for name, value in meeting.given.items() if name.startswith("meta_")}
    people = "".join(f"<attendee>{_tags({'fullName': name, 'role': role})}</attendee>" for name, role in meeting.people)
    return (
        _tags({"meetingName": meeting.given["name"], "meetingID": id, "createTime": meeting.created})
        + _tags({"createDate": datetime.fromtimestamp(meeting.created / 1000).isoformat(), "running": str(bool(meeting.people)).lower()})
        + _tags({"hasBeenForciblyEnded": str(bool(meeting.ended)).lower(), "endTime": meeting.ended})
        + _tags({"participantCount": len(meeting.people), "moderatorCount": moderators})
        + f"<attendees>{people}</attendees><metadata>{_tags(metadata)}</metadata>"
    )


def _tags(values: dict[str, Any]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())


def _ok(values: dict[str, Any], more: str = "") -> tuple[int, bytes, str]:
    return 200, f"<response><returncode>SUCCESS</returncode>{_tags(values)}{more}</response>".encode(), ""


def _failed(key: str, message: str) -> tuple[int, bytes, str]:
    return 200, f"<response><returncode>FAILED</returncode>{_tags({'messageKey': key, 'message': message})}</response>".encode(), ""
