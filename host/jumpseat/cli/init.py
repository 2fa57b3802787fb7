"""``jumpseat init``: a new workspace, made of the metadata and templates that ship."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from jumpseat.cli.context import answer, json_option
from jumpseat.errors import Refused, WorkspaceNotFound

_PARTS = ("metadata", "templates")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def init(folder: Path, as_json: bool) -> None:
    """Make a new workspace in DIR: the five standard objects, two permission sets, a sample CRM, templates."""
    start = starter()
    for part in _PARTS:
        if (folder / part).exists():
            raise Refused(f"{folder / part} exists already and is not overwritten. Name another folder.")
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is not a folder. Name another one.")
    folder.mkdir(parents=True, exist_ok=True)
    for part in _PARTS:
        shutil.copytree(start / part, folder / part, ignore=shutil.ignore_patterns(".*", "*~", "__pycache__"))
    answer(
        as_json,
        {"workspace": str(folder)},
        lambda: f"Made a workspace in {folder}. Next: jumpseat --workspace {folder} check",
    )


def starter() -> Path:
    """The folder with the metadata and templates that ship: in the wheel, or in the checkout it is installed from.

    Raises:
        WorkspaceNotFound: this installation came without them.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "starter", package.parents[1]):
        if all((folder / part).is_dir() for part in _PARTS):
            return folder
    raise WorkspaceNotFound("This installation holds no starter workspace. Install jumpseat again from its wheel.")
