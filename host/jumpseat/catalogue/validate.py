"""A value against the schema of its kind, and every disagreement as a problem at its place, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from jumpseat.catalogue.codes import CODES
from jumpseat.catalogue.positions import Reading, Steps, looks_like
from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.schemas import FORMS, SCHEMAS
from jumpseat.catalogue.source_text import Place
from jumpseat.catalogue.vocabulary import near
from jumpseat.speech import joined, say

_KINDS = {
    "string": say("a text"),
    "boolean": say("true or false"),
    "integer": say("a whole number"),
    "number": say("a number"),
    "array": say("a list"),
    "object": say("a mapping"),
}
_LONGEST_SHOWN = 60


def check(kind: str, reading: Reading) -> tuple[Problem, ...]:
    """The problems that a file of this kind has by its schema.

    Args:
        kind: key of ``SCHEMAS``.
        reading: what stands in the file; it was read without problems and is not empty.
    """
    found: dict[tuple[Steps, str], Problem] = {}
    if not is_valid(kind, reading.value):
        for problem_path, problem in _translated(kind, reading):
            found.setdefault((problem_path, problem.code + problem.cause), problem)
    paths = {path for path, _ in found}
    doubts = _doubtful(reading, paths) if reading.doubtful else ()
    return (*found.values(), *doubts)


def is_valid(kind: str, value: Any) -> bool:
    """Does the value satisfy the schema? Asks the fast engine where it is installed."""
    fast = fast_validity(kind)
    return fast(value) if fast else bool(validator(kind).is_valid(value))


@cache
def fast_validity(kind: str) -> Callable[[Any], bool] | None:
    """The yes-or-no of jsonschema-rs for one kind; None when it is not installed (extra ``fast``)."""
    try:
        import jsonschema_rs
    except ImportError:
        return None
    plain = json.loads(json.dumps(SCHEMAS[kind]))  # the engine takes no texts that know their translations
    answer: Callable[[Any], bool] = jsonschema_rs.Draft202012Validator(plain).is_valid
    return answer


@cache
def validator(kind: str) -> Any:
    """The validator that finds every error; its patterns match whole texts, where ``$`` alone lets a line break pass."""
    from jsonschema import Draft202012Validator, validators

    strict = validators.extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]  # its stub lacks types
    return strict(SCHEMAS[kind])


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError

    if isinstance(instance, str) and not _compiled(pattern).fullmatch(instance):
        yield ValidationError("pattern")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removeprefix("^").removesuffix("$"))


# --- doubtful texts ---------------------------------------------------------------------------------------------------


def _doubtful(reading: Reading, spared: set[Steps]) -> Iterator[Problem]:
    """Unquoted texts that other YAML programs read as something else; settings are looked at with their types, elsewhere."""
    for path, places in _walk(reading.value, reading.places, ()):
        if places.doubtful and path not in spared and path[:1] != ("settings",):
            text = _at(reading.value, path)
            yield reading.source.problem(
                places.value, "M106", needs_quotes(text, looks_like(text) or say("something else")), say('write "{text}"', text=text)
            )


def needs_quotes(text: str, what: str) -> str:
    """The cause of M106."""
    return say("{text} stands without quotes and reads as {what}, where a text is expected", text=text, what=what)


def _walk(value: Any, places: Any, path: Steps) -> Iterator[tuple[Steps, Any]]:
    yield path, places
    for step, inner in places.inside.items():
        yield from _walk(value[step], inner, (*path, step))


def _at(value: Any, path: Steps) -> Any:
    for step in path:
        value = value[step]
    return value


# --- words ------------------------------------------------------------------------------------------------------------


def _translated(kind: str, reading: Reading) -> Iterator[tuple[Steps, Problem]]:
    errors = sorted(
        validator(kind).iter_errors(reading.value), key=lambda error: ([str(step) for step in error.absolute_path], str(error.validator))
    )
    suggested: set[tuple[Steps, str]] = set()
    late = []
    for error in errors:
        path = tuple(error.absolute_path)
        if error.validator == "pattern" and not error.instance:
            continue  # an empty text is too short already
        if error.validator == "required":
            late.append((path, error))
        elif error.validator == "additionalProperties":
            yield from _unknown_keys(kind, reading, path, error, suggested)
        else:
            yield path, _WORDS.get(str(error.validator), _other)(kind, reading, path, error)
    for path, error in late:
        for key in error.validator_value:
            if key not in error.instance and (path, key) not in suggested:
                yield (*path, key), _missing(kind, reading, path, key)


def shown(reading: Reading, value: Any) -> str:
    """A value as a message may show it: cut when long, only its kind where it may be a secret."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return say("a mapping") if isinstance(value, dict) else say("a list")
    if reading.source.masked:
        return say("a text") if isinstance(value, str) else say("a number")
    text = str(value).replace("\n", "\\n")
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
    return f"'{text}'" if isinstance(value, str) else text


