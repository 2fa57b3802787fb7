"""The checks of the code itself: floors, lint, format, types, sizes, pins, and what the project says of itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = ("host", "plugins", "tests")
LONGEST_FILE = 600
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def test_ruff_finds_nothing() -> None:
    done = run("ruff", "check", *CODE)
    assert done.returncode == 0, done.stdout


def test_the_code_is_formatted() -> None:
    done = run("ruff", "format", "--check", *CODE)
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(600)
def test_the_types_are_strict_and_clean() -> None:
    done = run("mypy")
    assert done.returncode == 0, done.stdout


def test_a_room_imports_only_from_rooms_below_it() -> None:
    # import-linter brings a command and no module to run.
    done = subprocess.run([str(Path(sys.executable).with_name("lint-imports"))], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    long = [
        f"{file.relative_to(ROOT)}: {lines}" for file in python_files(*CODE) if (lines := len(file.read_text().splitlines())) > LONGEST_FILE
    ]
    assert long == []


def test_every_public_function_says_what_it_does() -> None:
    silent = [name for file in python_files("host", "plugins") for name in undocumented(file)]
    assert silent == []


def undocumented(file: Path) -> Iterator[str]:
    """Public module-level functions and classes without a docstring; hook implementations are documented by their specification."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_") or ast.get_docstring(node):
            continue
        if "versions" in file.parts or any(isinstance(mark, ast.Name) and mark.id == "hookimpl" for mark in node.decorator_list):
            continue
        yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"


def test_every_package_that_is_installed_is_pinned_to_the_tested_version() -> None:
    pins = dict(constraint.split(";")[0].strip().split("==") for constraint in PYPROJECT["tool"]["uv"]["constraint-dependencies"])
    installed = {re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower(): found.version for found in distributions()}
    installed.pop("jumpseat")

    assert {name: version for name, version in installed.items() if pins.get(name) != version and name not in UNPINNED} == {}


UNPINNED = {"setuptools", "wheel", "uv"}
"""Tools that a machine may have of its own."""


def test_the_version_is_the_same_in_the_package_and_in_its_description() -> None:
    import jumpseat

    assert jumpseat.__version__ == PYPROJECT["project"]["version"]


def test_every_error_has_a_code_of_its_own_that_stands_in_the_tree() -> None:
    from jumpseat import errors

    classes = [found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, errors.JumpseatError)]
    codes = [found.code for found in classes]
    assert len(set(codes)) == len(codes)
    for found in classes:
        line = re.search(rf"{found.__name__}\s+{found.code}\s+(\d+)\s+exit (\d)", errors.__doc__ or "")
        assert line, f"{found.__name__} is missing in the tree of errors.py"
        assert (found.status, int(found.exit_code)) == (int(line[1]), int(line[2]))


def test_every_operation_of_the_host_declares_its_right() -> None:
    from jumpseat.access.rights import OPERATIONS, UNGUARDED
    from jumpseat.catalogue.rights import all_rights
    from jumpseat.host import Host

    not_operations = {"close", "operator", "supporter", "key_supporter", "open", "deliver", "once", "start_worker", "tick", "routes"}
    not_operations |= {"take_launch_ticket", "take_canvas_launch", "take_signed_launch", "renew_launch", "launch_supporter"}
    not_operations |= {"explain_access", "store_reachable", "announce", "stop_worker", "settle_share", "session_changed", "frame_ancestors"}
    methods = {name for name in dir(Host) if not name.startswith("_") and callable(getattr(Host, name))}

    assert methods - not_operations == set(OPERATIONS)
    assert {right for right in OPERATIONS.values() if right != UNGUARDED} <= set(all_rights())
