"""Forms that a page posts: read whole before a handler runs, and the mark without which none is believed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from jumpseat.errors import Refused, UsageError
from jumpseat.secret import Secret

FORM = "application/x-www-form-urlencoded"
TOKEN = "form_token"  # noqa: S105  # the name of a field
ONCE = "once"
MOST_FIELDS = 500
FORGED = "This page has been open for too long, or the form was not sent from it. Load the page again and repeat what you did."


@dataclass(frozen=True, slots=True)
class Form:
    """What was posted."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field, without spaces around it."""
        return self.values.get(name, (default,))[0].strip()

    def text(self, name: str) -> str:
        """The first value of a field exactly as it was typed, with the line ends of a file."""
        return self.values.get(name, ("",))[0].replace("\r\n", "\n")

    def all(self, name: str) -> list[str]:
        """All values of a field, such as those of check boxes."""
        return list(self.values.get(name, ()))

    def ticked(self, name: str) -> bool:
        """Is a check box ticked?"""
        return name in self.values

    def under(self, prefix: str) -> dict[str, str]:
        """The last value of each field whose name begins so, by the rest of its name."""
        return {name.removeprefix(prefix): values[-1].strip() for name, values in self.values.items() if name.startswith(prefix)}

    @property
    def once(self) -> str | None:
        """Key of this very form: sent twice, it has one effect."""
        return self.get(ONCE) or None


async def posted(request: Request) -> Form:
    """The form of a request; an empty one where nothing was posted.

    Raises:
        UsageError: it is something else than a form.
    """
    if request.method in ("GET", "HEAD"):
        return Form()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UsageError(f"A page is sent as a form: send 'Content-Type: {FORM}'.")
    try:
        text = (await request.body()).decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise UsageError(f"The form cannot be read: it is not UTF-8, or has more than {MOST_FIELDS} fields.") from None
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Form(values)


Posted = Annotated[Form, Depends(posted)]


def form_token(token: Secret) -> str:
    """What the forms of a visit carry: nobody who does not hold the cookie can know it."""
    return hashlib.sha256(f"form {token.reveal()}".encode()).hexdigest()[:32]


def believe(form: Form, token: Secret) -> None:
    """Refuse a form that another site made a browser send.

    Raises:
        Refused: the mark is missing or another one.
    """
    if not hmac.compare_digest(form.get(TOKEN), form_token(token)):
        raise Refused(FORGED)


def fresh_once() -> str:
    """A key for one rendering of one form."""
    return secrets.token_urlsafe(12)
