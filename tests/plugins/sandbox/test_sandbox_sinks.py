"""The outbox takes what real clients send over real SMTP and HTTP, and keeps it readable."""

from __future__ import annotations

import smtplib
import socket
from email.message import EmailMessage

import pytest
import requests

from jumpseat_sandbox.sinks import Sinks, read_outbox


@pytest.fixture
def sinks(tmp_path):
    with Sinks.start(tmp_path / "outbox") as running:
        yield running


def mail(text="Bonjour\n.\n.fin\n", **headers):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "support@jumpseat.example", "camille@lumiere.example", "Été : votre session"
    message["Message-ID"] = "<1@jumpseat.example>"
    message.set_content(text)
    return message


def dialogue(port, *lines):
    """The answer codes to raw lines, greeting first."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        file = connection.makefile("rwb")
        codes = [file.readline()[:3].decode()]
        for line in lines:
            file.write(line)
            file.flush()
            answer = file.readline()
            while answer[3:4] == b"-":
                answer = file.readline()
            codes.append(answer[:3].decode())
        return codes


# --- mail -------------------------------------------------------------------------------------------------------------


def test_a_mail_is_kept_as_it_was_sent(sinks):
    message = mail()
    message.add_alternative("<p>Bonjour</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", sinks.smtp_port, timeout=60) as smtp:
        smtp.send_message(message)

    [sent] = read_outbox(sinks.folder)
    assert (sent.channel, sent.sender, sent.to, sent.subject) == (
        "email",
        "support@jumpseat.example",
        "camille@lumiere.example",
        "Été : votre session",
    )
    assert (sent.text, sent.html, sent.key) == ("Bonjour\n.\n.fin", "<p>Bonjour</p>", "<1@jumpseat.example>")
    assert (sinks.folder / f"{sent.reference}.eml").read_bytes().startswith(b"From: support@jumpseat.example\r\n")


def test_two_recipients_of_one_envelope_are_two_messages(sinks):
    with smtplib.SMTP("127.0.0.1", sinks.smtp_port, timeout=60) as smtp:
        smtp.sendmail("a@a.example", ["b@b.example", "c@c.example"], "Subject: x\r\n\r\nx\r\n")

    assert [sent.to for sent in read_outbox(sinks.folder)] == ["b@b.example", "c@c.example"]


def test_commands_out_of_order_are_refused(sinks):
    codes = dialogue(
        sinks.smtp_port,
        b"MAIL FROM:<a@a.example>\r\n",
        b"EHLO me\r\n",
        b"RCPT TO:<b@b.example>\r\n",
        b"DATA\r\n",
        b"MAIL FROM:<a@a.example> SIZE=3\r\n",
        b"MAIL FROM:<a@a.example>\r\n",
        b"RCPT TO:b@b.example\r\n",
        b"RCPT TO:<b@b.example>\r\n",
        b"RSET\r\n",
        b"DATA\r\n",
        b"NOOP\r\n",
        b"VRFY me\r\n",
        b"TURN\r\n",
        b"HELO me\r\n",
        b"QUIT\r\n",
    )

    assert codes == ["220", "503", "250", "503", "503", "250", "503", "501", "250", "250", "503", "250", "252", "500", "250", "221"]


def test_a_mail_hidden_behind_a_bare_line_feed_is_refused(sinks):
    codes = dialogue(
        sinks.smtp_port,
        b"EHLO me\r\n",
        b"MAIL FROM:<a@a.example>\r\n",
        b"RCPT TO:<b@b.example>\r\n",
        b"DATA\r\n",
        b"Subject: x\r\n\r\nx\n.\nMAIL FROM:<evil@evil.example>\r\n.\r\n",
    )

    assert codes[-1] == "554"
    assert read_outbox(sinks.folder) == []


def test_a_mail_that_is_cut_is_not_kept(sinks):
    with socket.create_connection(("127.0.0.1", sinks.smtp_port), timeout=60) as connection:
        file = connection.makefile("rwb")
        for line in (b"EHLO me\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n", b"Subject: x\r\n\r\nhalf"):
            file.write(line)
            file.flush()
    assert dialogue(sinks.smtp_port, b"NOOP\r\n") == ["220", "250"]
    assert read_outbox(sinks.folder) == []


# --- texts ------------------------------------------------------------------------------------------------------------


def test_a_text_is_kept_once_per_key(sinks):
    body, key = {"to": "+33612345678", "text": "Votre session : 123", "sender": "Jumpseat"}, {"Idempotency-Key": "k-1"}
    answers = [requests.post(sinks.sms_url, json=body, headers=key, timeout=60) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert len({answer.json()["id"] for answer in answers}) == 1
    [sent] = read_outbox(sinks.folder)
    assert (sent.channel, sent.to, sent.text, sent.sender, sent.key) == ("sms", "+33612345678", "Votre session : 123", "Jumpseat", "k-1")
    assert (sinks.folder / f"{sent.reference}.txt").read_text() == "From: Jumpseat\nTo: +33612345678\n\nVotre session : 123\n"


def test_texts_without_a_key_are_all_kept(sinks):
    for _ in range(2):
        requests.post(sinks.sms_url, json={"to": "+33612345678", "text": "x"}, timeout=60)

    assert len(read_outbox(sinks.folder)) == 2


def test_a_key_is_remembered_over_a_restart(tmp_path):
    for _ in range(2):
        with Sinks.start(tmp_path) as sinks:
            requests.post(sinks.sms_url, json={"to": "+33612345678", "text": "x"}, headers={"Idempotency-Key": "k"}, timeout=60)

    assert len(read_outbox(tmp_path)) == 1


def test_a_key_can_be_looked_up(sinks):
    sent = requests.post(sinks.sms_url, json={"to": "+33612345678", "text": "x"}, headers={"Idempotency-Key": "a/b c"}, timeout=60).json()

    assert requests.get(f"{sinks.sms_url}/a%2Fb%20c", timeout=60).json() == sent
    assert requests.get(f"{sinks.sms_url}/other", timeout=60).status_code == 404


def test_another_message_under_a_used_key_is_refused(sinks):
    key = {"Idempotency-Key": "k-1"}
    requests.post(sinks.sms_url, json={"to": "+33612345678", "text": "one"}, headers=key, timeout=60)

    assert requests.post(sinks.sms_url, json={"to": "+33612345678", "text": "two"}, headers=key, timeout=60).status_code == 422


@pytest.mark.parametrize("body", [b"", b"[]", b'{"to": "+33612345678"}', b'{"to": 1, "text": "x"}', b"{"])
def test_a_body_that_is_no_message_is_refused(sinks, body):
    answer = requests.post(sinks.sms_url, data=body, timeout=60)

    assert (answer.status_code, answer.json()) == (400, {"error": "The body must be JSON with 'to' and 'text'."})


def test_an_outbox_that_is_not_there_is_empty(tmp_path):
    assert read_outbox(tmp_path / "none") == []


def test_a_taken_port_is_reported(sinks, tmp_path):
    with pytest.raises(OSError, match="in use"):
        Sinks.start(tmp_path / "second", sms_port=int(sinks.sms_url.split(":")[2].split("/")[0]))
