"""Files written all together or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jumpseat import InvalidValue, Refused, read_folder, write_files
from jumpseat.interchange import writing


def files_in(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_is_new_different_gone_and_the_same_is_told(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/old": "1", "a/same": "2", "a/gone": "3"})

    done = write_files(tmp_path, {"a/old": "one", "a/same": "2", "b/new": "4"}, replace=True, remove=["a/gone"])

    assert (done.created, done.replaced, done.removed, done.unchanged) == (("b/new",), ("a/old",), ("a/gone",), ("a/same",))
    assert files_in(tmp_path) == {"a/old": "one", "a/same": "2", "b/new": "4"}


def test_a_disk_that_fails_half_way_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"first": "1", "third": "3"})
    replace = os.replace

    def fail_at_third(source: Path, target: Path) -> None:
        if target.name == "third":
            raise OSError(28, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr(writing.os, "replace", fail_at_third)

    with pytest.raises(Refused) as refused:
        write_files(tmp_path, {"first": "one", "new/second": "2", "third": "three"}, replace=True)

    assert str(refused.value) == f"{tmp_path / 'third'} cannot be written: no space left on device. Nothing was changed."
    assert files_in(tmp_path) == {"first": "1", "third": "3"}
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", "a/../../outside"])
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(Refused, match=r"would lie outside of"):
        write_files(tmp_path / "in", {path: "x"})


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("mine")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").symlink_to(tmp_path / "target")

    with pytest.raises(Refused) as refused:
        write_files(tmp_path / "in", {"file": "x"}, replace=True)

    assert str(refused.value) == "file is there and is not a regular file. Nothing was written; move it away."
    assert (tmp_path / "target").read_text() == "mine"


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {f"{number}.xml": "" for number in range(4)})
    monkeypatch.setattr(writing, "MOST_FILES", 3)

    with pytest.raises(InvalidValue) as refused:
        read_folder(tmp_path, lambda path: True)
    assert str(refused.value) == f"{tmp_path} holds more than 3 files of metadata. Name a smaller folder."
