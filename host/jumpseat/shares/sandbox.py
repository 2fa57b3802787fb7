# ruff: noqa: ARG002  # overrides name every argument of Jinja's methods
"""The sandbox in which templates are filled in: Jinja with nothing in it but the context, a few filters, and one language's dates.

The catalogue has already refused every construct that could look further; here nothing else can be reached even so.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal

import jinja2
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from jumpseat.catalogue.template_language import SYNTAX
from jumpseat.shares.clean import cut, one_line, without_encoded_words

Kind = Literal["subject", "text", "html"]


class RecordValues(dict[str, Any]):
    """The record's variables; a field that this object does not have is empty, as in Salesforce's merge fields."""


@lru_cache(maxsize=128)
def environment(kind: Kind, language: str) -> Sandbox:
    """The one environment for a kind of text in a language."""
    return Sandbox(kind, language)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja with nothing in it but the context, the filters of the template language, and one language's dates."""

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    intercepted_unops = frozenset(ImmutableSandboxedEnvironment.default_unop_table)

    def __init__(self, kind: Kind, language: str) -> None:
        super().__init__(autoescape=kind == "html", undefined=jinja2.StrictUndefined, finalize=self.shown, cache_size=0, **SYNTAX)
        self.kind = kind
        self.locale = _locale(language)
        self.globals = {}
        self.tests = {}
        self.filters = {
            "date": self.day,
            "default": lambda value, words: value or words,
            "lines": self.lines,
            "lower": lambda value: self.shown(value).lower(),
            "short": self.short,
            "time": self.time,
            "trim": lambda value: self.shown(value).strip(),
            "truncate": lambda value, longest: cut(self.shown(value), longest),
            "upper": lambda value: self.shown(value).upper(),
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up in the context's own dictionaries and nowhere else: no attribute of any object can be reached."""
        if type(obj) in (dict, RecordValues):
            return obj[attribute] if attribute in obj else "" if type(obj) is RecordValues else self.undefined(name=attribute)
        return "" if obj == "" else self.undefined(name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Brackets are not part of the language."""
        return self.undefined(name=str(argument)[:50])

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Nothing can be called."""
        raise SecurityError("a template calls nothing")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """There is no arithmetic, so nothing can be multiplied into memory."""
        raise SecurityError("a template does not calculate")

    def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
        """See ``call_binop``."""
        raise SecurityError("a template does not calculate")

    def shown(self, value: Any) -> Any:
        """A value as people read it; in a subject, on one line and without encoded words."""
        if value is None:
            return ""
        if isinstance(value, datetime):
            return f"{self.day(value)}, {self.time(value)}"
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Markup):
            return value
        if not isinstance(value, (str, int, float, jinja2.Undefined)):
            return ""  # an object of Jinja's own, such as self
        return without_encoded_words(one_line(str(value))) if self.kind == "subject" else str(value)

    def day(self, value: Any) -> Any:
        """31 January 2030."""
        at = _as_time(value)
        return self.shown(value) if at is None else _plain_spaces(format_date(at, "long", self.locale))

    def time(self, value: Any) -> Any:
        """14:30 UTC."""
        at = _as_time(value)
        return self.shown(value) if not isinstance(at, datetime) else f"{_plain_spaces(format_time(at, 'short', locale=self.locale))} UTC"

    def short(self, value: Any) -> Any:
        """2030-01-31 14:30 UTC, the same in every language."""
        at = _as_time(value)
        if isinstance(at, datetime):
            return at.strftime("%Y-%m-%d %H:%M UTC")
        return self.shown(value) if at is None else at.isoformat()

    def lines(self, value: Any) -> Any:
        """A text of several lines; in HTML with ``<br>`` between them."""
        text = self.shown(value)
        return Markup("<br>\n").join(escape(line) for line in text.split("\n")) if self.kind == "html" else text


def _as_time(value: Any) -> datetime | date | None:
    """A time in UTC, or a day; also from the texts in which CRMs write them."""
    if isinstance(value, str) and value[:1].isdigit():
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value if isinstance(value, date) else None


def _plain_spaces(text: str) -> str:
    """Narrow and unbreakable spaces as plain ones: a telephone writes them in an alphabet that halves an SMS."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
