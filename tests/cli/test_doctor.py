"""``jumpseat doctor``: what it says of a host whose CRM, provider, address, key and clock are well, and of one whose are not."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner, Result

from jumpseat import Grant, Host, Secret
from jumpseat.api.app import create_app
from jumpseat.cli import cli
from jumpseat.cli.serve import listening
from jumpseat.diagnosis.finding import Finding, printed
from jumpseat.sealing import new_key
from jumpseat_teamviewer.emulator import Emulator, Running

ROOT = Path(__file__).parents[2]
HELPDESK = '''
from jumpseat import Health, ObjectInfo, RecordSource, Setting, hookimpl


class Helpdesk(RecordSource):
    """Tickets."""

    name, label = "helpdesk", "Helpdesk"
    settings = (Setting("url", str), Setting("broken", bool, default=False))

    def missing(self):
        return "" if self.config.url else "Set 'url' in metadata/sources/helpdesk.yaml."

    def describe(self, object):
        return None

    def get(self, ref, fields):
        return {}

    def contacts(self, record, rule):
        return ()

    def health(self):
        status = self.http.get(self.config.url).status_code
        return Health(status == 200, f"answers with {status}")


@hookimpl
def register_record_sources(host):
    return [Helpdesk]
'''


@dataclass
class Web:
    """A web server whose answers a test decides."""

    url: str
    status: int = 200
    body: bytes = b"{}"
    ahead: timedelta = field(default=timedelta())
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def web() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(web.status)
            self.send_header("Date", format_datetime(datetime.now(UTC) + web.ahead, usegmt=True))
            for name, value in {**web.headers, "Content-Length": str(len(web.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(web.body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the test's output is not a log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    web = Web(f"http://127.0.0.1:{server.server_address[1]}")
    yield web
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, emulator: Running, web: Web, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace in which everything is well but the address, at which nobody listens."""
    for name in ("JUMPSEAT_DATABASE_URL", "JUMPSEAT_SECRET_KEY", "JUMPSEAT_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "support"
    CliRunner().invoke(cli, ["init", str(folder)], standalone_mode=False)
    (folder / "token").write_text(emulator.token)
    write(folder, "plugins/teamviewer", f"plugin: teamviewer\nsettings: {{token: {{file: token}}, api_url: '{emulator.url}'}}\n")
    write(folder, "plugins/email", "plugin: email\nsettings: {host: smtp.example.com, sender: support@example.com}\n")
    write(folder, "sources/helpdesk", f"name: helpdesk\nkind: helpdesk\nlabel: Helpdesk\nsettings: {{url: '{web.url}'}}\n")
    write(folder, "host", "company: Example\npublic_url: http://127.0.0.1:9\ndefault_source: sandbox\n")
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "helpdesk.py").write_text(HELPDESK)
    return folder


def write(workspace: Path, name: str, text: str) -> None:
    (workspace / "metadata" / f"{name}.yaml").write_text(text)


def run(workspace: Path, *words: str) -> Result:
    result = CliRunner().invoke(cli, ["--workspace", str(workspace), "doctor", *words], standalone_mode=False)
    assert result.exception is None, result.exception
    return result


def findings(workspace: Path) -> dict[str, dict[str, Any]]:
    result = run(workspace, "--json")
    found = json.loads(result.stdout)
    assert result.return_value == (1 if any(item["state"] == "failed" for item in found) else 0)
    return {item["what"]: item for item in found}


# --- how it is printed ------------------------------------------------------------------------------------------------


def test_long_names_do_not_shift_the_columns() -> None:
    long = "session type a_name_that_is_longer_than_any_column"
    text = printed(
        [
            Finding("python", "ok", "3.11", "not shown", "not shown"),
            Finding("session type remote_control", "warning", "two\nlines", "mend it", "metadata/README.md"),
            Finding(long, "failed", "broken"),
        ]
    )

    assert text == (
        "ok   python                                3.11\n"
        "warn session type remote_control           two lines\n"
        "     fix: mend it\n"
        "     see: metadata/README.md\n"
        f"FAIL {long}\n"
        "                                           broken"
    )


def test_every_fact_comes_as_json_too(workspace: Path) -> None:
    shown = run(workspace).stdout
    found = findings(workspace)

    assert all(set(item) <= {"what", "state", "ok", "found", "fix", "link"} for item in found.values())
    assert all(" ".join(item["found"].split()) in shown for what, item in found.items() if not what.startswith("clock"))
    assert found["clock"]["state"] == "ok"


def test_a_workspace_that_is_well_is_told_so(workspace: Path) -> None:
    found = findings(workspace)

    assert [what for what, item in found.items() if item["state"] in ("failed", "warning")] == []
    assert found["source helpdesk"]["found"] == "answers with 200"
    assert found["session type pilot"]["found"] == "can be used; its account takes the sign-in"


