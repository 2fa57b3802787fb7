"""The pages at the end of a sign-in: they say what came of it, and close the window in which it took place."""

from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse, Response

from jumpseat.errors import JumpseatError
from jumpseat.hooks.trace import correlation_id

SCRIPT_ADDRESS = "/sign-in/close.js"
SCRIPT = "window.close();\n"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
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


def _page(language: str, title: str, body: str, status: int, *, closes: bool) -> HTMLResponse:
    close = f'<script src="{SCRIPT_ADDRESS}" defer></script>' if closes else ""
    text = (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>{close}</head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>\n"
    )
    return HTMLResponse(text, status, _HEADERS)


def _language(languages: str) -> str:
    """French where it is wanted before English, else English."""
    wanted = [part.split(";")[0].strip().lower()[:2] for part in languages[:200].split(",")]
    return next((language for language in wanted if language in _WORDS), "en")
