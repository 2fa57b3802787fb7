"""The channel over real HTTP: what the gateway promises and answers decides the outcome."""

from __future__ import annotations

import base64
import json
import socket
import sys
from urllib.parse import parse_qs

import pytest

from jumpseat import AnswerLost, Outcome, OutcomeKind, ProviderError, ProviderThrottled, ProviderUnreachable, RecipientInvalid
from jumpseat_sms.channel import SmsChannel
from jumpseat_sms.gateway import fill, nest, pick

KEYED = {"key_header": "Idempotency-Key", "honours_key": True}
TOKEN = "t0ken-of-the-gateway"
PERHAPS = "The text may have been sent; ask the recipient before sending again."


def basic(name):
    return "Basic " + base64.b64encode(f"{name}:{TOKEN}".encode()).decode()


def place(gateway):
    return gateway.url.removeprefix("http://")


# --- what is posted -----------------------------------------------------------------------------------------------------


def test_a_text_is_posted_as_the_settings_say(channel, gateway, message):
    outcome = channel(id_path="messages.0.id", **KEYED).send(message())

    assert outcome == Outcome.sent("m-1")
    [(method, path, headers, body)] = gateway.requests
    assert (method, path, headers["Idempotency-Key"]) == ("POST", "/texts", "share-1")
    assert json.loads(body) == {"to": "+33612345678", "text": "Votre session : https://get.teamviewer.example/s123", "from": "Jumpseat"}


def test_a_body_can_be_a_form_by_put(channel, gateway, message):
    made = channel(method="PUT", body_format="form", body={"msisdn": "{to_digits}", "message": "{text}", "ref": "{key}"})
    made.send(message(text="a & b = é"))

    [(method, _, headers, body)] = gateway.requests
    assert (method, headers["Content-Type"]) == ("PUT", "application/x-www-form-urlencoded")
    assert parse_qs(body.decode()) == {"msisdn": ["33612345678"], "message": ["a & b = é"], "ref": ["share-1"]}


def test_a_body_can_hold_objects_and_lists(channel, gateway, message):
    made = channel(body={"messages[].to[].number": "{to}", "messages[].body.text": "{text}", "tags[]": "jumpseat"})
    made.send(message(text="x"))

    assert json.loads(gateway.requests[0][3]) == {
        "messages": [{"to": [{"number": "+33612345678"}], "body": {"text": "x"}}],
        "tags": ["jumpseat"],
    }


def test_an_entry_that_comes_out_empty_is_left_out(channel, gateway, message):
    channel(sender="").send(message())

    assert set(json.loads(gateway.requests[0][3])) == {"to", "text"}


def test_a_text_that_looks_like_a_place_is_not_filled(channel, gateway, message):
    channel().send(message(text="{sender} {key} {to}"))

    assert json.loads(gateway.requests[0][3])["text"] == "{sender} {key} {to}"


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        (
            {"auth": "basic", "username": "me", "secret": TOKEN},
            "Authorization",
            "Basic " + base64.b64encode(f"me:{TOKEN}".encode()).decode(),
        ),
        ({"auth": "bearer", "secret": TOKEN}, "Authorization", f"Bearer {TOKEN}"),
        ({"auth": "header", "auth_header": "X-Api-Key", "secret": TOKEN}, "X-Api-Key", TOKEN),
        ({"auth": "bearer", "secret": TOKEN + "\n"}, "Authorization", f"Bearer {TOKEN}"),
        ({}, "Authorization", None),
    ],
)
def test_requests_are_signed_as_the_settings_say(channel, gateway, message, settings, header, value):
    channel(**settings).send(message())

    assert gateway.requests[0][2].get(header) == value


