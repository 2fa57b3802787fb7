"""``jumpseat fake-crm`` as its own process."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys

import pytest
import requests
from click.testing import CliRunner

from jumpseat_fake_crm.commands import fake_crm

RUN = [sys.executable, "-c", "from jumpseat_fake_crm.commands import fake_crm; fake_crm()"]


def start(*arguments):
    return subprocess.Popen([*RUN, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("crm", "ending"), [("salesforce", signal.SIGINT), ("dynamics", signal.SIGTERM)])
def test_it_prints_the_settings_of_a_source_serves_and_ends_quietly(crm, ending):
    process = start(crm, "--port", "0", "--json", "--client-secret", "a-secret")
    try:
        ready = json.loads(process.stdout.readline())
        state = requests.get(ready["control"] + "state", timeout=60).json()
    finally:
        process.send_signal(ending)
        _, errors = process.communicate(timeout=60)

    assert (ready["settings"]["client_secret"], state["crm"]) == ("a-secret", crm)
    assert (process.returncode, errors) == (0, "")


def test_for_people_it_prints_what_goes_into_the_source():
    process = start("dynamics", "--port", "0")
    try:
        lines = [process.stdout.readline().rstrip() for _ in range(9)]
    finally:
        process.terminate()
        process.communicate(timeout=60)

    assert lines[:2] == ["Fake Dynamics", "  settings:"]
    assert [line.split(":")[0].strip() for line in lines[2:7]] == ["url", "tenant", "client_id", "client_secret", "authority"]
    assert lines[8] == "Ctrl+C ends it; it forgets everything."


def test_a_key_is_written_once_for_its_owner_only_and_used_again(tmp_path):
    file = tmp_path / "app.pem"
    written = []
    for _ in range(2):
        process = start("salesforce", "--port", "0", "--json", "--key-file", str(file))
        process.stdout.readline()
        process.terminate()
        process.communicate(timeout=60)
        written.append(file.read_text())

    assert written[0] == written[1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_named(org):
    port = org.url.rpartition(":")[2]

    result = CliRunner().invoke(fake_crm, ["salesforce", "--port", port])

    assert result.exit_code == 1
    assert (
        result.stderr == f"Error: The fake Salesforce cannot listen on 127.0.0.1:{port} (Address already in use). Choose another --port.\n"
    )


def test_an_address_that_others_reach_is_refused():
    result = CliRunner().invoke(fake_crm, ["dynamics", "--host", "0.0.0.0"])  # noqa: S104  # refused, not bound

    assert result.exit_code == 2
    assert "0.0.0.0 is no loopback address. A fake CRM serves this machine only." in result.stderr
