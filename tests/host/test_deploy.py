"""The recipe under host/deploy/: it names only what exists."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import click
import yaml

from jumpseat.cli import COMMANDS, cli
from jumpseat.metrics import FROM_STORE, in_process

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "host" / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if name not in ("db", "proxy")}


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def check_command(arguments: list[str]) -> None:
    """Every word is a command, and every option is one of it."""
    found: click.Command = cli
    context = click.Context(cli)
    rest = list(arguments)
    while isinstance(found, click.Group):
        name = rest.pop(0)
        command = found.get_command(context, name)
        assert command is not None, arguments
        found = command
    options = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options, arguments


def test_every_process_of_the_compose_file_runs_a_command_there_is() -> None:
    assert set(OURS) == {"migrate", "serve-1", "serve-2", "work-1", "work-2"}
    for service in OURS.values():
        check_command(service["command"])


def test_every_variable_is_read_by_the_host_or_given_in_the_example() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "host" / "jumpseat").rglob("*.py"))
    for service in OURS.values():
        for name in service["environment"]:
            assert re.search(rf'"{name}\b|{name}"', code), name
    given = set(re.findall(r"^#?(\w+)=", text(".env.example"), re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)", text("compose.yaml"))) == given
    assert set(re.findall(r"\{\$(\w+)\}", text("Caddyfile"))) <= given


def test_the_example_holds_no_secret() -> None:
    values = re.findall(r"^(\w+)=(.*)$", text(".env.example"), re.MULTILINE)
    assert [name for name, value in values if value] == []


def test_each_worker_has_an_id_and_each_process_a_folder_of_its_own() -> None:
    executors = [service["environment"]["JUMPSEAT_EXECUTOR"] for name, service in OURS.items() if name.startswith("work")]
    folders = [volume for service in OURS.values() for volume in service["volumes"] if volume.endswith(":/workspace/var")]

    assert len(set(executors)) == len(executors) == 2
    assert len(set(folders)) == len(folders) == 4
    assert {folder.partition(":")[0] for folder in folders} <= set(COMPOSE["volumes"])


def test_a_process_is_given_the_time_that_it_needs_to_end() -> None:
    from jumpseat.api.server import FINISH_SECONDS
    from jumpseat.work.worker import STOP_SECONDS

    for name in ("serve-1", "serve-2"):
        command = SERVICES[name]["command"]
        drain = float(command[command.index("--drain-seconds") + 1])
        interval = int(re.search(r"health_interval (\d+)s", text("Caddyfile"))[1])  # type: ignore[index]  # a test: it stands there
        assert int(SERVICES[name]["stop_grace_period"].rstrip("s")) >= drain + FINISH_SECONDS + 2
        assert drain >= 2 * interval + 2
    assert int(SERVICES["work-1"]["stop_grace_period"].rstrip("s")) >= STOP_SECONDS + 2


def test_each_server_says_where_the_others_reach_it() -> None:
    for name in ("serve-1", "serve-2"):
        command = SERVICES[name]["command"]
        port = command[command.index("--port") + 1]
        assert SERVICES[name]["environment"]["JUMPSEAT_OWN_URL"] == f"http://{name}:{port}"


def test_the_proxy_asks_for_readiness_and_keeps_the_metrics_inside() -> None:
    proxy = text("Caddyfile")
    assert "health_uri /health/ready" in proxy
    assert "respond /metrics 404" in proxy
    assert set(re.findall(r"serve-\d", proxy)) == {name for name in OURS if name.startswith("serve")}
    assert "/health/ready" in " ".join(SERVICES["serve-1"]["healthcheck"]["test"])


def test_the_image_copies_what_is_there_and_starts_a_command_there_is() -> None:
    lines = text("Containerfile").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]]
    (started,) = [line.removeprefix("CMD ") for line in lines if line.startswith("CMD ")]
    extras = re.findall(r"--extra (\w+)", text("Containerfile"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert set(extras) <= set(project["optional-dependencies"])
    check_command(yaml.safe_load(started))
    assert 'ENTRYPOINT ["jumpseat"]' in lines


def test_the_unit_starts_commands_there_are() -> None:
    for line in re.findall(r"^Exec\w+=(.*)$", text("jumpseat.service"), re.MULTILINE):
        check_command(shlex.split(line)[1:])


def test_the_alert_rules_use_metrics_and_labels_there_are() -> None:
    labels = {name: set(found) for name, _, found in in_process()} | {one.name: set(one.labels) for one in FROM_STORE}
    rules = [rule for group in yaml.safe_load(text("alerts.yaml"))["groups"] for rule in group["rules"]]
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "annotations"}
        for name, matched in re.findall(r"(jumpseat_\w+)(?:\{(.*?)\})?", rule["expr"]):
            assert name in labels, rule["alert"]
            assert set(re.findall(r"(\w+)=~?\"", matched)) <= labels[name], rule["alert"]


def test_the_commands_in_the_readme_exist() -> None:
    readme = text("README.md")
    for line in re.findall(r"`docker compose run --rm migrate (.+?)`", readme):
        check_command(shlex.split(line))
    for line in re.findall(r"`jumpseat ((?:db|serve|work|jobs) .*?)`", readme):
        words = shlex.split(line.replace("…", "x"))
        assert words[0] in COMMANDS or words[0] == "jobs"
    named = set(re.findall(r"^\| `([\w.]+)` \|", readme, re.MULTILINE))
    assert named == {path.name for path in DEPLOY.iterdir() if path.name != "README.md"}
