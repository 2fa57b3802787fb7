"""The pages of a sign-in: the first asks whether it is meant, the last says what came of it and closes the window."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

from starlette.responses import HTMLResponse, Response

from jumpseat.errors import JumpseatError
from jumpseat.hooks.trace import correlation_id

SCRIPT_ADDRESS = "/sign-in/close.js"
SCRIPT = "window.close();\n"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_ASKING_HEADERS = {**_HEADERS, "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"}
"""Without a rule for forms: browsers hold that against the provider's page too, to which the form leads on."""
_ASKING = {
    "en": (
        "Sign in to {label}",
        "The account with which you sign in to {label} next will be used here by {who}. Go on only if that is meant.",
        "Go on to {label}",
    ),
    "fr": (
        "Connexion à {label}",
        "Le compte avec lequel vous allez vous connecter à {label} sera utilisé ici par {who}. Continuez seulement si c’est voulu.",
        "Continuer vers {label}",
    ),
}
_WHOLE_COMPANY = {"en": "the whole company", "fr": "toute l’entreprise"}
_WORDS = {
    "en": (
        "Signed in",
        "{account} is signed in to {label} now. This window can be closed.",
        "The sign-in failed",
        "For your administrator",
    ),
    "fr": (
        "Connecté",
        "{account} est maintenant connecté à {label}. Vous pouvez fermer cette fenêtre.",
        "La connexion a échoué",
        "Pour l’administrateur",
    ),
}
_COMPANY = {"en": "The company", "fr": "L’entreprise"}


def ask(label: str, owner: str, languages: str) -> HTMLResponse:
    """The page that a ticket leads to: for whom the sign-in is, and a button that goes on.

    Args:
        label: what people call the provider.
        owner: name of the supporter; empty for the company.
        languages: the header ``Accept-Language``.
    """
    language = _language(languages)
    title, text, button = (escape(words.format(label=label, who=owner or _WHOLE_COMPANY[language])) for words in _ASKING[language])
    form = f'<form method="post"><button>{button}</button></form>'
    return _page(language, title, f"<p>{text}</p>{form}", 200, closes=False, headers=_ASKING_HEADERS)


def done(label: str, account: str, owner: str, languages: str) -> HTMLResponse:
    """The page after a sign-in that went well; it closes itself where the browser lets it.

    Args:
        label: what people call the provider.
        account: whose account it is there, if the provider said so.
        owner: name of the supporter; empty for the company.
        languages: the header ``Accept-Language``.
    """
    language = _language(languages)
    title, text, _, _ = _WORDS[language]
    who = owner or _COMPANY[language]
    said = text.format(account=f"{who} ({account})" if account else who, label=label)
    return _page(language, title, f"<p>{escape(said)}</p>", 200, closes=True)


def failed(error: JumpseatError, languages: str) -> HTMLResponse:
    """The page after one that did not: what happened, and what to do."""
    language = _language(languages)
    _, _, title, correlation = _WORDS[language]
    body = f"<p>{escape(error.message)}</p><p><small>{escape(error.code)} – {correlation}: {escape(correlation_id())}</small></p>"
    return _page(language, title, body, error.status, closes=False)


def script() -> Response:
    """What closes the window; a file of its own, for pages hold no script."""
    return Response(SCRIPT, media_type="text/javascript", headers={"Cache-Control": "public, max-age=86400"})


def _page(
    language: str, title: str, body: str, status: int, *, closes: bool, headers: Mapping[str, str] = MappingProxyType(_HEADERS)
) -> HTMLResponse:
    close = f'<script src="{SCRIPT_ADDRESS}" defer></script>' if closes else ""
    text = (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>{close}</head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>\n"
    )
    return HTMLResponse(text, status, headers)


def _language(languages: str) -> str:
    """French where it is wanted before English, else English."""
    wanted = [part.split(";")[0].strip().lower()[:2] for part in languages[:200].split(",")]
    return next((language for language in wanted if language in _WORDS), "en")
