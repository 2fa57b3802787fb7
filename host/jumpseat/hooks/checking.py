"""Checks a plugin before it is registered: its hooks against the specifications, and what its registry hooks answer.

Everything that would be silently ignored, or fail only once a person clicks, is refused here with file, line and what to do.
"""

from __future__ import annotations

import inspect
import linecache
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_args, get_type_hints

from packaging.specifiers import InvalidSpecifier, SpecifierSet

import jumpseat
from jumpseat import hookspecs
from jumpseat.contract import REQUIRED, Extension, RecordSource, SessionType, Setting, ShareChannel, SignIn
from jumpseat.hooks.discovery import near
from jumpseat.hooks.values import Check, WrongAnswer, fits, kind_of, many, optional, written
from jumpseat.hookspecs import DECISIONS, EVENTS, PROJECT, REGISTRY

HOOKS = (*REGISTRY, *DECISIONS, *EVENTS)
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
SETTING_TYPES = (str, int, bool, float, list[str], dict[str, str])
NEEDED_METHODS: Mapping[type[Extension], tuple[str, ...]] = {
    SessionType: ("open", "supporter_link", "status", "close"),
    ShareChannel: ("send",),
    RecordSource: ("describe", "get", "contacts"),
    SignIn: ("authorize_url", "exchange", "refresh"),
}
WORDS: Mapping[type[Extension], str] = {
    SessionType: "session type",
    ShareChannel: "share channel",
    RecordSource: "kind of record source",
    SignIn: "sign-in",
}
_MARK = f"{PROJECT}_impl"


# --- hooks ------------------------------------------------------------------------------------------------------------


def hook_problems(plugin: Any, workspace: Path | None = None) -> list[str]:
    """What is wrong with the hook implementations of a plugin; empty when nothing is.

    Args:
        plugin: a module, or an object with methods.
        workspace: paths inside of it are written relative to it.
    """
    problems = []
    for name, function in functions(plugin):
        mark = getattr(function, _MARK, None)
        cause = _mark_problem(name, function, mark) if mark else _missing_mark(plugin, name, function)
        if cause:
            file, line = place(function, workspace)
            problems.append(f"{file}:{line}: {cause}")
    return problems


def hooks_of(plugin: Any) -> tuple[str, ...]:
    """Names of the hooks a plugin implements, in the order of the specifications."""
    found = {(getattr(function, _MARK).get("specname") or name) for name, function in functions(plugin) if hasattr(function, _MARK)}
    return tuple(hook for hook in HOOKS if hook in found)


def functions(plugin: Any) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a module, or the methods of an object, by name; properties are not touched."""
    for name in sorted(dir(plugin)):
        found = inspect.getattr_static(plugin, name, None)
        if isinstance(found, (staticmethod, classmethod)):
            found = found.__func__
        if isinstance(found, FunctionType):
            yield name, found


def place(function: Callable[..., Any], workspace: Path | None = None) -> tuple[str, int]:
    """File and line of a function's ``def``: relative to the workspace, else beginning with the name of its package."""
    code = inspect.unwrap(function).__code__
    line = code.co_firstlineno
    while linecache.getline(code.co_filename, line).lstrip().startswith(("@", ")", "#")):
        line += 1
    return shown_path(Path(code.co_filename), workspace, function.__module__), line


def shown_path(file: Path, workspace: Path | None, module: str = "") -> str:
    """A path as people read it, without where on the machine it lies as far as that is possible."""
    if workspace and file.is_relative_to(workspace):
        return file.relative_to(workspace).as_posix()
    package = module.partition(".")[0]
    if package in file.parts:
        return "/".join(file.parts[file.parts.index(package) :])
    return file.name if package == file.stem else str(file)


def _mark_problem(name: str, function: FunctionType, mark: Mapping[str, Any]) -> str | None:
    hook = mark.get("specname") or name
    if hook not in HOOKS:
        return f"'{hook}' is no hook{near(hook, HOOKS) or '.'}"
    if mark.get("wrapper") or mark.get("hookwrapper"):
        return f"'{hook}' is a wrapper; the host asks implementations one by one, so there is nothing to wrap. Implement the hook itself."
    if inspect.iscoroutinefunction(function):
        return f"'{hook}' is async; the host calls plain functions, each in a thread of its own. Write 'def' instead of 'async def'."
    return _signature_problem(hook, function)


