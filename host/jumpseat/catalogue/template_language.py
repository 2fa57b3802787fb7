"""The language of templates: the small part of Jinja that a share needs, and the check that a text keeps to it.

A text with places, ``{% if %}`` and a few filters. No loops, no assignments, no calls, no arithmetic: what is not on the lists
below is refused before anything is compiled, so the time and size of a rendering are linear in the template and its values.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

from jumpseat.catalogue.merge_fields import names_supporter_link
from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.variables import CUSTOMER_LINK, VARIABLES
from jumpseat.catalogue.vocabulary import near
from jumpseat.speech import say

MAX_SOURCE = 64 * 1024
"""Longest template in bytes, each of text and HTML."""
MAX_NODES = 4000
MAX_DEPTH = 24
MAX_BRANCHES = 50
"""Most ``elif`` of one ``if``."""

FILTERS = {
    "date": "the day in the words of the language (`31 January 2030`), of a time",
    "default": "the words given when the value is empty: `{{ recipient.first_name|default('customer') }}`; `or` does the same",
    "lines": "a text of several lines, with its line breaks kept in HTML too",
    "lower": "in small letters",
    "short": "`2030-01-31 14:30 UTC`, of a time; the same in every language, for SMS",
    "time": "the time of day (`14:30 UTC`), of a time",
    "trim": "without white space at both ends",
    "truncate": "at most so many characters, cut with `…`: `{{ record.name|truncate(40) }}`",
    "upper": "in capitals",
}
"""Every filter there is, with its words for the documentation."""

LINK_PLACE, VALUE_PLACE = "\ue000", "\ue001"
"""What stands in a skeleton for the customer link and for every other value; both are of the private use area of Unicode."""

SYNTAX = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True, "newline_sequence": "\n"}
"""How the checker and the renderer both read a template."""

_PLAIN_NODES = (nodes.Output, nodes.TemplateData, nodes.Const, nodes.CondExpr, nodes.Operand, nodes.And, nodes.Or, nodes.Not)
_COMPARISONS = frozenset({"eq", "ne", "in", "notin"})
_DOCUMENTED = frozenset(variable.name for variable in VARIABLES)
_GROUPS = frozenset(name.partition(".")[0] for name in _DOCUMENTED if "." in name)
_IN_WORDS: dict[type[nodes.Node], str] = {
    nodes.For: say("a loop"),
    nodes.Macro: say("a macro"),
    nodes.CallBlock: say("a call block"),
    nodes.FilterBlock: say("a filter block"),
    nodes.Assign: say("an assignment"),
    nodes.AssignBlock: say("an assignment"),
    nodes.With: say("a with block"),
    nodes.Block: say("a block"),
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Scope: "autoescape",
    nodes.Call: say("a call"),
    nodes.Test: say("a test with 'is'"),
    nodes.Getitem: say("a look-up in brackets"),
    nodes.Concat: say("joining with '~'"),
    nodes.Dict: say("a dictionary"),
    nodes.Tuple: say("a list"),
    nodes.List: say("a list"),
}
_INSTEAD: dict[type[nodes.Node], str] = {
    nodes.Getitem: say("write record.<field>"),
    nodes.Test: say("ask with {% if message %} whether there is something"),
    nodes.Concat: say("write the places one after the other"),
}
_NOT_NEEDED = say("a template is a text with places, {% if %} and filters; templates/README.md lists what there is")


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one text turned out to be."""

    problems: tuple[Problem, ...]
    """Their ``file`` is empty and their line counts from the start of the text."""
    skeleton: str = ""
    """The literal text with ``LINK_PLACE`` and ``VALUE_PLACE`` where values go, all branches one after the other."""
    lines: tuple[tuple[int, int], ...] = ()
    """Where (offset in the skeleton) which line begins a piece."""

    @property
    def shows_link(self) -> bool:
        return LINK_PLACE in self.skeleton


@lru_cache(maxsize=1)
def _parser() -> Environment:
    return Environment(autoescape=True, **SYNTAX)  # type: ignore[arg-type]  # a table of keyword arguments of several types


