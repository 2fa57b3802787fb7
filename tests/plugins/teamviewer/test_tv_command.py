"""``jumpseat emulator`` as its own process, and the hooks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import click
import pytest
import requests
from click.testing import CliRunner

import jumpseat_teamviewer
from jumpseat_teamviewer.commands import emulator as command

RUN = [sys.executable, "-c", "from jumpseat_teamviewer.commands import emulator; emulator()"]


def start(*arguments):
    return subprocess.Popen([*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_when_ready_serves_and_ends_quietly(ending):
    process = start("--port", "0", "--json", "--token", "48211-demo", "--knob", "page_size=2")
    try:
        ready = json.loads(process.stdout.readline())
        answer = requests.get(ready["url"] + "/ping", headers={"Authorization": f"Bearer {ready['token']}"}, timeout=60)
        knobs = requests.get(ready["control"] + "state", timeout=60).json()["knobs"]
    finally:
        process.send_signal(ending)
        _, errors = process.communicate(timeout=60)

    assert (ready["token"], answer.json(), knobs["page_size"]) == ("48211-demo", {"token_valid": True}, 2)
    assert (process.returncode, errors) == (0, "")


def test_for_people_it_prints_what_goes_into_the_settings():
    process = start("--port", "0", "--token", "48211-demo")
    try:
        lines = [process.stdout.readline().strip() for _ in range(8)]
    finally:
        process.terminate()
        process.communicate(timeout=60)

    assert lines[0] == "TeamViewer emulator"
    assert lines[1].startswith("api_url: http://127.0.0.1:")
    assert lines[2] == "token:   48211-demo"
    assert [line.split(":")[0] for line in lines[3:7]] == ["login_url", "client_id", "client_secret", "control"]
    assert lines[7] == "Ctrl+C ends it; it forgets everything."


def test_a_port_that_is_taken_is_named(served):
    port = served.base.rpartition(":")[2]

    result = CliRunner().invoke(command, ["--port", port])

    assert result.exit_code == 1
    assert result.stderr == f"Error: The emulator cannot listen on 127.0.0.1:{port} (Address already in use). Choose another --port.\n"


@pytest.mark.parametrize(
    ("knob", "words"), [("page_size", "'page_size' is no knob: write NAME=VALUE."), ("dates=odd", "takes extended or compact, not 'odd'.")]
)
def test_a_wrong_knob_is_wrong_usage(knob, words):
    result = CliRunner().invoke(command, ["--knob", knob])

    assert result.exit_code == 2
    assert words in result.stderr


class AHost:
    """Whatever a host is; the plugin only tells one from the other."""


def test_the_hooks_bring_types_channel_settings_and_command():
    host, group = AHost(), click.Group("jumpseat")
    jumpseat_teamviewer.register_commands(group)

    assert [type_.name for type_ in jumpseat_teamviewer.register_session_types(host)] == ["remote_control", "pilot"]
    assert [channel.name for channel in jumpseat_teamviewer.register_share_channels(host)] == ["teamviewer_sms"]
    assert list(group.commands) == ["emulator"]


def test_the_extensions_of_one_host_share_the_account_and_two_hosts_share_nothing():
    one, other = AHost(), AHost()
    accounts = {type_.provider for type_ in jumpseat_teamviewer.register_session_types(one)}

    assert accounts == {channel.provider for channel in jumpseat_teamviewer.register_share_channels(one)}
    assert accounts.isdisjoint(type_.provider for type_ in jumpseat_teamviewer.register_session_types(other))


def test_every_setting_has_a_help_text_and_only_the_tokens_are_secret():
    settings = list(jumpseat_teamviewer.register_settings())

    assert all(setting.help.endswith(".") for setting in settings)
    assert [setting.name for setting in settings if setting.secret] == ["token", "client_secret"]