def _signature_problem(hook: str, function: FunctionType) -> str | None:
    known = arguments_of(hook)
    takes = ", ".join(known) or "none"
    for parameter in _parameters(function):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return f"'{hook}' takes '{parameter}'; name the arguments that are needed, out of: {takes}."
        if parameter.kind is parameter.KEYWORD_ONLY:
            return f"the argument '{parameter.name}' of '{hook}' is keyword-only; hooks are called by position. Remove the '*' before it."
        if parameter.default is not parameter.empty:
            return f"the argument '{parameter.name}' of '{hook}' has a default; the host passes every argument. Remove the default."
        if parameter.name not in known:
            return f"'{hook}' has no argument '{parameter.name}'{near(parameter.name, known) or f'; it has: {takes}.'}"
    return None


def _missing_mark(plugin: Any, name: str, function: FunctionType) -> str | None:
    own = not isinstance(plugin, ModuleType) or function.__module__ == plugin.__name__
    if name in HOOKS and own:
        return f"'{name}' has the name of a hook but is not marked as one. Put '@hookimpl' above it, or rename it."
    return None


def _parameters(function: FunctionType) -> list[inspect.Parameter]:
    parameters = list(inspect.signature(function).parameters.values())
    return parameters[1:] if parameters and parameters[0].name in ("self", "cls") else parameters


@cache
def arguments_of(hook: str) -> tuple[str, ...]:
    """Names of a hook's arguments, from its specification."""
    return tuple(inspect.signature(getattr(hookspecs, hook)).parameters)


def host_problem(plugin: Any) -> str | None:
    """Why a plugin that exports ``requires_host`` does not go with this host; None when it does."""
    needed = getattr(plugin, "requires_host", None)
    if needed is None:
        return None
    try:
        fits_here = SpecifierSet(needed).contains(jumpseat.__version__, prereleases=True)
    except (InvalidSpecifier, TypeError, AttributeError):
        return f"requires_host is {needed!r}; write versions as in '>=0.1'."
    return None if fits_here else f"It needs jumpseat{needed}; this is jumpseat {jumpseat.__version__}."


# --- what registry hooks answer ---------------------------------------------------------------------------------------


def extensions(contract: type[Extension]) -> Check[tuple[Any, ...]]:
    """Session types, share channels or sign-ins as a registry hook answers them, each whole and well declared."""
    items = many(contract)

    def check(value: Any) -> tuple[Any, ...]:
        found = items(value)
        for extension in found:
            _check_extension(extension, contract)
        _check_unique([extension.name for extension in found], WORDS[contract])
        return found

    return check


def sign_in_of_source(value: Any) -> SignIn | None:
    """The sign-in that a record source answers, whole and well declared, or None."""
    found: SignIn | None = optional(SignIn)(value)
    if found is not None:
        _check_extension(found, SignIn)
    return found


def source_classes(value: Any) -> tuple[type[RecordSource], ...]:
    """Classes of record sources as ``register_record_sources`` answers them."""
    found: tuple[Any, ...] = many(object)(value)
    for source in found:
        if not (isinstance(source, type) and issubclass(source, RecordSource)):
            what = f"an instance of {kind_of(source)}" if isinstance(source, RecordSource) else kind_of(source)
            raise WrongAnswer(f"answered {what} where subclasses of RecordSource are needed (the classes, not instances)")
        _check_extension(source, RecordSource)
    _check_unique([source.name for source in found], WORDS[RecordSource])
    return found


def settings(value: Any) -> tuple[Setting, ...]:
    """Settings as ``register_settings`` answers them."""
    found: tuple[Any, ...] = many(object)(value)
    _check_settings(found, "register_settings")
    return found


