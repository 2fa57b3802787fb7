"""Reads SOQL: a SELECT with dotted relations and child queries, WHERE, ORDER BY, LIMIT, OFFSET. What it does not know is malformed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from jumpseat_fake_crm.web import CrmError

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<date>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?)
    |(?P<number>[+-]?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][\w.]*)
    |(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,))""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "_": "_", "%": "%"}
_SIGNS = {"=", "!=", "<>", "<", "<=", ">", ">="}


class Token(NamedTuple):
    """A word of the query and where it stands."""

    kind: str
    text: str
    at: int


class Path(NamedTuple):
    """``Contact.Account.Name``."""

    names: tuple[str, ...]
    at: int
    """Place in the query."""


class Literal(NamedTuple):
    """A value: text, number, date, true, false or null."""

    kind: str
    value: Any


class Comparison(NamedTuple):
    """``Path OPERATOR value``; the value of IN is a tuple of literals or a query."""

    path: Path
    operator: str
    value: Any


class Logic(NamedTuple):
    """AND, OR or NOT over conditions."""

    operator: str
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """A query that was read."""

    items: tuple[Path | Select, ...]
    object: str
    where: Comparison | Logic | None = None
    order: tuple[tuple[Path, bool, bool], ...] = ()
    """Field, descending, nulls last."""
    limit: int | None = None
    offset: int = 0
    counts: bool = False
    """``SELECT COUNT()``."""


def malformed(message: str) -> CrmError:
    """The refusal of a query that cannot be read."""
    return CrmError(400, "MALFORMED_QUERY", message)


def read(text: str) -> Select:
    """Read a query.

    Raises:
        CrmError: ``MALFORMED_QUERY``.
    """
    reader = _Reader(_tokens(text))
    select = reader.select()
    if reader.now.kind != "end":
        raise malformed(f"unexpected token: '{reader.now.text}'")
    return select


def _tokens(text: str) -> list[Token]:
    found, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise malformed(f"line 1:{place} no viable alternative at character '{text[place:].lstrip()[:1]}'")
        found.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        place = match.end()
    return [*found, Token("end", "<EOF>", len(text))]


class _Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._place = tokens, 0

    @property
    def now(self) -> Token:
        return self._tokens[self._place]

    def take(self) -> Token:
        token = self.now
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def is_word(self, *words: str) -> bool:
        """Do these words stand here?"""
        ahead = self._tokens[self._place : self._place + len(words)]
        return [token.text.upper() for token in ahead if token.kind == "word"] == list(words)

    def skip(self, *words: str) -> bool:
        if not self.is_word(*words):
            return False
        self._place += len(words)
        return True

    def need(self, text: str) -> None:
        if self.take_if(text):
            return
        raise malformed(f"unexpected token: '{self.now.text}'")

    def take_if(self, text: str) -> bool:
        if self.now.text.upper() != text or self.now.kind == "string":
            return False
        self.take()
        return True

    def select(self) -> Select:
        self.need("SELECT")
        counts = self._counts()
        items = () if counts else self._items()
        self.need("FROM")
        object = self._name()
        where = self._or() if self.skip("WHERE") else None
        order = self._order() if self.skip("ORDER", "BY") else ()
        limit = self._whole() if self.skip("LIMIT") else None
        offset = self._whole() if self.skip("OFFSET") else 0
        return Select(items, object, where, order, limit, offset, counts)

    def _counts(self) -> bool:
        if not self.is_word("COUNT"):
            return False
        self.take()
        self.need("(")
        self.need(")")
        return True

    def _items(self) -> tuple[Path | Select, ...]:
        items: list[Path | Select] = []
        while True:
            if self.take_if("("):
                items.append(self.select())
                self.need(")")
            else:
                items.append(self._path())
            if not self.take_if(","):
                return tuple(items)

    def _name(self) -> str:
        if self.now.kind != "word":
            raise malformed(f"unexpected token: '{self.now.text}'")
        return self.take().text

    def _path(self) -> Path:
        if self.now.kind != "word" or self.now.text.upper() in {"FROM", "WHERE", "AND", "OR", "ORDER", "LIMIT"}:
            raise malformed(f"unexpected token: '{self.now.text}'")
        token = self.take()
        return Path(tuple(token.text.split(".")), token.at)

    def _or(self) -> Comparison | Logic:
        """One level of AND or of OR; both on one level need brackets, as in SOQL."""
        parts = [self._not()]
        operator = "AND" if self.is_word("AND") else "OR"
        while self.skip(operator):
            parts.append(self._not())
        if self.is_word("AND") or self.is_word("OR"):
            raise malformed(f"unexpected token: '{self.now.text}'")
        return parts[0] if len(parts) == 1 else Logic(operator, tuple(parts))

    def _not(self) -> Comparison | Logic:
        if self.skip("NOT"):
            return Logic("NOT", (self._not(),))
        if self.take_if("("):
            inner = self._or()
            self.need(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        path = self._path()
        if self.now.kind == "sign" and self.now.text in _SIGNS:
            sign = self.take().text
            return Comparison(path, "!=" if sign == "<>" else sign, self._literal())
        if self.skip("LIKE"):
            return Comparison(path, "LIKE", self._literal())
        if self.skip("NOT", "IN"):
            return Comparison(path, "NOT IN", self._list())
        if self.skip("IN"):
            return Comparison(path, "IN", self._list())
        raise malformed(f"unexpected token: '{self.now.text}'")

    def _list(self) -> Any:
        self.need("(")
        if self.is_word("SELECT"):
            inner: Any = self.select()
        else:
            inner = [self._literal()]
            while self.take_if(","):
                inner.append(self._literal())
            inner = tuple(inner)
        self.need(")")
        return inner

    def _literal(self) -> Literal:
        token = self.take()
        if token.kind == "string":
            return Literal("string", _unescape(token.text[1:-1]))
        if token.kind == "number":
            return Literal("number", float(token.text))
        if token.kind == "date":
            return Literal("date", token.text)
        words = {"true": True, "false": False, "null": None}
        if token.kind == "word" and token.text.lower() in words:
            return Literal("null" if token.text.lower() == "null" else "boolean", words[token.text.lower()])
        raise malformed(f"unexpected token: '{token.text}'")

    def _order(self) -> tuple[tuple[Path, bool, bool], ...]:
        order = []
        while True:
            path = self._path()
            descending = self.skip("DESC") or (self.skip("ASC") and False)
            last = self.skip("NULLS", "LAST") or (self.skip("NULLS", "FIRST") and False)
            order.append((path, descending, last))
            if not self.take_if(","):
                return tuple(order)

    def _whole(self) -> int:
        token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise malformed(f"unexpected token: '{token.text}'")
        return int(token.text)


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPES:
            raise malformed(f"Illegal escape sequence in string literal: \\{match[1]}")
        return _ESCAPES[match[1]]

    return re.sub(r"\\(.)", one, text, flags=re.DOTALL)