def test_credentials_of_the_machine_are_not_used(channel, gateway, message, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login machine password machines-own\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for settings in ({}, {"auth": "bearer", "secret": TOKEN}):
        channel(**settings).send(message())

    assert [headers.get("Authorization") for _, _, headers, _ in gateway.requests] == [None, f"Bearer {TOKEN}"]


# --- what is not posted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"url": ""}, "SMS is not set up: fill 'url' and 'body' in metadata/plugins/sms.yaml, or 'preset: twilio' with its keys."),
        ({"body": None}, "SMS is not set up: 'body' in metadata/plugins/sms.yaml must say where {to} and {text} go."),
        ({"body": {"to": "{to}"}}, "SMS is not set up: 'body' in metadata/plugins/sms.yaml must say where {to} and {text} go."),
        (
            {"body": {"x": "{text} {phone}"}},
            "'x' in metadata/plugins/sms.yaml uses {phone}; there are {to}, {to_digits}, {text}, {sender}, {key}.",
        ),
        (
            {"url": "http://sms.example.com/"},
            "'url' in metadata/plugins/sms.yaml must begin with https://; a text and its password do not travel unprotected.",
        ),
        (
            {"url": "sms.example.com"},
            "'url' in metadata/plugins/sms.yaml must begin with https://; a text and its password do not travel unprotected.",
        ),
        (
            {"auth": "header"},
            "'auth: header' needs 'auth_header' in metadata/plugins/sms.yaml: the name of the header that carries the secret.",
        ),
        ({"honours_key": True}, "'honours_key' needs a place for the key in metadata/plugins/sms.yaml: 'key_header', or {key} in 'body'."),
        (
            {"status_map": {"ok": "done"}},
            "'status_map' in metadata/plugins/sms.yaml leads to 'done'; an outcome is one of sent, refused, failed, unknown.",
        ),
        ({"success_statuses": ["2xx"]}, "'success_statuses' in metadata/plugins/sms.yaml holds '2xx'; a status is a number such as 200."),
        ({"preset": "twilio"}, "Twilio is not set up: fill 'account_sid' and 'auth_token' in metadata/plugins/sms.yaml."),
        (
            {"preset": "twilio", "account_sid": "AC1", "auth_token": TOKEN, "sender": ""},
            "Twilio is not set up: fill 'sender' or 'messaging_service_sid' in metadata/plugins/sms.yaml.",
        ),
    ],
)
def test_settings_that_cannot_work_are_named(channel, gateway, message, settings, reason):
    assert channel(**settings).send(message()) == Outcome.refused(reason)
    assert gateway.requests == []


@pytest.mark.parametrize(
    ("text", "size"),
    [("a" * 460, "4 segments (460 characters in GSM-7)"), ("ê" * 202, "4 segments (202 characters in UCS-2)")],
)
def test_a_text_over_the_cap_is_not_sent(channel, gateway, message, text, size):
    assert channel().send(message(text=text)) == Outcome.refused(
        f"The text takes {size}; 3 are allowed. Shorten it, or raise 'max_segments' in metadata/plugins/sms.yaml."
    )
    assert gateway.requests == []


def test_a_number_that_is_never_written_to_is_refused_at_sending_too(channel, gateway, message):
    outcome = channel().send(message(address="+33899701234"))

    assert outcome == Outcome.refused(
        "'+33899701234' cannot get a text: it is a premium-rate number, which is never written to. Choose another number."
    )
    assert gateway.requests == []


def test_the_channel_checks_numbers_by_its_settings(channel):
    assert channel(number_types=["fixed_line"], countries=["FR"]).check("+33199001234") == "+33199001234"
    with pytest.raises(RecipientInvalid):
        channel(countries=["FR"]).check("+447400123456")


# --- what the gateway answers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_sent(channel, gateway, message, status):
    gateway.answer(status, b"" if status == 204 else b"OK")

    assert channel(id_path="id").send(message()) == Outcome.sent(None)


def test_named_statuses_alone_are_sent(channel, gateway, message):
    gateway.answer(200)
    outcome = channel(success_statuses=["201"]).send(message())

    assert outcome == Outcome.unknown(f"{place(gateway)} has a failure: 200 OK. {PERHAPS}")


@pytest.mark.parametrize("settings", [{}, KEYED])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_4xx_is_refused_with_the_gateways_words(channel, gateway, message, settings, status):
    gateway.answer(status, b'{"error": {"text": "Number\\nblocked"}}')
    outcome = channel(error_path="error.text", **settings).send(message())

    assert outcome == Outcome.refused(f"{place(gateway)} refused the text: {status} Number blocked")