def anchors(text: str) -> set[str]:
    """The anchors of a README's headings, as GitHub makes them."""
    return {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ")).strip().lower().replace(" ", "-") for line in text.splitlines() if line.startswith("#")
    }


def test_every_link_leads_somewhere(workspace: Path) -> None:
    code = "".join(file.read_text() for file in (ROOT / "host/jumpseat/diagnosis").glob("*.py"))
    links = {item["link"] for item in findings(workspace).values() if "link" in item} | set(re.findall(r'"([\w/]+\.md(?:#[\w-]+)?)"', code))

    assert len(links) > 8
    for link in links:
        file, _, anchor = link.partition("#")
        text = (ROOT / file).read_text(encoding="utf-8")
        assert not anchor or anchor in anchors(text), link


# --- record sources and the clock -------------------------------------------------------------------------------------


def test_a_source_that_is_not_well_says_why(workspace: Path, web: Web) -> None:
    web.status = 503
    away = findings(workspace)["source helpdesk"]
    write(workspace, "sources/helpdesk", "name: helpdesk\nkind: helpdesk\nlabel: Helpdesk\n")
    unset = findings(workspace)["source helpdesk"]
    write(workspace, "sources/helpdesk", "name: helpdesk\nkind: helpdesk\nlabel: Helpdesk\nsettings: {url: 'http://127.0.0.1:9'}\n")
    unreachable = findings(workspace)["source helpdesk"]

    assert (away["state"], away["found"], away["fix"]) == ("failed", "answers with 503", "check metadata/sources/helpdesk.yaml")
    assert (unset["state"], unset["found"]) == ("failed", "Set 'url' in metadata/sources/helpdesk.yaml.")
    assert (unreachable["state"], unreachable["found"][:30]) == ("failed", "127.0.0.1 cannot be reached. N")


@pytest.mark.parametrize(
    ("ahead", "state", "said"),
    [
        (0, "ok", r"this machine is [0-5] s (behind|ahead of) \w+"),
        (120, "warning", r"this machine is 1[12]\d s behind helpdesk"),
        (-120, "warning", r"this machine is 1[12]\d s ahead of helpdesk"),
        (400, "failed", r"this machine is (39|40)\d s behind helpdesk"),
    ],
)
def test_the_clock_is_compared_with_those_that_were_asked(workspace: Path, web: Web, ahead: int, state: str, said: str) -> None:
    web.ahead = timedelta(seconds=ahead)
    found = findings(workspace)["clock"]

    assert found["state"] == state
    assert re.fullmatch(said, found["found"]), found["found"]


def test_an_answer_out_of_a_cache_says_nothing_of_the_time(workspace: Path, web: Web) -> None:
    web.ahead, web.headers = timedelta(hours=-1), {"Age": "3600"}

    assert findings(workspace)["clock"]["state"] == "ok"


@pytest.mark.parametrize(
    ("ancestors", "public_url", "state", "said"),
    [
        ("", "http://127.0.0.1:9", "todo", "frame_ancestors is not set: no page of this CRM can show Jumpseat"),
        ("[https://crm.example.com]", "http://127.0.0.1:9", "warning", "https://crm.example.com may show launches, and no other page"),
        ("[https://crm.example.com]", "https://host.invalid", "ok", "https://crm.example.com may show launches, and no other page"),
    ],
)
def test_who_may_show_the_host_in_a_frame_is_said_with_what_follows(
    workspace: Path, web: Web, ancestors: str, public_url: str, state: str, said: str
) -> None:
    line = f"frame_ancestors: {ancestors}\n" if ancestors else ""
    write(workspace, "sources/helpdesk", f"name: helpdesk\nkind: helpdesk\nlabel: Helpdesk\nsettings: {{url: '{web.url}'}}\n{line}")
    write(workspace, "host", f"public_url: {public_url}\ndefault_source: sandbox\n")
    found = findings(workspace)["frames of helpdesk"]

    assert (found["state"], found["found"]) == (state, said)


# --- sign-ins ---------------------------------------------------------------------------------------------------------


def test_a_token_that_the_provider_does_not_take_fails_every_type_of_the_account(workspace: Path) -> None:
    (workspace / "token").write_text("1-wrong")
    found = findings(workspace)

    assert found["session type pilot"]["state"] == found["session type remote_control"]["state"] == "failed"
    assert found["session type pilot"]["found"] == found["session type remote_control"]["found"]


