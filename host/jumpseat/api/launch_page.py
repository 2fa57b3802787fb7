"""The page that a frame in a CRM gets for a launch: what can be done with the record, and the token for whatever script comes later.

It needs no script, no style and no cookie; nothing but the pages of its record source may show it in a frame.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from jumpseat.catalogue.schemas import ORIGIN
from jumpseat.errors import JumpseatError
from jumpseat.hooks.trace import correlation_id
from jumpseat.launching import Launched

_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors "
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class _Words:
    """What the page says in one language; reasons and refusals are the host's own sentences."""

    language: str
    session: str
    until: str
    no_session: str
    actions: str
    action: Mapping[str, str]
    possible: str
    not_possible: str
    refused: str
    correlation: str
    colon: str


_WORDS = {
    "en": _Words(
        language="en",
        session="Session",
        until="valid until",
        no_session="There is no valid session.",
        actions="Actions",
        action={"new": "New session", "replace": "New session in place of this one", "join": "Join", "share": "Share", "close": "Close"},
        possible="possible",
        not_possible="not possible",
        refused="This page cannot be shown",
        correlation="For your administrator",
        colon=":",
    ),
    "fr": _Words(
        language="fr",
        session="Session",
        until="valide jusqu’au",
        no_session="Il n’y a pas de session valide.",
        actions="Actions",
        action={
            "new": "Nouvelle session",
            "replace": "Nouvelle session à la place de celle-ci",
            "join": "Rejoindre",
            "share": "Partager",
            "close": "Fermer",
        },
        possible="possible",
        not_possible="impossible",
        refused="Cette page ne peut pas être affichée",
        correlation="Pour votre administrateur",
        colon="\N{NO-BREAK SPACE}:",
    ),
}
"""By language; any other has the first one."""


def launch_page(launched: Launched, ancestors: Sequence[str], default_language: str) -> HTMLResponse:
    """The page of a launch, with its token.

    Args:
        launched: what was taken.
        ancestors: origins whose pages may show it in a frame.
        default_language: where the CRM does not say the supporter's.
    """
    token, buttons = launched.token, launched.buttons
    words = words_of(token.supporter.language or default_language)
    session = buttons.session
    return _page(
        words,
        ancestors,
        200,
        title=f"{buttons.record.label} {buttons.record.name}",
        token=token.token.reveal(),
        expires_at=_shown(token.expires_at),
        session=session,
        until=_shown(session.valid_until) if session else "",
        actions=buttons.actions,
        refusal=None,
    )


def refusal_page(refusal: JumpseatError, ancestors: Sequence[str], language: str) -> HTMLResponse:
    """The page of a launch that was refused; it shows what the API would answer.

    Args:
        refusal: why.
        ancestors: origins whose pages may show it in a frame.
        language: of the host, for nobody knows whose launch it was.
    """
    words = words_of(language)
    return _page(words, ancestors, refusal.status, title=words.refused, token="", refusal=refusal, correlation_id=correlation_id())


def framing(ancestors: Sequence[str]) -> str:
    """The Content-Security-Policy of a page that these origins may show in a frame."""
    # The schema has checked them; a line break at the end of one would still pass it, and never this.
    return _POLICY + (" ".join(origin for origin in ancestors if re.fullmatch(ORIGIN, origin)) or "'none'")


def words_of(language: str) -> _Words:
    """The words of a language, BCP 47 or as Salesforce writes it (``fr_CA``)."""
    return _WORDS.get(re.split("[-_]", language)[0].lower(), _WORDS["en"])


def _page(words: _Words, ancestors: Sequence[str], status: int, **shown: object) -> HTMLResponse:
    english = Markup("" if words.language == "en" else ' lang="en"')
    text = _TEMPLATES.get_template("launch.html").render(words=words, english=english, **shown)
    return HTMLResponse(text, status, {"Content-Security-Policy": framing(ancestors), "Vary": "Accept"})


def _shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
