"""``jumpseat explain``: what the code of a metadata problem means."""

from __future__ import annotations

import click

from jumpseat.cli.context import answer, json_option
from jumpseat.errors import NotFound


@click.command()
@click.argument("code", required=False)
@json_option
def explain(code: str | None, as_json: bool) -> None:
    """Explain the problem CODE, such as M102; without CODE, list all codes."""
    from jumpseat.catalogue.codes import CODES

    if code is None:
        items = [{"code": key, "title": CODES[key].title} for key in sorted(CODES)]
        answer(as_json, {"items": items}, lambda: "\n".join(f"{one['code']}  {one['title']}" for one in items))
        return
    key = code.strip().upper()
    if key not in CODES:
        raise NotFound(f"There is no code '{code[:40]}'. {_hint(key, tuple(CODES))}", param="code")
    found = CODES[key]
    data = {"code": key, "title": found.title, "explanation": found.explanation, "wrong": found.wrong, "right": found.right}
    answer(
        as_json,
        data,
        lambda: f"{key}: {found.title}\n\n{found.explanation}\n\nWrong:\n{_indented(found.wrong)}\n\nRight:\n{_indented(found.right)}",
    )


def _hint(key: str, codes: tuple[str, ...]) -> str:
    from jumpseat.catalogue.vocabulary import near

    meant = near(key, codes)
    return f"Did you mean '{meant}'?" if meant else "'jumpseat explain' lists all codes."


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