def inspect(source: str, template_fields: Collection[str] | None = None) -> Inspected:
    """Read a text without running it.

    Args:
        source: Jinja, merge fields already translated.
        template_fields: fields that may follow ``record.``; None: any (the catalogue checked them when the file was read).
    """
    if len(source.encode("utf-8", "replace")) > MAX_SOURCE:
        return Inspected((_problem(1, "M413", say("the text is longer than {n} KiB", n=MAX_SOURCE // 1024), say("make it shorter")),))
    try:
        tree = _parser().parse(source)
    except TemplateSyntaxError as error:
        return Inspected(
            (_problem(error.lineno, "M405", say("not a template: {small}", small=_small(error.message or "syntax error")), _NOT_NEEDED),)
        )
    except (RecursionError, ValueError, OverflowError):
        return Inspected(
            (_problem(1, "M405", say("not a template: it is nested too deep, or holds a number that is too long"), _NOT_NEEDED),)
        )
    check = _Check(source.split("\n"), template_fields)
    check.body(tree.body)
    return Inspected(tuple(check.problems), "".join(check.pieces), tuple(check.lines))


def _small(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")[:300]


def record_fields(source: str) -> list[tuple[str, int]]:
    """Every field of the record that a text shows or asks for, with its line in the text; without the documented variables.

    Args:
        source: Jinja without problems, merge fields already translated.
    """
    if "record" not in source:
        return []
    found = list(_parser().parse(source).find_all(nodes.Getattr))
    steps = {id(node.node) for node in found}  # Account of Account.Name is a step on the way, and no field that is shown
    chains = ((_chain(node) or "", node.lineno) for node in found if id(node) not in steps)
    return [(name.removeprefix("record."), line) for name, line in chains if name.startswith("record.") and name not in _DOCUMENTED]


def _problem(line: int, code: str, cause: str, fix: str, column: int = 1, length: int = 1) -> Problem:
    return Problem("", line, column, code, cause, fix, length=length)


@dataclass(slots=True)
class _Check:
    """Walks a tree once; collects problems and the skeleton."""

    source: list[str]
    template_fields: Collection[str] | None
    problems: list[Problem] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)
    seen: int = 0
    size: int = 0

    def body(self, statements: list[nodes.Node], depth: int = 0) -> None:
        for statement in statements:
            if not self._affordable(statement, depth):
                return
            if isinstance(statement, nodes.Output):
                for part in statement.nodes:
                    self._output(part, depth + 1)
            elif isinstance(statement, nodes.If):
                self._if(statement, depth)
            else:
                self._refuse(statement)

    def _if(self, node: nodes.If, depth: int) -> None:
        if len(node.elif_) > MAX_BRANCHES:
            self._add(node, "M407", say("an if has more than {max_branches} branches", max_branches=MAX_BRANCHES), _NOT_NEEDED)
            return
        for branch in (node, *node.elif_):
            self._expression(branch.test, depth + 1)
            self.body(branch.body, depth + 1)
        self.body(node.else_, depth + 1)

    def _output(self, node: nodes.Expr, depth: int) -> None:
        if isinstance(node, nodes.TemplateData):
            self._piece(node.data, node.lineno)
            return
        self._piece(LINK_PLACE if _chain(node) == CUSTOMER_LINK else VALUE_PLACE, node.lineno)
        self._expression(node, depth)

    def _piece(self, text: str, line: int) -> None:
        self.lines.append((self.size, line))
        self.pieces.append(text)
        self.size += len(text)

    def _expression(self, node: nodes.Node, depth: int) -> None:
        if not self._affordable(node, depth):
            return
        if isinstance(node, (nodes.Name, nodes.Getattr)) and (name := _chain(node)) is not None:
            self._name(node, name)
            return
        if isinstance(node, nodes.Filter):
            self._filter(node)
        elif isinstance(node, nodes.Compare):
            self._comparison(node)
        elif not isinstance(node, _PLAIN_NODES):
            self._refuse(node)
            return
        for child in _children(node):
            self._expression(child, depth + 1)

    def _filter(self, node: nodes.Filter) -> None:
        if node.name not in FILTERS:
            meant = near(node.name, FILTERS)
            fix = say("did you mean '{meant}'?", meant=meant) if meant else say("there are {known}", known=", ".join(sorted(FILTERS)))
            self._add(node, "M407", say("there is no filter '{node}'", node=node.name[:100]), fix, rf"\|\s*{re.escape(node.name)}\b")
        elif node.kwargs or node.dyn_args or node.dyn_kwargs or not _takes(node):
            self._add(
                node,
                "M407",
                say("the filter '{node}' is not used as it is meant", node=node.name),
                say("{node}: {filters}", node=node.name, filters=FILTERS[node.name]),
                re.escape(node.name),
            )
        elif node.node is not None and _chain(node.node) == CUSTOMER_LINK:
            self._add(
                node,
                "M407",
                say("the customer link cannot be changed by a filter"),
                say("write {{{{ {link} }}}}", link=CUSTOMER_LINK),
                re.escape(node.name),
            )

    def _comparison(self, node: nodes.Compare) -> None:
        if any(operand.op not in _COMPARISONS for operand in node.ops):
            self._add(node, "M407", say("only ==, != and in are compared with"), _NOT_NEEDED)

    def _name(self, node: nodes.Node, name: str) -> None:
        shown = re.escape(name).replace(r"\.", r"\s*\.\s*")
        if names_supporter_link(name):
            fix = say("show the customer's: {{{{ {link} }}}}", link=CUSTOMER_LINK)
            self._add(node, "M409", say("'{name}' would show the supporter link, which is a secret", name=name[:100]), fix, shown)
        elif name in _GROUPS:
            self._add(
                node,
                "M406",
                say("'{name}' is a group of variables, not a value", name=name),
                say("write one of {members}", members=_members(name)),
                rf"\b{shown}\b",
            )
        elif name not in _DOCUMENTED and not self._is_field(name):
            self._add(node, "M406", say("the variable '{name}' is not known", name=name[:100]), self._nearest(name), rf"\b{shown}\b")

    def _is_field(self, name: str) -> bool:
        group, _, rest = name.partition(".")
        return group == "record" and bool(rest) and (self.template_fields is None or rest in self.template_fields)

    def _nearest(self, name: str) -> str:
        known = sorted(_DOCUMENTED | {f"record.{one}" for one in self.template_fields or ()})
        group, dot, rest = name.partition(".")
        if group in _GROUPS and dot:
            # Compared behind the dot only: the group's name would make everything look alike.
            meant = near(rest, [one.partition(".")[2] for one in known if one.startswith(f"{group}.")])
            meant = f"{group}.{meant}" if meant else None
        else:
            meant = near(name, known)
        if meant:
            return say("did you mean '{meant}'?", meant=meant)
        if group == "record" and dot:
            return say("add '{rest}' to template_fields of the object in metadata/objects/", rest=rest)
        return say("there are {known}", known=", ".join(known))

    def _refuse(self, node: nodes.Node) -> None:
        what = next((words for kind, words in _IN_WORDS.items() if isinstance(node, kind)), say("arithmetic or another construct"))
        fix = next((words for kind, words in _INSTEAD.items() if isinstance(node, kind)), _NOT_NEEDED)
        self._add(node, "M407", say("{what} is not allowed in a template", what=what), fix)

    def _affordable(self, node: nodes.Node, depth: int) -> bool:
        """Count what was walked; say once when it is too much."""
        self.seen += 1
        if self.seen > MAX_NODES or depth > MAX_DEPTH:
            if not any(problem.code == "M413" for problem in self.problems):
                self._add(
                    node,
                    "M413",
                    say("the text has more than {places} places or {levels} levels", places=MAX_NODES, levels=MAX_DEPTH),
                    say("make it simpler"),
                )
            return False
        return True

    def _add(self, node: nodes.Node, code: str, cause: str, fix: str, pattern: str = "") -> None:
        """Note a problem at the node's line; the column is where ``pattern``, or else the first construct, is found on it."""
        line = _line_of(node)
        text = self.source[line - 1] if line <= len(self.source) else ""
        found = (re.search(pattern, text) if pattern else None) or re.search(r"\{[{%]", text)
        start, end = found.span() if found else (0, 1)
        self.problems.append(_problem(line, code, cause, fix, start + 1, max(1, end - start)))


def _chain(node: nodes.Node) -> str | None:
    """``record.name`` for the look-up of that name; None for everything else, and for what is too long to be one."""
    names: list[str] = []
    while isinstance(node, nodes.Getattr) and len(names) < MAX_DEPTH:
        names.append(node.attr)
        node = node.node
    return ".".join([node.name, *reversed(names)]) if isinstance(node, nodes.Name) else None


def _line_of(node: nodes.Node) -> int:
    """The line of a node; Jinja gives none to the scope that it wraps around ``autoescape``."""
    inner = (child.lineno for child in node.find_all(nodes.Node) if child.lineno)
    return node.lineno or next(inner, 1)


def _takes(node: nodes.Filter) -> bool:
    """Has the filter the arguments that it takes?"""
    if node.name == "truncate":
        return len(node.args) == 1 and isinstance(node.args[0], nodes.Const) and type(node.args[0].value) is int
    return len(node.args) == (1 if node.name == "default" else 0)


def _children(node: nodes.Node) -> Iterator[nodes.Node]:
    """What an allowed expression is made of; a list of fixed words may stand behind ``in``."""
    if isinstance(node, nodes.Operand) and node.op in ("in", "notin") and isinstance(node.expr, (nodes.Tuple, nodes.List)):
        return iter(node.expr.items)
    return node.iter_child_nodes()


def _members(group: str) -> str:
    return ", ".join(sorted(name for name in _DOCUMENTED if name.startswith(f"{group}.")))