def test_the_gateways_words_do_not_repeat_the_secret(channel, gateway, message):
    gateway.answer(401, json.dumps({"error": f"bad key {TOKEN}"}).encode())
    outcome = channel(auth="bearer", secret=TOKEN, error_path="error").send(message())

    assert outcome.reason == f"{place(gateway)} refused the text: 401 bad key ***"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17),
        ("Wed, 04 Mar 2026 09:30:30 GMT", 30),
        ("Wed, 04 Mar 2020 09:30:30 GMT", 0),
        ("soon", None),
        (None, None),
        ("9" * 30, 86400),
    ],
)
@pytest.mark.parametrize("settings", [{}, KEYED])
def test_a_gateway_that_asks_for_patience_gets_it(channel, gateway, message, settings, header, seconds):
    gateway.answer(429, **({"Retry_After": header} if header else {}))

    assert channel(**settings).send(message()) == Outcome.failed(
        f"{place(gateway)} asks for patience: 429 Too Many Requests", retry=True, retry_after_seconds=seconds
    )


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failure_of_a_gateway_without_keys_is_unknown(channel, gateway, message, status):
    gateway.answer(status)
    outcome = channel().send(message())

    assert (outcome.kind, outcome.retry) == (OutcomeKind.UNKNOWN, False)
    assert outcome.reason.endswith(PERHAPS)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_a_failure_of_a_gateway_that_honours_keys_can_be_tried_again(channel, gateway, message, status):
    gateway.answer(status, Retry_After="5")
    outcome = channel(**KEYED).send(message())

    assert (outcome.kind, outcome.retry, outcome.retry_after_seconds) == (OutcomeKind.FAILED, True, 5)


def test_a_gateway_that_moved_is_not_followed(channel, gateway, message):
    gateway.answer(307, Location="http://127.0.0.1:1/other")

    assert channel().send(message()) == Outcome.refused(
        f"{place(gateway)} points to another address (307); correct 'url' in metadata/plugins/sms.yaml."
    )
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("queued", Outcome.sent("m-1")),
        ("blocked", Outcome.refused("{place} says 'blocked': 201 Created")),
        ("full", Outcome.failed("{place} says 'full': nothing was sent.", retry=True)),
        ("odd", Outcome.unknown("{place} says 'odd', which does not tell whether the text was sent.")),
    ],
)
def test_the_gateways_word_decides_where_it_is_mapped(channel, gateway, message, word, outcome):
    gateway.answer(201, json.dumps({"id": "m-1", "state": word}).encode())
    made = channel(id_path="id", status_path="state", status_map={"queued": "sent", "blocked": "refused", "full": "failed"})
    sent = made.send(message())

    assert (sent.kind, sent.reference, sent.retry) == (outcome.kind, outcome.reference, outcome.retry)
    assert sent.reason == outcome.reason.format(place=place(gateway))


LOST = "127.0.0.1 did not answer in time. Whether the request took effect is not known yet."


def test_a_lost_answer_is_unknown_and_not_repeated(channel, gateway, message):
    gateway.answer(None)

    assert channel().send(message()) == Outcome.unknown(f"{LOST} {PERHAPS}")
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("settings", [KEYED, {"lookup_url": "https://sms.example.com/{key}"}])
def test_a_lost_answer_is_left_to_the_host_where_it_can_be_settled(channel, gateway, message, settings):
    gateway.answer(None)

    with pytest.raises(AnswerLost) as lost:
        channel(**settings).send(message())

    assert lost.value.message == LOST
    assert len(gateway.requests) == 1


def test_a_failure_is_left_to_the_host_where_it_can_ask(channel, gateway, message):
    gateway.answer(503)

    with pytest.raises(AnswerLost) as lost:
        channel(lookup_url="https://sms.example.com/{key}").send(message())

    assert lost.value.message == f"{place(gateway)} has a failure: 503 Service Unavailable."


def test_an_answer_that_comes_too_late_is_unknown(channel, gateway, message):
    gateway.delay = 1.0
    made = channel()
    made.http.default_timeout = (1.0, 0.2)

    assert made.send(message()).kind is OutcomeKind.UNKNOWN


def test_an_endless_answer_is_unknown(channel, gateway, message):
    gateway.answer(200, b"x" * (5 * 1024 * 1024))

    assert channel().send(message()) == Outcome.unknown(f"127.0.0.1 answered more than 4 MiB; the answer was dropped. {PERHAPS}")


def test_a_gateway_that_is_not_there_can_be_tried_again(channel, message):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = f"http://127.0.0.1:{gone.getsockname()[1]}/"

    assert channel(url=url).send(message()) == Outcome.failed(
        "127.0.0.1 cannot be reached. Nothing was changed there; try again in a moment.", retry=True
    )


# --- looking up -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def looking(channel, gateway):
    return channel(
        lookup_url=f"{gateway.url}/texts/{{key}}?to={{to}}",
        id_path="id",
        status_path="state",
        status_map={"delivered": "sent", "blocked": "refused"},
        error_path="why",
    )


