"""The pages behind the links of a session, and the one to grant access: plain HTML, no script, English and French."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from jumpseat_teamviewer.emulator.model import Case, Report, User

TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "customer": "Remote support",
        "supporter": "Support session",
        "joined": "You are in the waiting room of session {code}.",
        "left": "You have left session {code}.",
        "over": "Session {code} is over. Ask for a new link.",
        "waiting": "The customer is not there yet. This page looks again every few seconds.",
        "connected": "You are connected to the customer of session {code}.",
        "disconnected": "You have left session {code}. The connection stands in the report.",
        "leave": "Leave",
        "again": "Join again",
        "unknown": "This link leads to no session.",
        "emulated": "This page belongs to the local emulator. No screen is shared.",
        "grant_title": "Grant access",
        "grant_text": "An application asks for access to the account of:",
        "grant": "Grant",
        "refuse": "Refuse",
    },
    "fr": {
        "customer": "Assistance à distance",
        "supporter": "Session d’assistance",
        "joined": "Vous êtes dans la salle d’attente de la session {code}.",
        "left": "Vous avez quitté la session {code}.",
        "over": "La session {code} est terminée. Demandez un nouveau lien.",
        "waiting": "Le client n’est pas encore là. Cette page vérifie toutes les quelques secondes.",
        "connected": "Vous êtes connecté au client de la session {code}.",
        "disconnected": "Vous avez quitté la session {code}. La connexion figure dans le rapport.",
        "leave": "Quitter",
        "again": "Rejoindre à nouveau",
        "unknown": "Ce lien ne mène à aucune session.",
        "emulated": "Cette page appartient à l’émulateur local. Aucun écran n’est partagé.",
        "grant_title": "Autoriser l’accès",
        "grant_text": "Une application demande l’accès au compte de :",
        "grant": "Autoriser",
        "refuse": "Refuser",
    },
}
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}
STYLE = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color:#1b1f24;background:#fff}"
    "button{font:inherit;padding:.6rem 1.4rem;min-height:44px;cursor:pointer}small{color:#57606a}"
)


def choose_language(named: str | None, accept: str) -> str:
    """``fr`` or ``en``: the one named, else the first of the two in an ``Accept-Language`` header, else English."""
    if named is not None and named in TEXTS:
        return named
    for part in accept.lower().split(","):
        if (language := part.strip()[:2]) in TEXTS:
            return language
    return "en"


def customer_page(case: Case, path: str, language: str, *, inside: bool, over: bool) -> str:
    """What the customer sees behind the link."""
    texts = TEXTS[language]
    message = escape(texts["over" if over else "joined" if inside else "left"].format(code=case.code))
    wait = f"<p>{escape(case.waiting_message)}</p>" if inside and case.waiting_message else ""
    return _page(language, texts["customer"], f"<p role=status>{message}</p>{wait}{_button(texts, path, inside=inside, over=over)}")


def supporter_page(case: Case, path: str, language: str, connection: Report | None, *, left: bool, over: bool) -> str:
    """What the supporter sees behind the link; looks again by itself until the customer is there."""
    texts = TEXTS[language]
    if over or left:
        message = texts["over" if over else "disconnected"]
        return _page(
            language, texts["supporter"], f"<p role=status>{_with_code(message, case)}</p>{_button(texts, path, inside=False, over=over)}"
        )
    if connection is None:
        return _page(language, texts["supporter"], f"<p role=status>{_with_code(texts['waiting'], case)}</p>", refresh=5)
    body = f"<p role=status>{_with_code(texts['connected'], case)}</p>{_button(texts, path, inside=True, over=False)}"
    return _page(language, texts["supporter"], body)


def unknown_page(language: str) -> str:
    """For a link that leads nowhere, or whose secret is wrong."""
    return _page(language, TEXTS[language]["customer"], f"<p role=status>{escape(TEXTS[language]['unknown'])}</p>")


def grant_page(query: Mapping[str, str], users: Mapping[str, User], language: str) -> str:
    """Where a user grants an application access."""
    texts = TEXTS[language]
    hidden = "".join(f'<input type=hidden name="{escape(name)}" value="{escape(value)}">' for name, value in query.items())
    choice = "".join(f'<option value="{escape(user.id)}">{escape(user.name)}</option>' for user in users.values())
    body = (
        f"<form method=post>{hidden}<p><label>{escape(texts['grant_text'])} <select name=user>{choice}</select></label></p>"
        f"<button name=decision value=grant>{escape(texts['grant'])}</button> "
        f"<button name=decision value=refuse>{escape(texts['refuse'])}</button></form>"
    )
    return _page(language, texts["grant_title"], body)


def _with_code(text: str, case: Case) -> str:
    return escape(text.format(code=case.code))


def _button(texts: Mapping[str, str], path: str, *, inside: bool, over: bool) -> str:
    if over:
        return ""
    if inside:
        return f'<form method=post action="{escape(path)}/leave"><button>{escape(texts["leave"])}</button></form>'
    return f'<p><a href="{escape(path)}">{escape(texts["again"])}</a></p>'


def _page(language: str, title: str, body: str, *, refresh: int | None = None) -> str:
    again = f'<meta http-equiv=refresh content="{refresh}">' if refresh else ""
    return (
        f'<!doctype html><html lang={language}><head><meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1">'
        f"{again}<title>{escape(title)}</title><style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>{body}"
        f"<p><small>{escape(TEXTS[language]['emulated'])}</small></p></main></body></html>"
    )
