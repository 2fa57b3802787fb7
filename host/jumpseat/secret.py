"""Secrets: values that never show themselves, and the redaction of text that may hold one."""

from __future__ import annotations

import re

from jumpseat.speech import Said

MASK = "***"


class Secret:
    """A text that prints as ``***`` everywhere but where its owner asks for it.

    Supporter links, tokens, keys and passwords travel as ``Secret``; ``str()``, ``repr()``, ``format()``, logs and JSON
    dumps of it show the mask.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; call it only where the text leaves for its addressee."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled or copied out of the process")


# The shapes in which secrets turn up in texts that somebody else wrote (provider answers, plugin output).
_SHAPES = (
    re.compile(r"(?i)\b(bearer|basic|token)\s+[a-z0-9._~+/=-]{8,}"),
    re.compile(
        r"""(?ix) (["']? \b [a-z_-]* (?: password | secret | token | api[_-]?key | authorization ) ["']? \s* [:=] \s* ["']?)
        (?! \{(?:env|file): ) [^\s"',;&}]{4,}"""
    ),
    re.compile(r"(?i)(://[^/\s:@]+:)[^/\s@]+(?=@)"),
    # A supporter link of TeamViewer is the customer link and a token behind a dash.
    re.compile(r"(https?://[^\s/]+/(?:[\w.-]+/)*s\d{6,12}-)[A-Za-z0-9]{6,}"),
    re.compile(r"(?i)([?&](?:servicequeuetoken|access_token|code|key|sig)=)[^&\s]+"),
)


def redact(text: str, secrets: tuple[Secret, ...] = ()) -> str:
    """``text`` with the given secrets, and whatever has the shape of one, masked.

    Args:
        text: any text that may go to a log, a trace row or a message.
        secrets: values known to be secret; masked wherever they stand.

    Returns:
        The same text with ``***`` in place of each secret; one that was said stays translatable where the secrets stand in its values.
    """
    masked = _masked(text, secrets)
    if not isinstance(text, Said):
        return masked
    said = text if masked == text else text.with_values(lambda value: redact(value, secrets))
    return said if said == masked else masked


def _masked(text: str, secrets: tuple[Secret, ...]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret.reveal(), MASK)
    for shape in _SHAPES:
        text = shape.sub(lambda found: (found.group(1) if found.lastindex else "") + MASK, text)
    return text