def _named(path: Steps) -> str:
    """What a path is called in a message: its last key, ``item 2 of 'languages'``, or ``the file``."""
    if not path:
        return say("the file")
    if isinstance(path[-1], int):
        return say("item {number} of {whole}", number=path[-1] + 1, whole=_named(path[:-1]))
    return f"'{path[-1]}'"


def _unknown_keys(
    kind: str, reading: Reading, path: Steps, error: Any, suggested: set[tuple[Steps, str]]
) -> Iterator[tuple[Steps, Problem]]:
    known: Mapping[str, Any] = error.schema["properties"]
    for key in error.instance:
        if key in known:
            continue
        meant = near(key, known)
        fix = say("did you mean '{meant}'?", meant=meant) if meant else _choices_fix(say("the keys here are"), sorted(known))
        if meant in error.instance:
            line = reading.places.of_key((*path, str(meant))).line
            fix = say("delete it; '{meant}' stands in line {line}", meant=meant, line=line)
        elif meant:
            suggested.add((path, meant))
        right = kind == "permission-set" and path[:1] == ("rights",)
        cause = (
            say("there is no right '{right}'", right=".".join((*(str(step) for step in path[1:]), key)))
            if right
            else say("unknown key '{key}'", key=key)
        )
        yield (*path, key), reading.source.problem(reading.places.of_key((*path, key)), "M312" if right else "M102", cause, fix)


def _missing(kind: str, reading: Reading, path: Steps, key: str) -> Problem:
    description = _schema_at(kind, (*path, key)).get("description", "")
    place = _first_place(reading, path)
    cause = say("'{key}' is missing in {whole}", key=key, whole=_named(path)) if path else say("'{key}' is missing", key=key)
    return reading.source.problem(place, "M101", cause, say("add '{key}: …' ({what})", key=key, what=_as_clause(description)))


def _first_place(reading: Reading, path: Steps) -> Place:
    """Where a missing key is reported: the key of its mapping; at the top, the first key of the file."""
    if path:
        return reading.places.of_key(path)
    first = next(iter(reading.places.inside.values()), reading.places)
    return first.key or first.value


def _schema_at(kind: str, path: Steps) -> dict[str, Any]:
    schema: Any = SCHEMAS[kind]
    for step in path:
        inner = schema.get("else", schema) if "else" in schema else schema
        schema = inner.get("items", {}) if isinstance(step, int) else inner.get("properties", {}).get(step, {})
    return dict(schema)


def _as_clause(description: str) -> str:
    # "API name" keeps its capitals.
    first = description[:1] if description[1:2].isupper() else description[:1].lower()
    return first + description[1:].rstrip(".")


def _choices_fix(lead: str, choices: list[str]) -> str:
    return say("{lead} {choices}", lead=lead, choices=", ".join(choices))


def _problem(reading: Reading, path: Steps, code: str, cause: str, fix: str) -> Problem:
    """A problem at the value, or at the key where the value is a mapping, a list or nothing."""
    value = reading.places.find(path)
    place = value.key if value.key and value.value.length <= 1 and (value.inside or value.value.length == 0) else value.value
    return reading.source.problem(place, code, cause, fix)


def _without_value(kind: str, path: Steps, fix: str) -> str:
    """The fix of a key without a value; only one that may be left out can be deleted."""
    required = bool(path) and path[-1] in _schema_at(kind, path[:-1]).get("required", ())
    return fix if required else say("{fix}, or delete the line", fix=fix)


def _wrong_type(kind: str, reading: Reading, path: Steps, error: Any) -> Problem:
    wanted = [error.validator_value] if isinstance(error.validator_value, str) else list(error.validator_value)
    value, name = error.instance, _named(path)
    if value is None:
        return _problem(reading, path, "M107", say("{name} has no value", name=name), _without_value(kind, path, say("write a value")))
    if wanted == ["string"] and isinstance(value, bool | int | float) and error.schema.get("pattern") not in FORMS_OF_NUMBERS:
        text = shown(reading, value) if not reading.source.masked else say("this")
        what = say("a boolean") if isinstance(value, bool) else say("a number")
        fix: str = say("put it in quotes") if reading.source.masked else say('write "{text}"', text=text)
        return _problem(reading, path, "M106", needs_quotes(text, what), fix)
    if wanted == ["string"] and error.schema.get("pattern") in FORMS_OF_NUMBERS:
        words, fix = FORMS[error.schema["pattern"]]
        return _problem(
            reading, path, "M105", say("{name} must be {words}, but is {shown}", name=name, words=words, shown=shown(reading, value)), fix
        )
    words = joined(*(_KINDS[one] for one in wanted), by=say(" or "))
    return _problem(
        reading,
        path,
        "M103",
        say("{name} must be {words}, but is {shown}", name=name, words=words, shown=shown(reading, value)),
        _type_fix(wanted, value),
    )


