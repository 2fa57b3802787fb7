"""Edits of a running workspace go live whole; bad ones change nothing."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from workspaces import GOOD, TEMPLATE, VOCABULARY, small_workspace, write

from jumpseat.catalogue.live import INTERVAL_SECONDS, LiveCatalogue
from jumpseat.catalogue.load import load
from jumpseat.catalogue.model import Catalogue
from jumpseat.errors import MetadataInvalid

INTERVAL = 0.02
BROKEN = "label: [\n"


@pytest.fixture
def live(workspace: Path, tmp_path: Path) -> LiveCatalogue:
    return LiveCatalogue(workspace, VOCABULARY, tmp_path / "var", interval_seconds=INTERVAL)


def settle(live: LiveCatalogue) -> bool:
    """Look until the files have rested long enough to be taken; answers whether a new catalogue went live."""
    live.poll()
    time.sleep(INTERVAL * 1.5)
    return live.poll()


def labels(live: LiveCatalogue) -> list[str]:
    return [one.label for one in live.current.objects]


def wait_for(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@contextmanager
def watching(live: LiveCatalogue) -> Iterator[LiveCatalogue]:
    live.start()
    try:
        yield live
    finally:
        live.stop()


# --- good and bad edits -----------------------------------------------------------------------------------------------


def test_a_good_edit_goes_live(workspace: Path, live: LiveCatalogue) -> None:
    before = live.version
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Better")})

    assert settle(live)
    assert labels(live) == ["Better"]
    assert live.version != before
    assert live.version == load(workspace).catalogue.version  # type: ignore[union-attr]  # it is good


def test_nothing_happens_while_nothing_changes(live: LiveCatalogue) -> None:
    current = live.current

    assert not settle(live)
    assert live.current is current


def test_a_change_waits_until_the_files_rest(workspace: Path, live: LiveCatalogue) -> None:
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Better")})

    assert [live.poll(), live.poll()] == [False, False]
    assert labels(live) == ["Good"]


def test_a_bad_edit_changes_nothing_and_is_told_once(workspace: Path, live: LiveCatalogue, caplog: pytest.LogCaptureFixture) -> None:
    before = live.current
    write(workspace, {"metadata/objects/good.yaml": BROKEN})

    assert not settle(live)
    assert not settle(live)

    assert live.current is before
    assert live.is_behind
    assert [str(problem).split("\n")[0] for problem in live.problems] == [
        "metadata/objects/good.yaml:1:9: error[M201]: the text ends before the '[' or '{' is closed"
    ]
    assert [(entry.msg, vars(entry)["serving"], vars(entry)["errors"]) for entry in caplog.records] == [
        ("metadata_refused", before.version, 1)
    ]


def test_a_bad_edit_that_is_mended_leaves_nothing_behind(workspace: Path, live: LiveCatalogue) -> None:
    write(workspace, {"metadata/objects/good.yaml": BROKEN})
    settle(live)
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Mended")})

    assert settle(live)
    assert (labels(live), live.problems, live.is_behind) == (["Mended"], (), False)


def test_a_bad_edit_that_is_taken_back_is_no_new_version(workspace: Path, live: LiveCatalogue) -> None:
    before = live.version
    write(workspace, {"metadata/objects/good.yaml": BROKEN})
    settle(live)
    write(workspace, {"metadata/objects/good.yaml": GOOD})

    assert not settle(live)
    assert (live.version, live.problems) == (before, ())


def test_files_changed_together_go_live_together(workspace: Path, live: LiveCatalogue) -> None:
    write(workspace, {"metadata/objects/good.yaml": GOOD + "session_types: [pilot]\n"})
    live.poll()
    write(workspace, {"metadata/sessions.yaml": "allow_pilot: false\n"})

    assert settle(live)
    assert (live.current.objects[0].session_types, live.current.sessions.allows("pilot")) == (("pilot",), False)


def test_an_edit_of_a_template_goes_live(workspace: Path, live: LiveCatalogue) -> None:
    write(workspace, {"templates/email/case.en.txt": TEMPLATE.replace("Join with", "Come in:")})

    assert settle(live)
    assert live.current.templates[0].body.startswith("Come in:")


def test_a_deleted_file_is_a_change_and_a_deleted_workspace_is_not(workspace: Path, live: LiveCatalogue) -> None:
    (workspace / "metadata/objects/good.yaml").unlink()
    assert settle(live)
    assert labels(live) == []

    shutil.rmtree(workspace)
    assert not settle(live)
    assert [problem.code for problem in live.problems] == ["M212"]


def test_listeners_are_told_of_each_new_version_and_cannot_break_the_others(
    workspace: Path, live: LiveCatalogue, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Catalogue] = []

    def fails(_: Catalogue) -> None:
        raise ValueError("no")

    live.on_change(fails)
    live.on_change(heard.append)
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Better")})
    with caplog.at_level("INFO", "jumpseat"):
        settle(live)
    logged = [entry.msg for entry in caplog.records]
    write(workspace, {"metadata/objects/good.yaml": BROKEN})
    settle(live)

    assert heard == [live.current]
    assert logged == ["metadata_live", "metadata_listener_failed"]


def test_the_same_size_and_time_of_content_do_not_hide_an_edit(workspace: Path, live: LiveCatalogue) -> None:
    file = workspace / "metadata/objects/good.yaml"
    times = file.stat()
    file.write_text(GOOD.replace("label: Good", "label: Cool"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert settle(live)
    assert labels(live) == ["Cool"]


@pytest.mark.parametrize("swap", ["file", "folder"])
def test_a_swapped_link_goes_live(tmp_path: Path, swap: str) -> None:
    one, two = small_workspace(tmp_path / "one"), small_workspace(tmp_path / "two")
    write(two, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Other")})
    part = "metadata" if swap == "folder" else "metadata/objects/good.yaml"
    workspace = small_workspace(tmp_path / "w")
    (shutil.rmtree if swap == "folder" else os.unlink)(workspace / part)
    (workspace / part).symlink_to(one / part)
    live = LiveCatalogue(workspace, VOCABULARY, tmp_path / "var", interval_seconds=INTERVAL)
    (workspace / "new").symlink_to(two / part)
    (workspace / "new").rename(workspace / part)

    assert settle(live)
    assert labels(live) == ["Other"]


# --- the last good version --------------------------------------------------------------------------------------------


def test_a_start_with_bad_files_goes_on_with_the_last_good_ones(workspace: Path, tmp_path: Path, live: LiveCatalogue) -> None:
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Better")})
    settle(live)
    write(workspace, {"metadata/objects/good.yaml": BROKEN})

    again = LiveCatalogue(workspace, VOCABULARY, tmp_path / "var", interval_seconds=INTERVAL)

    assert (labels(again), again.version, again.is_behind) == (["Better"], live.version, True)
    assert again.current.objects[0].file == "metadata/objects/good.yaml"
    write(workspace, {"metadata/objects/good.yaml": GOOD})
    assert settle(again)
    assert labels(again) == ["Good"]


def test_a_start_with_bad_files_and_nothing_kept_is_refused_with_all_problems(workspace: Path, tmp_path: Path) -> None:
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label", "lable")})

    with pytest.raises(MetadataInvalid) as refused:
        LiveCatalogue(workspace, VOCABULARY, tmp_path / "var")

    assert refused.value.message == (
        "The metadata has errors, and there is no earlier good version to go on with. 'jumpseat check' shows them all."
    )
    assert refused.value.problems == (
        "metadata/objects/good.yaml:1:1: error[M102]: unknown key 'lable'\n  1 | lable: Good\n    | ^^^^^\nfix: did you mean 'label'?",
    )


def test_kept_files_that_were_damaged_are_not_used(workspace: Path, tmp_path: Path, live: LiveCatalogue) -> None:
    kept = tmp_path / "var" / "last-good" / live.version / "metadata/objects/good.yaml"
    kept.write_text(GOOD.replace("label: Good", "label: Forged"))
    write(workspace, {"metadata/objects/good.yaml": BROKEN})

    with pytest.raises(MetadataInvalid):
        LiveCatalogue(workspace, VOCABULARY, tmp_path / "var")


def test_only_the_last_versions_are_kept(workspace: Path, tmp_path: Path, live: LiveCatalogue) -> None:
    for number in range(4):
        write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", f"label: Good {number}")})
        settle(live)

    kept = sorted(entry.name for entry in (tmp_path / "var" / "last-good").iterdir())
    assert live.version in kept
    assert len(kept) == 2


def test_a_disk_that_takes_nothing_does_not_stop_an_edit(workspace: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    with caplog.at_level("INFO", "jumpseat"):
        live = LiveCatalogue(workspace, VOCABULARY, tmp_path / "var", interval_seconds=INTERVAL)
        write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Better")})
        assert settle(live)

    assert labels(live) == ["Better"]
    assert [entry.msg for entry in caplog.records] == ["last_good_not_kept", "last_good_not_kept", "metadata_live"]


def test_secret_files_are_found_from_the_last_good_version_too(workspace: Path, tmp_path: Path) -> None:
    source = "name: sandbox\nkind: salesforce\nlabel: CRM\nsettings:\n  instance_url: https://a.example\n  token: {file: secrets/one}\n"
    write(workspace, {"metadata/sources/sandbox.yaml": source, "secrets/one": "hunter2"})
    LiveCatalogue(workspace, VOCABULARY, tmp_path / "var")
    write(workspace, {"metadata/objects/good.yaml": BROKEN})

    again = LiveCatalogue(workspace, VOCABULARY, tmp_path / "var")

    assert again.current.sources["sandbox"].settings["token"].reveal() == "hunter2"


# --- the thread -------------------------------------------------------------------------------------------------------


def test_the_thread_takes_an_edit_within_as_many_looks_as_two_seconds_hold(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, heard, poll = 0, threading.Event(), LiveCatalogue.poll

    def counted(live: LiveCatalogue) -> bool:
        nonlocal looks
        looks += not heard.is_set()
        return poll(live)

    monkeypatch.setattr(LiveCatalogue, "poll", counted)
    with watching(LiveCatalogue(workspace, VOCABULARY, tmp_path / "var")) as live:
        live.on_change(lambda _: heard.set())
        before = looks
        write(workspace, {"metadata/objects/good.yaml": GOOD.replace("label: Good", "label: Better")})

        assert heard.wait(60)
        assert labels(live) == ["Better"]
    assert (looks - before) * INTERVAL_SECONDS <= 2.0


def test_starting_and_stopping_twice_is_harmless(live: LiveCatalogue) -> None:
    live.start()
    live.start()
    live.stop()
    live.stop()

    assert not any(thread.name == "jumpseat-catalogue" for thread in threading.enumerate())


def pair(number: int) -> dict[str, str | bytes]:
    """Two files that belong together: both hold the same number."""
    return {
        "metadata/objects/good.yaml": GOOD.replace("label: Good", f"label: Good {number}"),
        "metadata/host.yaml": f"company: Company {number}\n",
    }


def test_two_hundred_edits_a_second_never_mix_two_versions(workspace: Path, tmp_path: Path) -> None:
    write(workspace, pair(0))
    seen: list[Catalogue] = []
    with watching(LiveCatalogue(workspace, VOCABULARY, tmp_path / "var", interval_seconds=0.05)) as live:
        live.on_change(seen.append)
        end = time.monotonic() + 3
        number = 0
        while time.monotonic() < end:
            number += 1
            files = pair(number) | (
                {"metadata/sessions.yaml": BROKEN} if number % 7 == 0 else {"metadata/sessions.yaml": "valid_for: 1h\n"}
            )
            for path, text in files.items():
                (workspace / "new").write_bytes(text.encode() if isinstance(text, str) else text)
                (workspace / "new").rename(workspace / path)
            # A pause now and then, in which the files rest and may go live.
            time.sleep(0.2 if number % 100 == 0 else 0.005)
        write(workspace, pair(number) | {"metadata/sessions.yaml": "valid_for: 1h\n"})
        wait_for(lambda: live.current.host.company == f"Company {number}")

    assert seen
    for catalogue in seen:
        assert catalogue.objects[0].label == catalogue.host.company.replace("Company", "Good")


Operation = tuple[str, int]
operations = st.lists(
    st.tuples(st.sampled_from(["good", "bad", "half", "delete", "link", "pipe", "folder", "rename", "look", "move"]), st.integers(0, 3)),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(operations)
def test_whatever_happens_to_the_files_a_whole_good_version_is_served(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Operation]
) -> None:
    folder = tmp_path_factory.mktemp("live")
    workspace = small_workspace(folder / "w")
    live = LiveCatalogue(workspace, VOCABULARY, folder / "var", interval_seconds=0.001)
    good = {live.version}
    for what, number in steps:
        disturb(workspace, what, number)
        loaded = load(workspace, VOCABULARY)
        if loaded.catalogue:
            good.add(loaded.catalogue.version)
        live.poll()
        time.sleep(0.002)
        live.poll()

        assert live.version in good
        if loaded.catalogue:
            assert live.version == loaded.catalogue.version
        assert live.is_behind == (loaded.catalogue is None)


def disturb(workspace: Path, what: str, number: int) -> None:
    """Do one thing to one of four files."""
    file = workspace / "metadata" / "objects" / f"object{number}.yaml"
    text = GOOD.replace("Good__c", "Case" if number == 0 else "Good__c").replace("Good", f"Good{number}", 1)
    if what in {"good", "bad", "half", "delete", "link", "pipe", "folder"} and (file.is_symlink() or file.exists()):
        shutil.rmtree(file) if file.is_dir() and not file.is_symlink() else file.unlink()
    if what == "good":
        file.write_text(text)
    elif what == "bad":
        file.write_text("label: 1\n")
    elif what == "half":
        file.write_text(text[: len(text) // 2])
    elif what == "link":
        file.symlink_to(workspace / "metadata" / "objects" / f"object{(number + 1) % 4}.yaml")
    elif what == "pipe":
        os.mkfifo(file)
    elif what == "folder":
        file.mkdir()
    elif what == "rename" and file.is_file():
        file.rename(file.with_name(f"renamed{number}.yaml"))
    elif what == "move" and (workspace / "templates").exists():
        (workspace / "templates").rename(workspace / f"templates{number}")
