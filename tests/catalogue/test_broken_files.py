"""Each broken file of the corpus is answered with exactly the text that stands beside it.

``broken/objects/tab.yaml`` is put into a small workspace as ``metadata/objects/tab.yaml``; what ``jumpseat check`` would print
is ``broken/objects/tab.txt``. A file at the top of ``broken/`` is the one of its first word (``sessions_allow.yaml``).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from workspaces import VOCABULARY, write

from jumpseat.catalogue.load import load
from jumpseat.catalogue.problems import has_errors, render_all

BROKEN = Path(__file__).parent / "broken"
CASES = sorted(BROKEN.rglob("*.yaml"))


def place_of(case: Path) -> str:
    if case.parent == BROKEN:
        return f"metadata/{case.stem.split('_')[0]}.yaml"
    return f"metadata/{case.relative_to(BROKEN).as_posix()}"


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.relative_to(BROKEN).with_suffix("").as_posix())
def test_a_broken_file_is_answered_with_place_cause_and_fix(case: Path, workspace: Path) -> None:
    write(workspace, {place_of(case): case.read_bytes()})

    loaded = load(workspace, VOCABULARY)

    assert render_all(loaded.problems) + "\n" == case.with_suffix(".txt").read_text()
    assert (loaded.catalogue is None) == has_errors(loaded.problems)
    assert loaded.problems
