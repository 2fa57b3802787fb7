"""``jumpseat jobs show``: one run, in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jumpseat.cli import run
from jumpseat.cli.jobs import run_text
from jumpseat.store.jobs import Cause, JobRun, JobState
from jumpseat.testing import make_workspace

FIVE = datetime(2026, 3, 28, 5, tzinfo=UTC)


@pytest.fixture
def jumpseat(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command in a small workspace; answers what it printed."""
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    folder = make_workspace(tmp_path / "workspace")
    (folder / "metadata" / "sources" / "recording.yaml").write_text("name: sandbox\nkind: sandbox\nlabel: Sample CRM\n")
    (folder / "templates" / "recording").rename(folder / "templates" / "email")

    def command(*words: str) -> str:
        run(["--workspace", str(folder), *words])
        return capsys.readouterr().out

    return command


def test_a_run_is_shown_in_words_and_as_json_in_the_names_of_the_api(jumpseat: Callable[..., str]) -> None:
    made = json.loads(jumpseat("jobs", "run", "retention", "--json"))

    text, data = jumpseat("jobs", "show", made["id"]), json.loads(jumpseat("jobs", "show", made["id"], "--json"))

    names = [line.partition(":")[0] for line in text.splitlines()]
    assert names == ["run", "job", "state", "cause", "asked by", "due", "started", "ended", "took", "rows", "process"]
    assert text.splitlines()[:2] == [f"run:            {made['id']}", "job:            retention"]
    assert {"dueAt", "startedAt", "durationSeconds", "cancelAsked"} <= data.keys()


def test_what_a_run_went_through_is_said() -> None:
    shown = JobRun(
        id="jr_2",
        job="company_report",
        state=JobState.IN_PROGRESS,
        cause=Cause.RETRY,
        created_at=FIVE,
        due_at=FIVE + timedelta(minutes=1),
        attempt=2,
        tries=3,
        rows=7,
        reason="The provider cannot be reached.",
        cancel_asked=True,
        slot=FIVE,
        retry_of="jr_1",
        asked_by="005A",
        executor="host-1",
        started_at=FIVE + timedelta(minutes=1),
    )

    assert run_text(shown).splitlines() == [
        "run:            jr_2",
        "job:            company_report",
        "state:          stopping",
        "cause:          retry of jr_1",
        "asked by:       005A",
        "for:            2026-03-28 05:00:00 UTC",
        "due:            2026-03-28 05:01:00 UTC",
        "started:        2026-03-28 05:01:00 UTC",
        "rows:           7",
        "attempt:        2",
        "taken up:       3 times",
        "process:        host-1",
        "reason:         The provider cannot be reached.",
    ]


def test_a_run_that_goes_on_is_in_progress() -> None:
    going = JobRun("jr_1", "retention", JobState.IN_PROGRESS, Cause.HAND, FIVE, FIVE, 1, 1, 0, "", cancel_asked=False)

    assert "state:          in progress" in run_text(going).splitlines()
