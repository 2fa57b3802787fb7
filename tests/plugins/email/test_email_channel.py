"""The channel over real connections: what a server says, and when it stops saying anything, decides the outcome."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from jumpseat import Outcome, OutcomeKind, RecipientInvalid
from jumpseat_email.channel import EmailChannel
from jumpseat_email.mail import Mail
from jumpseat_email.smtp import Server, deliver

HELLO = (b"220 mx.example", b"250 mx.example")
ENVELOPE = (*HELLO, b"250 sender ok", b"250 recipient ok")
PASSWORD = "s3same-open"


def outcome_of(channel, message):
    outcome = channel.send(message())
    return outcome.kind, outcome.retry, outcome.reason


# --- the good way -----------------------------------------------------------------------------------------------------


def test_a_mail_reaches_the_server_whole(channel, message, serve):
    recorder, port = serve()
    outcome = channel(port).send(message(text="Bonjour\n.\n..\nfin\n"))

    assert outcome.kind is OutcomeKind.SENT
    [envelope] = recorder.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("support@jumpseat.example", ["camille.durand@ateliers-lumiere.example"])
    assert f"Message-ID: {outcome.reference}".encode() in envelope.content
    assert b"\r\n.\r\n..\r\nfin\r\n" in envelope.content


def test_a_second_try_sends_the_same_bytes(channel, message, serve):
    recorder, port = serve()
    for _ in range(2):
        channel(port).send(message())

    assert recorder.envelopes[0].content == recorder.envelopes[1].content


def test_starttls_protects_the_mail_and_the_sign_in(channel, message, serve, certificate):
    recorder, port = serve(security="starttls", certificate=certificate, auth=True)
    settings = {"security": "starttls", "ca_file": str(certificate.file), "username": "jumpseat", "password": PASSWORD}

    assert channel(port, **settings).send(message()).kind is OutcomeKind.SENT
    assert (recorder.sign_ins, recorder.protected) == ([b"jumpseat"], [True])


def test_implicit_tls_protects_the_mail(channel, message, serve, certificate):
    recorder, port = serve(security="tls", certificate=certificate)

    assert channel(port, security="tls", ca_file=str(certificate.file)).send(message()).kind is OutcomeKind.SENT
    assert len(recorder.envelopes) == 1


def test_the_outbox_of_the_sandbox_is_a_mail_server_to_it(channel, message, tmp_path):
    from jumpseat_sandbox.sinks import Sinks, read_outbox

    with Sinks.start(tmp_path / "outbox") as sinks:
        outcome = channel(sinks.smtp_port).send(message(text="Bonjour\n.\nfin"))

    [sent] = read_outbox(tmp_path / "outbox")
    assert (sent.to, sent.text, sent.key) == ("camille.durand@ateliers-lumiere.example", "Bonjour\n.\nfin", outcome.reference)


# --- the settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["host", "sender"])
def test_without_a_server_or_a_sender_the_share_says_what_to_fill(channel, message, missing):
    outcome = channel(25, **{missing: ""}).send(message())

    assert (outcome.kind, outcome.reason) == (
        OutcomeKind.REFUSED,
        f"E-mail is not set up: fill '{missing}' in metadata/plugins/email.yaml.",
    )


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_from_the_security(channel, security, port):
    assert channel(None, security=security)._server().port == port


def test_the_password_is_not_in_what_is_printed(channel):
    server = channel(25, username="jumpseat", password=PASSWORD)._server()

    assert isinstance(server, Server)
    assert PASSWORD not in repr(server)


def test_a_password_does_not_travel_unprotected(channel, message):
    made = channel(25, host="mail.example.com", username="jumpseat", password=PASSWORD)

    assert outcome_of(made, message) == (
        OutcomeKind.FAILED,
        False,
        "The password for mail.example.com:25 would travel unprotected; set 'security' to starttls or tls.",
    )


def test_the_channel_checks_addresses():
    assert EmailChannel().check("A.B@Example.COM") == "A.B@example.com"
    with pytest.raises(RecipientInvalid):
        EmailChannel().check("a@pаypal.com")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"subject": "x\r\nBcc: a@b.example"}, "The subject holds a line break or a control character; take it out and share again."),
        (
            {"address": "a@b.example, c@d.example"},
            "'a@b.example, c@d.example' cannot be written to: it must be one plain address such as name@example.com, "
            "without quotes, names, commas or accents before the '@'. Correct the address.",
        ),
    ],
)
def test_an_unsafe_message_is_refused_before_a_connection_is_made(channel, message, serve, changes, reason):
    recorder, port = serve()
    outcome = channel(port).send(message(**changes))

    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, reason)
    assert recorder.recipients == []


# --- what a server answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "what"),
    [
        ("MAIL", "the sender support@jumpseat.example"),
        ("RCPT", "the recipient camille.durand@ateliers-lumiere.example"),
        ("DATA", "the mail"),
    ],
)
@pytest.mark.parametrize(
    ("answer", "kind", "retry"),
    [
        ("550 5.1.1 no such user", OutcomeKind.REFUSED, False),
        ("554 5.7.1 spam", OutcomeKind.REFUSED, False),
        ("451 4.7.1 greylisted, come back", OutcomeKind.FAILED, True),
        ("421 4.3.2 going down", OutcomeKind.FAILED, True),
    ],
)
def test_an_answer_decides_the_outcome(channel, message, serve, stage, what, answer, kind, retry):
    _, port = serve(**{stage: answer})

    assert outcome_of(channel(port), message) == (kind, retry, f"127.0.0.1:{port} does not take {what}: {answer}")


def test_a_wrong_password_is_not_tried_again(channel, message, serve, certificate):
    _, port = serve(security="starttls", certificate=certificate, auth=True)
    made = channel(port, security="starttls", ca_file=str(certificate.file), username="jumpseat", password="wrong-one")

    kind, retry, reason = outcome_of(made, message)
    assert (kind, retry) == (OutcomeKind.FAILED, False)
    assert reason.startswith(f"127.0.0.1:{port} did not accept 'username' and 'password': 535 ")
    assert "wrong-one" not in reason


def test_a_certificate_nobody_vouches_for_is_refused(channel, message, serve, certificate):
    recorder, port = serve(security="starttls", certificate=certificate)

    assert outcome_of(channel(port, security="starttls"), message) == (
        OutcomeKind.FAILED,
        False,
        f"The certificate of 127.0.0.1:{port} cannot be trusted (self-signed certificate); "
        "correct 'host', or name the company's own 'ca_file'.",
    )
    assert recorder.recipients == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_another_machine_is_refused(channel, message, serve, other_certificate, security):
    recorder, port = serve(security=security, certificate=other_certificate)
    kind, retry, reason = outcome_of(channel(port, security=security, ca_file=str(other_certificate.file)), message)

    assert (kind, retry) == (OutcomeKind.FAILED, False)
    assert "IP address mismatch" in reason
    assert recorder.recipients == []


def test_a_server_without_starttls_gets_nothing(channel, message, serve):
    recorder, port = serve()

    assert outcome_of(channel(port, security="starttls"), message) == (
        OutcomeKind.FAILED,
        False,
        f"127.0.0.1:{port} offers no STARTTLS; set 'security' to what the server speaks.",
    )
    assert recorder.recipients == []


def test_tls_spoken_to_a_plain_server_says_so(channel, message, serve):
    _, port = serve()
    kind, retry, reason = outcome_of(channel(port, security="tls"), message)

    assert (kind, retry) == (OutcomeKind.FAILED, False)
    assert reason == f"127.0.0.1:{port} does not speak TLS as expected; set 'security' and 'port' to what the server speaks."


def test_a_missing_ca_file_is_named(channel, message, serve, certificate):
    _, port = serve(security="tls", certificate=certificate)

    assert outcome_of(channel(port, security="tls", ca_file="/nowhere.pem"), message) == (
        OutcomeKind.FAILED,
        False,
        "The file that 'ca_file' names does not exist; correct metadata/plugins/email.yaml.",
    )


def test_a_server_without_sign_in_is_named(channel, message, serve):
    _, port = serve()

    assert outcome_of(channel(port, username="jumpseat", password=PASSWORD), message) == (
        OutcomeKind.FAILED,
        False,
        f"127.0.0.1:{port} offers no sign-in; leave 'username' empty or correct 'security'.",
    )


@pytest.mark.parametrize(("banner", "retry"), [(b"554 not you", False), (b"421 too many", True)])
def test_a_server_that_does_not_serve_this_host_is_quoted(channel, message, script, banner, retry):
    port = script(banner, None)

    assert outcome_of(channel(port), message) == (
        OutcomeKind.FAILED,
        retry,
        f"127.0.0.1:{port} does not serve this host: {banner.decode()}",
    )


def test_what_a_server_says_is_shown_on_one_short_line_without_the_password(channel, message, script):
    port = script(*HELLO, b"250 ok", b"550-first \x1b[31m line\r\n550 " + b"x" * 400, b"221 bye")
    reason = outcome_of(channel(port), message)[2]

    assert reason.isprintable()
    assert reason.endswith("550 first [31m line " + "x" * 184)


# --- when it stops answering ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [None, "reset"])
@pytest.mark.parametrize("answers", [(), HELLO[:1]])
def test_a_connection_that_is_cut_before_the_greeting_ends_failed(channel, message, script, answers, cut):
    port = script(*answers, cut)

    assert outcome_of(channel(port), message) == (
        OutcomeKind.FAILED,
        True,
        f"The mail server 127.0.0.1:{port} cannot be reached; nothing was sent.",
    )


@pytest.mark.parametrize("cut", [None, "reset"])
@pytest.mark.parametrize("answers", [HELLO, ENVELOPE[:3], ENVELOPE])
def test_a_connection_that_is_cut_before_the_mail_failed(channel, message, script, answers, cut):
    port = script(*answers, cut)

    assert outcome_of(channel(port), message) == (
        OutcomeKind.FAILED,
        True,
        f"The connection to 127.0.0.1:{port} was lost before the mail was complete; nothing was sent.",
    )


def test_a_connection_that_is_reset_inside_a_long_mail_failed(script):
    port = script(*ENVELOPE, b"354 go on", "half")
    long = Mail("support@jumpseat.example", "camille@lumiere.example", "<1@jumpseat.example>", b"line\r\n" * 4_000_000)

    assert deliver(long, Server("127.0.0.1", port, "none", timeout_seconds=3.0)) == Outcome.failed(
        f"The connection to 127.0.0.1:{port} was lost before the mail was complete; nothing was sent.", retry=True
    )


@pytest.mark.parametrize("cut", [None, "reset"])
def test_a_connection_that_is_cut_after_the_final_dot_is_unknown(channel, message, script, cut):
    port = script(*ENVELOPE, b"354 go on", cut)

    assert outcome_of(channel(port), message) == (
        OutcomeKind.UNKNOWN,
        False,
        f"127.0.0.1:{port} took the whole mail and did not confirm it: it may have been sent. Ask the recipient before sending again.",
    )


def test_silence_after_the_final_dot_is_unknown(channel, message, script, monkeypatch):
    monkeypatch.setattr("jumpseat_email.smtp.FINAL_ANSWER_SECONDS", 0.2)
    listener = socket.create_server(("127.0.0.1", 0))

    def swallow():
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as file:
            for answer in (*ENVELOPE, b"354 go on"):
                connection.sendall(answer + b"\r\n")
                file.readline()
            time.sleep(1)

    threading.Thread(target=swallow, daemon=True).start()
    with listener:
        assert outcome_of(channel(listener.getsockname()[1]), message)[0] is OutcomeKind.UNKNOWN


def test_a_server_that_does_not_greet_is_given_up_after_the_time_that_is_set(channel, message, monkeypatch):
    connect, patience = socket.create_connection, []
    monkeypatch.setattr(socket, "create_connection", lambda to, timeout, *more: patience.append(timeout) or connect(to, timeout, *more))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        outcome = outcome_of(channel(port, timeout_seconds=0.2), message)

    assert outcome == (OutcomeKind.FAILED, True, f"The mail server 127.0.0.1:{port} cannot be reached; nothing was sent.")
    assert patience == [0.2]


def test_a_server_that_is_not_there_can_be_tried_again(channel, message):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    assert outcome_of(channel(port), message) == (
        OutcomeKind.FAILED,
        True,
        f"The mail server 127.0.0.1:{port} cannot be reached; nothing was sent.",
    )


def test_a_name_that_is_no_host_can_not_be_tried_again(channel, message):
    kind, retry, reason = outcome_of(channel(25, host="mail..example"), message)

    assert (kind, retry, reason) == (OutcomeKind.FAILED, False, "'mail..example' cannot be the name of a mail server; correct 'host'.")


def test_a_goodbye_that_fails_changes_nothing(channel, message, script):
    port = script(*ENVELOPE, b"354 go on", b"250 queued", "reset")

    assert outcome_of(channel(port), message)[0] is OutcomeKind.SENT


# --- many odd messages over one real dialogue ---------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["subject", "recipient_name", "text", "html", "language", "key"])
def test_odd_messages_have_one_recipient_in_the_dialogue(channel, message, serve, field):
    recorder, port = serve()
    odd = ["Durand, Camille", "Camille <evil@evil.example>", ".", "..\n.\n", "=?utf-8?q?a=0d=0a.=0d=0aRCPT?="]
    odd += ["a\n.\nRCPT TO:<evil@evil.example>", "x\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n"]
    sent = [made.kind for made in (channel(port).send(message(**{field: value})) for value in odd)]

    assert len(recorder.envelopes) == len(recorder.recipients) == sent.count(OutcomeKind.SENT) >= 3
    assert set(recorder.recipients) == {"camille.durand@ateliers-lumiere.example"}


def test_the_plugin_registers_the_channel():
    import jumpseat_email

    [made] = jumpseat_email.register_share_channels()
    assert (made.name, made.label, made.address_kind, made.honours_key, made.can_look_up) == ("email", "E-mail", "email", False, False)