FORMS_OF_NUMBERS = frozenset(pattern for pattern, (words, _) in FORMS.items() if words == "a duration")
"""Texts that look like numbers when half of them is missing; quotes would not help."""


_PLAIN_NAME = re.compile(r"[A-Za-z_][\w.-]*")
"""A text that YAML takes for nothing else, so that it needs no quotes."""


def _type_fix(wanted: list[str], value: Any) -> str:
    if wanted == ["boolean"]:
        return say("write true or false, in small letters and without quotes")
    if wanted == ["array"]:
        if not isinstance(value, str) or len(value) > _LONGEST_SHOWN or set(value) & set(',"'):
            return say("write a list: [first, second]")
        return say("write [{value}]", value=value) if _PLAIN_NAME.fullmatch(value) else say('write ["{value}"]', value=value)
    if wanted == ["object"]:
        return say("write 'key: value' lines, indented below it")
    return say("write {words}", words=joined(*(_KINDS[one] for one in wanted), by=say(" or ")))


def _not_a_choice(_kind: str, reading: Reading, path: Steps, error: Any) -> Problem:
    choices = ["true" if one is True else str(one) for one in error.validator_value]
    meant = near(error.instance, choices) if isinstance(error.instance, str) else None
    fix = (
        say("did you mean '{meant}'?", meant=meant)
        if meant
        else _choices_fix(say("write one of") if len(choices) > 1 else say("write"), choices)
    )
    return _problem(reading, path, "M104", say("{name} cannot be {shown}", name=_named(path), shown=shown(reading, error.instance)), fix)


def _wrong_form(_kind: str, reading: Reading, path: Steps, error: Any) -> Problem:
    words, fix = FORMS[error.validator_value]
    # A wrong key of a free mapping: jsonschema reports it at the mapping, with the key as the value.
    if "propertyNames" in error.absolute_schema_path:
        place = reading.places.of_key((*path, error.instance))
        return reading.source.problem(place, "M105", say("the key '{key}' must be {words}", key=error.instance, words=words), fix)
    return _problem(
        reading,
        path,
        "M105",
        say("{name} must be {words}, but is {shown}", name=_named(path), words=words, shown=shown(reading, error.instance)),
        fix,
    )


def _wrong_size(kind: str, reading: Reading, path: Steps, error: Any) -> Problem:
    name, bound, unit = _named(path), error.validator_value, _UNITS[error.validator]
    if "propertyNames" in error.absolute_schema_path:
        name, path = say("the key '{key}…'", key=error.instance[:_LONGEST_SHOWN]), (*path, error.instance)
    has = len(error.instance)
    if has < bound and not has:
        return _problem(reading, path, "M109", say("{name} is empty", name=name), _without_value(kind, path, say("fill it in")))
    if error.validator == "maxProperties" and bound == 1:
        return _problem(
            reading,
            path,
            "M109",
            say("{name} has {has} keys where one is allowed", name=name, has=has),
            say("make each key an item of its own"),
        )
    side, fix = (say("at least"), say("write more")) if has < bound else (say("at most"), say("shorten it"))
    return _problem(
        reading,
        path,
        "M109",
        say("{name} has {has} {unit}, but {side} {bound} are allowed", name=name, has=has, unit=unit, side=side, bound=bound),
        fix,
    )


def _wrong_number(_kind: str, reading: Reading, path: Steps, error: Any) -> Problem:
    least, most = error.schema["minimum"], error.schema["maximum"]
    side = say("at least {least}", least=least) if error.validator == "minimum" else say("at most {most}", most=most)
    cause = say("{name} must be {words}, but is {shown}", name=_named(path), words=side, shown=shown(reading, error.instance))
    return _problem(reading, path, "M109", cause, say("write a whole number from {least} to {most}", least=least, most=most))


_UNITS = {
    "minLength": say("characters"),
    "maxLength": say("characters"),
    "minItems": say("items"),
    "maxItems": say("items"),
    "minProperties": say("keys"),
    "maxProperties": say("keys"),
}


def _repeated(_kind: str, reading: Reading, path: Steps, error: Any) -> Problem:
    items = error.instance
    again = next(index for index, item in enumerate(items) if item in items[:index])
    cause = say("{shown} stands twice in {whole}", shown=shown(reading, items[again]), whole=_named(path))
    return _problem(reading, (*path, again), "M108", cause, say("keep one of the two"))


def _other(_kind: str, reading: Reading, path: Steps, _error: Any) -> Problem:
    return _problem(reading, path, "M103", say("{name} does not have the right shape", name=_named(path)), CODES["M103"].explanation)


_WORDS: Mapping[str, Callable[[str, Reading, Steps, Any], Problem]] = {
    "type": _wrong_type,
    "enum": _not_a_choice,
    "pattern": _wrong_form,
    "uniqueItems": _repeated,
    "minimum": _wrong_number,
    "maximum": _wrong_number,
    **dict.fromkeys(_UNITS, _wrong_size),
}
