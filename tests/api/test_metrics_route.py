"""``GET /metrics``: who may read it, what stands in it, and that it agrees with its table."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from api_kit import CASE, Api, ShiftedClock, problem
from prometheus_client.parser import text_string_to_metric_families
from test_serve import running

from jumpseat import Host
from jumpseat.metrics import FROM_STORE, in_process

TABLE = Path(__file__).parents[2] / "host" / "README.md"
ROW = re.compile(r"^\| `(jumpseat_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", re.MULTILINE)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Name and labels, sorted → value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[(sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items())))] = sample.value
    return found


def test_the_table_in_the_readme_names_every_metric_with_its_kind_and_labels() -> None:
    listed = {(name, kind, labels) for name, kind, labels, _ in ROW.findall(TABLE.read_text(encoding="utf-8"))}
    made = {(name, kind, labels) for name, kind, labels in in_process()} | {(one.name, "gauge", one.labels) for one in FROM_STORE}

    assert listed == {(name, kind, ", ".join(f"`{label}`" for label in labels) or "–") for name, kind, labels in made}


def test_no_label_could_name_a_person_a_record_or_a_link() -> None:
    labels = {label for _, _, found in in_process() for label in found} | {label for one in FROM_STORE for label in one.labels}

    assert labels <= {
        "account", "alive", "call", "catalogue_version", "channel", "executor", "job", "method", "outcome", "plugin", "role", "route",
        "session_type", "state", "status", "version",
    }  # fmt: skip


def test_it_counts_calls_shares_and_sessions(api: Api, host: Host, moving_clock: ShiftedClock) -> None:
    session = api.open()["sessionId"]
    before = samples(requests.get(f"{api.base}/metrics", timeout=60).text)
    api.post(f"/v1/sessions/{session}/shares", {"shares": [{"channel": "email"}]})
    moving_clock.move(seconds=90)
    (share,) = host.shares(session, host.operator())
    after = samples(requests.get(f"{api.base}/metrics", timeout=60).text)
    host.deliver(share.id)
    last = samples(requests.get(f"{api.base}/metrics", timeout=60).text)

    def grew(key: tuple[str, ...]) -> float:
        return last[key] - before.get(key, 0.0)

    assert after["jumpseat_queue_depth", "channel=email"] == 1
    assert after["jumpseat_queue_oldest_seconds", "channel=email"] == pytest.approx(90, abs=20)
    assert last["jumpseat_sessions_open", "session_type=remote_control", "state=open"] == 1
    assert grew(("jumpseat_shares_total", "channel=email", "outcome=sent")) == 1
    assert grew(("jumpseat_share_tries_total", "channel=email")) == 1
    assert grew(("jumpseat_plugin_calls_total", "call=email.send", "outcome=ok", "plugin=email")) == 1
    route = ("method=POST", "route=/v1/sessions/{sessionId}/shares")
    assert sum(value for key, value in last.items() if key[:3] == ("jumpseat_http_calls_total", *route)) >= 1
    assert last["jumpseat_database_up",] == 1
    assert "process_resident_memory_bytes" in {key[0] for key in last}
    assert CASE not in str(last)
    assert "@" not in str(last)


def test_a_process_is_listed_with_the_metadata_it_serves(workspace: Path) -> None:
    with running(workspace, "work", "--metrics-port", "0") as (_, ready):
        found = samples(requests.get(f"http://127.0.0.1:{ready['metricsPort']}/metrics", timeout=60).text)
        missing = requests.get(f"http://127.0.0.1:{ready['metricsPort']}/", timeout=60)
        with Host.open(workspace) as host:
            (process,) = host.processes(host.operator())
            version = host.catalogue.version

    assert (process.role, process.alive, process.catalogue_version, process.version) == ("work", True, version, "0.1.0")
    assert process.beat_at - process.started_at < timedelta(seconds=60)
    info = ["alive=true", f"catalogue_version={version}", f"executor={process.id}", "role=work", "version=0.1.0"]
    assert found["jumpseat_process_info", *info] == 1
    assert found["jumpseat_processes", "alive=true", "role=work"] == 1
    assert (missing.status_code, missing.text) == (404, "There is only /metrics here.\n")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_a_call_that_a_proxy_passed_on_needs_a_key(api: Api, header: str) -> None:
    answer = requests.get(f"{api.base}/metrics", headers={header: "203.0.113.7"}, timeout=60)

    assert problem(answer)["detail"] == "This call needs an API key: send the header 'Authorization: Bearer KEY'."
    assert Api(api.base, api.key).get("/metrics", **{header: "203.0.113.7"}).status_code == 200


def test_a_key_needs_the_right_to_read_settings(api: Api, host: Host) -> None:
    key = host.create_key("small", "user", host.operator()).reveal()

    answer = Api(api.base, key).get("/metrics")

    assert (answer.status_code, problem(answer)["code"]) == (403, "JS-RIGHT")


def test_what_the_process_counted_is_told_while_the_database_is_away(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    from sqlalchemy.exc import OperationalError

    @contextmanager
    def away():
        raise OperationalError("select", {}, Exception("away"))
        yield

    monkeypatch.setattr(host._wiring.store, "read", away)

    found = samples(host.metrics(host.operator()))

    assert found["jumpseat_database_up",] == 0
    assert "process_cpu_seconds_total" in {key[0] for key in found}
    assert not any(key[0] == "jumpseat_processes" for key in found)
