"""The way from a button to a provider's page, which no page of the host names."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from jumpseat.secret import Secret
from jumpseat.web.identity import Visitor
from jumpseat.web.rendering import bare


def led_to(visitor: Visitor, address: Secret) -> Response:
    """Lead the browser to an address that was made for this click.

    Browsers let no form of a page be redirected to another site than the page's policy names, and the provider's is not known before.
    A header has the browser go on instead; like that of a redirect it stands in no page.
    """
    response = bare(visitor.look, "leaving.html")
    response.headers["Refresh"] = f"0;url={quote(address.reveal(), safe=_SAFE)}"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


_SAFE = ":/%#?=@[]!$&'()*+,;"