def test_a_message_is_looked_up_by_its_key(looking, gateway, message):
    gateway.answer(200, b'{"id": "m-1", "state": "delivered"}')

    assert looking.look_up(message(key="a/b")) == Outcome.sent("m-1")
    assert gateway.requests[0][:2] == ("GET", "/texts/a%2Fb?to=%2B33612345678")


def test_a_message_the_gateway_does_not_know_is_none(looking, gateway, message):
    gateway.answer(404)

    assert looking.look_up(message()) is None


def test_a_refused_message_is_found_refused(looking, gateway, message):
    gateway.answer(200, b'{"id": "m-1", "state": "blocked", "why": "carrier"}')

    assert looking.look_up(message()) == Outcome.refused(f"{place(gateway)} says 'blocked': 200 carrier")


@pytest.mark.parametrize(
    ("status", "error", "text"),
    [
        (429, ProviderThrottled, "{place} asks for patience."),
        (503, ProviderUnreachable, "{place} has a failure (503); ask again in a moment."),
        (403, ProviderError, "{place} does not say what became of the text: 403 Forbidden"),
    ],
)
def test_a_lookup_that_fails_says_nothing_of_the_message(looking, gateway, message, status, error, text):
    gateway.answer(status, Retry_After="9")

    with pytest.raises(error) as failed:
        looking.look_up(message())

    assert failed.value.message == text.format(place=place(gateway))
    assert failed.value.retry_after_seconds == (9 if status == 429 else None)


def test_without_an_address_nothing_is_looked_up(channel, gateway, message):
    assert channel().look_up(message()) is None
    assert gateway.requests == []


# --- what the settings promise --------------------------------------------------------------------------------------------


def test_what_is_promised_follows_from_the_settings(channel):
    plain, keyed, looking = channel(), channel(**KEYED, max_segments=1), channel(lookup_url="https://sms.example.com/{key}")

    assert [plain.honours_key, keyed.honours_key, looking.honours_key] == [False, True, False]
    assert [plain.can_look_up, keyed.can_look_up, looking.can_look_up] == [False, False, True]
    assert [plain.max_text, keyed.max_text] == [459, 160]


def test_before_the_settings_are_lent_nothing_is_promised():
    made = SmsChannel()

    assert (made.honours_key, made.can_look_up, made.max_text) == (False, False, None)


def test_settings_that_describe_no_gateway_promise_nothing(channel):
    assert channel(url="", **KEYED).honours_key is False


def test_the_plugin_registers_the_channel():
    import jumpseat_sms

    [made] = jumpseat_sms.register_share_channels()
    assert (made.name, made.label, made.address_kind) == ("sms", "SMS", "phone")


# --- Twilio -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def twilio(channel, gateway):
    gateway.answer(201, b'{"sid": "SM0123", "status": "queued", "error_code": null}')
    return lambda **settings: channel(
        **({"preset": "twilio", "url": gateway.url, "account_sid": "AC42", "auth_token": TOKEN, "sender": "+33700000000"} | settings)
    )


def test_twilio_gets_a_form_with_basic_auth(twilio, gateway, message):
    assert twilio().send(message(text="Bonjour")) == Outcome.sent("SM0123")

    [(method, path, headers, body)] = gateway.requests
    assert (method, path) == ("POST", "/2010-04-01/Accounts/AC42/Messages.json")
    assert headers["Authorization"] == basic("AC42")
    assert parse_qs(body.decode()) == {"To": ["+33612345678"], "Body": ["Bonjour"], "From": ["+33700000000"]}


def test_twilio_can_send_from_a_messaging_service(twilio, gateway, message):
    twilio(messaging_service_sid="MG7", sender="").send(message(text="Bonjour"))

    assert parse_qs(gateway.requests[0][3].decode()) == {"To": ["+33612345678"], "Body": ["Bonjour"], "MessagingServiceSid": ["MG7"]}


def test_twilio_honours_no_key_whatever_the_settings_say(twilio):
    assert (twilio(**KEYED).honours_key, twilio().can_look_up) == (False, False)


def test_twilios_refusal_is_quoted(twilio, gateway, message):
    gateway.answer(400, b'{"code": 21211, "message": "Invalid \'To\' Phone Number", "status": 400}')

    assert twilio().send(message()) == Outcome.refused(f"{place(gateway)} refused the text: 400 Invalid 'To' Phone Number")