def _check_extension(extension: Any, contract: type[Extension]) -> None:
    """``extension`` is an instance, or for record sources the class."""
    owner = extension if isinstance(extension, type) else type(extension)
    name = extension.name
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise WrongAnswer(
            f"answered {owner.__name__} with the name {str(name)[:60]!r}; "
            "a name begins with a small letter and holds small letters, digits and '_', 40 at most"
        )
    if not isinstance(extension.label, str) or not extension.label.strip():
        raise WrongAnswer(f"answered '{name}' without a label")
    for method in NEEDED_METHODS[contract]:
        if inspect.getattr_static(owner, method) is inspect.getattr_static(contract, method):
            raise WrongAnswer(f"answered '{name}', which does not implement '{method}'")
    kind: Any = contract
    for declared, hint in _declared(kind):
        if isinstance(inspect.getattr_static(owner, declared, None), property):
            continue  # follows a setting, which is lent to it only after this check; the guard checks each reading
        if not fits(value := getattr(extension, declared), hint):
            what = f"{str(value)[:60]!r}" if isinstance(value, str) else kind_of(value)
            raise WrongAnswer(f"answered '{name}' with {declared} as {what}; {written(hint)} is needed")
    if extension.deadline_seconds <= 0:
        raise WrongAnswer(f"answered '{name}' with deadline_seconds {extension.deadline_seconds:g}; it must be more than 0")
    _check_settings(extension.settings, f"'{name}'")
    _check_fields(getattr(extension, "fields", ()), name)


@cache
def _declared(contract: Any) -> tuple[tuple[str, Any], ...]:
    """What an extension declares, with its type; settings are checked by themselves."""
    hints = get_type_hints(contract)
    plain = {name: (get_args(hint) or (hint,))[0] if "ClassVar" in str(hint) else hint for name, hint in hints.items()}
    plain["deadline_seconds"] = float | int
    return tuple((name, hint) for name, hint in plain.items() if name not in ("runtime", "settings", "fields"))


def _check_fields(found: Any, name: str) -> None:
    """Own fields are filled in by supporters for one session or share, and kept with it."""
    _check_settings(found, f"'{name}'")
    for setting in found:
        if setting.secret or setting.type not in (str, int, float, bool):
            raise WrongAnswer(f"answered '{name}' with the field '{setting.name}', which is secret or a list; people fill in plain values")


def _check_settings(found: Any, owner: str) -> None:
    if not isinstance(found, (tuple, list)):
        raise WrongAnswer(f"answered {owner} with settings as {kind_of(found)}; a tuple of Setting is needed")
    for setting in found:
        if not isinstance(setting, Setting):
            raise WrongAnswer(f"answered {owner} with the setting {kind_of(setting)}; Setting is needed")
        if problem := _setting_problem(setting):
            raise WrongAnswer(f"answered {owner} with the setting '{str(setting.name)[:60]}' {problem}")
    _check_unique([setting.name for setting in found], "setting")


def _setting_problem(setting: Setting) -> str | None:
    if not isinstance(setting.name, str) or not NAME.fullmatch(setting.name):
        return "whose name is not small letters, digits and '_'"
    if setting.type not in SETTING_TYPES:
        return "whose type is none of str, int, bool, float, list[str], dict[str, str]"
    if setting.secret and setting.type is not str:
        return "that is secret and no str"
    if setting.choices and not fits(setting.choices, tuple[str, ...]):
        return "whose choices are no tuple of texts"
    if setting.default is None or setting.default is REQUIRED:
        return None
    if setting.secret:
        return "that is secret and has a default; a secret comes from the metadata only, so leave the default out or write REQUIRED"
    if not fits(_plain(setting.default), setting.type):
        return f"whose default is {kind_of(setting.default)} and not {written(setting.type)}"
    if setting.type is str and setting.choices and setting.default not in setting.choices:
        return f"whose default is none of its choices {', '.join(map(repr, setting.choices))}"
    return None


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _check_unique(names: list[str], word: str) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise WrongAnswer(f"answered the {word} '{repeated[0]}' twice")
