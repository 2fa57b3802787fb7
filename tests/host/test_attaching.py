"""A picture for a record: by whom, of which kind, what its session says of it, and what happens where the CRM takes none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from jumpseat import Attachment, Host, Level, ProviderUnreachable, Record, RecordRef, Rights, Session, Supporter
from jumpseat.errors import InvalidValue, Refused, RightMissing, SessionNotFound
from jumpseat.testing import FakeClock, RecordingPlugin, RecordingSource, a_picture, a_supporter, make_workspace

CASE = RecordRef("Case", "500000000000001")
THOMAS = a_supporter("005000000000002", "Thomas")


class Crm(RecordingSource):
    """The CRM in memory, as every test finds it: what it takes, and what it was given."""

    name = "recording"
    takes: Mapping[str, bool]
    fails: Exception | None
    given: list[tuple[str, Any]]

    @property
    def can_attach(self) -> bool:  # type: ignore[override]  # so that each test decides
        return Crm.takes["pictures"]

    @property
    def can_post_note(self) -> bool:  # type: ignore[override]  # as above
        return Crm.takes["notes"]

    def attach(self, record: Record, attachment: Attachment, text: str) -> None:
        if Crm.fails:
            raise Crm.fails
        Crm.given.append(("picture", (record.ref.id, attachment, text, record.acting_for and record.acting_for.id)))

    def post_note(self, record: Record, text: str) -> None:
        Crm.given.append(("note", (record.ref.id, text, record.acting_for and record.acting_for.id)))


class Plugin(RecordingPlugin):
    def register_record_sources(self) -> list[type[RecordingSource]]:
        return [Crm]

    register_record_sources.jumpseat_impl = RecordingPlugin.register_record_sources.jumpseat_impl  # type: ignore[attr-defined]


@pytest.fixture
def takes() -> dict[str, bool]:
    """What the CRM takes; by itself everything."""
    return {}


@pytest.fixture
def of_object() -> str:
    """What else stands in the object's file."""
    return ""


@pytest.fixture
def host(tmp_path: Path, sqlite_template: Path, takes: dict[str, bool], of_object: str) -> Iterator[Host]:
    Crm.takes, Crm.fails, Crm.given = {"pictures": True, "notes": True, **takes}, None, []
    folder = make_workspace(tmp_path / "workspace")
    with (folder / "metadata" / "objects" / "case.yaml").open("a") as file:
        file.write(of_object)
    (folder / "var").mkdir(exist_ok=True)
    shutil.copy(sqlite_template, folder / "var" / "jumpseat.db")
    with Host.open(folder, discover=False, plugins=[("recording", Plugin())], clock=FakeClock()) as opened:
        yield opened


@pytest.fixture
def session(host: Host) -> Session:
    return host.open_session(CASE, "recording", host.operator())


def timeline(host: Host, session: Session) -> list[str]:
    return [entry.text for entry in host.timeline(session.id, host.operator()) if entry.kind == "note"]


def test_a_picture_is_kept_with_the_record_in_the_name_of_whoever_attaches_it(host: Host, session: Session) -> None:
    attached = host.attach(session.id, a_picture(), "The dialog that is in the way.", THOMAS)

    assert attached
    assert Crm.given == [("picture", (CASE.id, a_picture(), "The dialog that is in the way.", THOMAS.id))]
    assert timeline(host, session) == ["The picture 'screen.png' was attached to the record."]


def test_a_session_that_is_over_has_its_record_still(host: Host, session: Session) -> None:
    host.close_session(session.id, host.operator())

    assert host.attach(session.id, replace(a_picture(b"\xff\xd8\xff\xe0 of a door"), media_type="image/jpeg"), "", THOMAS)


@pytest.mark.parametrize("takes", [{"pictures": False}])
def test_where_the_crm_takes_no_pictures_the_text_is_posted(host: Host, session: Session) -> None:
    attached = host.attach(session.id, a_picture(), "The dialog that is in the way.", THOMAS)

    assert not attached
    assert Crm.given == [("note", (CASE.id, "The dialog that is in the way.", THOMAS.id))]
    assert timeline(host, session) == ["A message was posted to the record's feed."]


@pytest.mark.parametrize(
    ("takes", "text", "message"),
    [
        (
            {"pictures": False},
            " ",
            "The CRM of this record takes no pictures from here. Keep the picture, or write a text for the record's feed.",
        ),
        (
            {"pictures": False, "notes": False},
            "The dialog",
            "The record takes neither pictures nor messages from here. Keep the picture, and add it in the CRM.",
        ),
    ],
)
def test_what_the_crm_does_not_take_is_refused(host: Host, session: Session, text: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        host.attach(session.id, a_picture(), text, THOMAS)

    assert refused.value.message == message
    assert (Crm.given, timeline(host, session)) == ([], [])


@pytest.mark.parametrize("of_object", ["chat_message: false\n"])
def test_an_object_whose_feed_is_left_alone_takes_no_pictures_either(host: Host, session: Session) -> None:
    with pytest.raises(Refused):
        host.attach(session.id, a_picture(), "The dialog", THOMAS)


@pytest.mark.parametrize(
    ("picture", "param"),
    [
        (Attachment("screen.png", "image/png", b"<svg onload=alert(1)>"), "content"),
        (Attachment("screen.png", "image/png", b"\xff\xd8\xff\xe0 a JPEG"), "content"),
        (Attachment("screen.svg", "image/svg+xml", b"\x89PNG\r\n\x1a\n"), "content"),  # type: ignore[arg-type]  # that is the point
        (Attachment("screen.png", "image/png", b""), "content"),
        (a_picture(b"\x89PNG\r\n\x1a\n" + bytes(2 * 1024 * 1024)), "content"),
        (replace(a_picture(), name=""), "name"),
        (replace(a_picture(), name=".."), "name"),
        (replace(a_picture(), name="../screen.png"), "name"),
        (replace(a_picture(), name="screen\r\n.png"), "name"),
        (replace(a_picture(), name="x" * 100 + ".png"), "name"),
    ],
)
def test_what_is_no_such_picture_is_refused(host: Host, session: Session, picture: Attachment, param: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        host.attach(session.id, picture, "The dialog", THOMAS)

    assert (refused.value.param, Crm.given) == (param, [])


def test_what_the_crm_refuses_is_told_and_not_noted_as_done(host: Host, session: Session) -> None:
    Crm.fails = ProviderUnreachable("The CRM did not answer.")

    with pytest.raises(ProviderUnreachable):
        host.attach(session.id, a_picture(), "The dialog", THOMAS)
    assert timeline(host, session) == []


def test_it_needs_the_right_to_share(host: Host, session: Session) -> None:
    reader = Supporter("005000000000003", "Ruth", rights=Rights(MappingProxyType({"session.read": Level.ALL})))

    with pytest.raises(RightMissing):
        host.attach(session.id, a_picture(), "The dialog", reader)


def test_a_session_of_somebody_else_looks_like_none(host: Host, session: Session) -> None:
    other = Supporter("005000000000003", "Ruth", rights=Rights(MappingProxyType({"share.send": Level.OWN})))

    with pytest.raises(SessionNotFound):
        host.attach(session.id, a_picture(), "The dialog", other)
