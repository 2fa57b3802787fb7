"""Redaction masks what is secret, and leaves alone what only says where a secret is kept."""

import pytest

from jumpseat.secret import redact


@pytest.mark.parametrize("text", ["token: {env: TEAMVIEWER_TOKEN}", "password: {file: secrets/smtp}"])
def test_a_reference_to_a_secret_stays_readable(text: str):
    assert redact(f"Set it, for example: {text}.") == f"Set it, for example: {text}."


@pytest.mark.parametrize(("text", "shown"), [("token: abcdef", "token: ***"), ("password={hunter2", "password=***")])
def test_a_secret_in_a_text_of_somebody_else_is_masked(text: str, shown: str):
    assert redact(text) == shown