def test_a_failure_of_twilio_is_unknown(twilio, gateway, message):
    gateway.answer(500, b'{"code": 20500, "message": "Internal Server Error", "status": 500}')

    assert twilio().send(message()) == Outcome.unknown(f"{place(gateway)} has a failure: 500 Internal Server Error. {PERHAPS}")


def test_twilio_itself_is_the_default(lend):
    from jumpseat import Secret
    from jumpseat_sms.gateway import gateway_of

    made = lend(SmsChannel(), preset="twilio", account_sid="AC42", auth_token=Secret(TOKEN), sender="+33700000000")
    described = gateway_of(made.config)

    assert described.url == "https://api.twilio.com/2010-04-01/Accounts/AC42/Messages.json"
    assert TOKEN not in repr(described)


# --- Apprise ----------------------------------------------------------------------------------------------------------------


def test_a_text_goes_through_apprise(channel, gateway, message):
    outcome = channel(apprise_url=f"json://{place(gateway)}/to/{{to}}").send(message(text="Bonjour"))

    assert outcome == Outcome.sent()
    [(_, path, _, body)] = gateway.requests
    assert path.replace("%2B", "+") == "/to/+33612345678"
    assert json.loads(body)["message"] == "Bonjour"


def test_a_no_of_apprise_is_unknown(channel, gateway, message):
    gateway.answer(500)

    assert channel(apprise_url=f"json://{place(gateway)}/").send(message()) == Outcome.unknown(
        f"The service behind 'apprise_url' did not confirm the text. {PERHAPS}"
    )


def test_an_address_that_apprise_does_not_know_is_refused(channel, message):
    assert channel(apprise_url="nothing-known://x").send(message()) == Outcome.refused(
        "Apprise does not understand 'apprise_url'; correct it in metadata/plugins/sms.yaml."
    )


def test_without_apprise_the_package_to_install_is_named(channel, message, monkeypatch):
    monkeypatch.setitem(sys.modules, "apprise", None)

    assert channel(apprise_url="json://127.0.0.1/").send(message()) == Outcome.refused(
        "'apprise_url' needs the package apprise: install jumpseat[apprise], or describe the gateway by 'url'."
    )


def test_through_apprise_nothing_is_promised(channel):
    made = channel(apprise_url="json://127.0.0.1/", lookup_url="https://sms.example.com/{key}", **KEYED)

    assert (made.honours_key, made.can_look_up) == (False, False)


# --- the outbox -------------------------------------------------------------------------------------------------------------


def test_the_outbox_of_the_sandbox_is_a_gateway_to_it(lend, message, tmp_path):
    from jumpseat_sandbox.sinks import Sinks, read_outbox

    with Sinks.start(tmp_path / "outbox") as sinks:
        made = lend(SmsChannel(), **sinks.settings["sms"])
        outcomes = [made.send(message()) for _ in range(2)]
        found, missing = made.look_up(message()), made.look_up(message(key="share-2"))

    [sent] = read_outbox(tmp_path / "outbox")
    assert (sent.to, sent.text, sent.sender, sent.key) == ("+33612345678", message().text, "Jumpseat", "share-1")
    assert outcomes == [Outcome.sent(sent.reference)] * 2
    assert (found, missing) == (Outcome.sent(sent.reference), None)


# --- small pieces -----------------------------------------------------------------------------------------------------------


def test_places_are_filled_once():
    assert fill("{to}: {text} {other}", {"to": "{text}", "text": "{to}"}) == "{text}: {to} {other}"


def test_dots_and_brackets_nest():
    assert nest({"a.b": "1", "a.c[]": "2", "d[].e": "3", "d[].f": "4"}) == {"a": {"b": "1", "c": ["2"]}, "d": [{"e": "3", "f": "4"}]}


@pytest.mark.parametrize(
    ("answer", "path", "value"),
    [
        (b'{"a": [{"b": 7}]}', "a.0.b", "7"),
        (b'{"a": [{"b": 7}]}', "a.1.b", None),
        (b'{"a": [{"b": 7}]}', "a.x", None),
        (b'{"a": "text"}', "a.0", None),
        (b'{"a": {"b": 1}}', "a", None),
        (b'{"a": true}', "a", None),
        (b'{"a": null}', "a", None),
        (b"not json", "a", None),
        (b"[" * 100_000, "a", None),
        (b"{}", "", None),
    ],
)
def test_a_path_finds_a_value_or_nothing(answer, path, value):
    assert pick(answer, path) == value