def test_sign_ins_are_told_with_their_scopes_and_ends(workspace: Path) -> None:
    def keep(owner: str, *scopes: str) -> None:
        with Host.open(workspace) as host:
            grant = Grant(Secret(f"token-of-{owner}"), Secret(f"refresh-{owner}"), account=owner or "company", scopes=scopes)
            host._wiring.accounts.put(host.sign_ins["teamviewer"], owner, owner, grant)

    nobody = findings(workspace)["sign-in teamviewer"]
    keep("005A000000Jmu02IAB", "Sessions.Create")
    one = findings(workspace)["sign-in teamviewer"]
    keep("005A000000Jmu03IAB", "Other")
    lacking = findings(workspace)["sign-in teamviewer"]

    assert nobody["state"] == "todo"
    assert (one["state"], one["found"]) == ("ok", "1 signed in to TeamViewer")
    assert (lacking["state"], lacking["found"]) == ("failed", "2 signed in to TeamViewer; missing scopes: Sessions.Create")
    assert lacking["fix"] == "'jumpseat accounts sign-in teamviewer' prints where; 'jumpseat accounts list' shows who"


# --- the public address -----------------------------------------------------------------------------------------------


@contextmanager
def serving(workspace: Path) -> Iterator[str]:
    """The address of a running host of this workspace."""
    with Host.open(workspace) as host, listening("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(host), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


def at(workspace: Path, url: str) -> dict[str, Any]:
    write(workspace, "host", f"public_url: {url}\ndefault_source: sandbox\n")
    return findings(workspace)["host at that address"]


def test_a_host_that_is_reached_at_its_address_is_recognized(workspace: Path) -> None:
    with serving(workspace) as url:
        found = at(workspace, url)
    with Host.open(workspace) as host:
        id = host.id

    assert (found["state"], found["found"]) == ("ok", f"this one: host {id}, Jumpseat 0.1.0")


def test_another_host_at_the_address_is_told_apart(workspace: Path, web: Web) -> None:
    web.body = b'{"live": true, "version": "0.1.0", "hostId": "0123456789ab"}'
    found = at(workspace, web.url)

    assert found["state"] == "failed"
    assert found["found"].startswith("another one answers: host 0123456789ab, Jumpseat 0.1.0; this is host ")


def test_an_older_version_at_the_address_is_told(workspace: Path, web: Web) -> None:
    web.body = b'{"live": true, "version": "0.0.9"}'
    found = at(workspace, web.url)

    assert (found["state"], found["found"]) == ("warning", "host without an id, Jumpseat 0.0.9, while this is 0.1.0")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"live": "yes"}', b"[]"])
def test_what_is_no_host_at_the_address_is_told(workspace: Path, web: Web, body: bytes) -> None:
    web.body = body
    found = at(workspace, web.url)

    assert (found["state"], found["found"]) == ("failed", f"what answers at {web.url} is not Jumpseat")


@pytest.mark.parametrize(
    ("url", "address", "state", "fix"),
    [
        ("http://127.0.0.1:9", "ok", "todo", "run 'jumpseat serve'"),
        ("https://host.invalid", "ok", "failed", "run 'jumpseat serve', and check DNS, certificate and proxy on the way to it"),
        ("http://host.invalid", "failed", "failed", "run 'jumpseat serve', and check DNS, certificate and proxy on the way to it"),
    ],
)
def test_an_address_at_which_nobody_answers_fails_unless_it_is_this_machine(
    workspace: Path, url: str, address: str, state: str, fix: str
) -> None:
    found = at(workspace, url)

    assert (found["state"], found["fix"]) == (state, fix)
    assert findings(workspace)["public address"]["state"] == address


# --- the secret key ---------------------------------------------------------------------------------------------------


def test_a_key_that_others_can_read_fails(workspace: Path) -> None:
    none = findings(workspace)
    with Host.open(workspace) as host:
        id = host.id
    file = workspace / "var" / "secret.key"
    well = findings(workspace)["secret key"]
    file.chmod(0o644)
    open_to_all = findings(workspace)["secret key"]

    assert none["secret key"]["state"] == "ok"
    assert (well["state"], well["found"]) == ("ok", f"from var/secret.key (permissions 0600); host id {id}")
    assert (open_to_all["state"], open_to_all["fix"]) == ("failed", f"run 'chmod 600 {file.resolve()}'")
    assert file.read_text() not in json.dumps([none, well, open_to_all])


def test_a_key_of_the_environment_is_told_and_a_wrong_one_fails(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUMPSEAT_SECRET_KEY", f"{new_key()},{new_key()}")
    well = findings(workspace)["secret key"]
    monkeypatch.setenv("JUMPSEAT_SECRET_KEY", "hunter2")
    wrong = findings(workspace)["secret key"]

    assert (well["state"], well["found"][:38]) == ("ok", "from JUMPSEAT_SECRET_KEY, 2 of them; h")
    assert wrong["state"] == "failed"
    assert "hunter2" not in json.dumps(wrong)


def test_the_id_of_a_host_follows_its_first_key(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def id_with(keys: str) -> str:
        monkeypatch.setenv("JUMPSEAT_SECRET_KEY", keys)
        with Host.open(workspace) as host:
            return host.id

    one, two = new_key(), new_key()
    assert id_with(one) == id_with(f"{one},{two}") != id_with(two)
    assert id_with(one) not in one
