"""``jumpseat schema``: the JSON Schemas of the metadata, for editors."""

from __future__ import annotations

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context
from jumpseat.errors import ExitCode


@click.group()
def schema() -> None:
    """Write the JSON Schemas of the metadata for editors."""


@schema.command()
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit code 1 when a file is missing or old.")
@json_option
@pass_context
def write(ctx: Context, only_check: bool, as_json: bool) -> None:
    """Write metadata/schema/*.json as this version of Jumpseat reads the metadata."""
    from jumpseat.catalogue.schemas import published

    folder = ctx.find_workspace() / "metadata" / "schema"
    texts = published()
    old = [name for name, text in texts.items() if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text]
    if old and not only_check:
        folder.mkdir(exist_ok=True)
        for name in old:
            (folder / name).write_text(texts[name], encoding="utf-8")
    did = "missing or old" if only_check else "written"
    lines = [f"metadata/schema/{name} {did}" for name in old] or [f"All {len(texts)} schemas are up to date."]
    answer(
        as_json, {"files": [f"metadata/schema/{name}" for name in old], "written": bool(old) and not only_check}, lambda: "\n".join(lines)
    )
    if old and only_check:
        click.get_current_context().exit(ExitCode.PROBLEM)
