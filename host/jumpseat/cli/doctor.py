"""``jumpseat doctor``: everything a running host depends on, each with what was found and what to do."""

from __future__ import annotations

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context


@click.command()
@json_option
@pass_context
def doctor(ctx: Context, as_json: bool) -> int:
    """Check everything a running host depends on; exit code 1 when something failed.

    Looked at are metadata, plugins, database, processes, the secret key, record sources, sign-ins, session types, channels, webhooks, the
    public address and the clock. CRMs and providers are asked, nothing is changed.
    """
    from jumpseat.diagnosis import findings as found_in
    from jumpseat.diagnosis.finding import printed

    with ctx.host() as host:
        findings = list(found_in(host))
    answer(as_json, [item.as_json() for item in findings], lambda: printed(findings))
    return 1 if any(item.state == "failed" for item in findings) else 0
