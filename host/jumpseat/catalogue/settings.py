"""Settings of plugins and record sources against what they declare, and the secrets they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jumpseat.catalogue.positions import Reading, Steps, looks_like
from jumpseat.catalogue.problems import Problem, Severity
from jumpseat.catalogue.source_text import Place
from jumpseat.catalogue.validate import needs_quotes
from jumpseat.catalogue.vocabulary import near
from jumpseat.contract import REQUIRED, Setting
from jumpseat.secret import Secret
from jumpseat.speech import say

_SECRET_KEY = re.compile(r"(?i)(?:^|_)(?:password|passwd|passphrase|secret|token|api_?key|private_key|authorization)$")
_CREDENTIALS = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST_SECRET = 64 * 1024
LAUNCH_SECRETS = ("launch_secret", "old_launch_secret")
"""Keys of a record source, beside its settings, that lead to a secret."""
SHORTEST_LAUNCH_SECRET = 16
_REFERENCE_FIX = say("write {env: NAME}, or {file: PATH}, and keep the secret there")
_INLINE_FIX = say(
    "{reference_fix}; if this file was ever saved or shared with the secret in it, have the secret replaced", reference_fix=_REFERENCE_FIX
)

_KIND_WORDS: Mapping[Any, str] = {
    str: say("a text"),
    int: say("a whole number"),
    float: say("a number"),
    bool: say("true or false"),
    list[str]: say("a list of texts"),
    dict[str, str]: say("a mapping of texts"),
}


@dataclass(slots=True)
class SettingsCheck:
    """Checks one ``settings`` mapping and collects what becomes of it.

    Args:
        reading: the file.
        owner: whose settings these are, in words (``plugin 'email'``).
        declared: the settings there are; None when nobody can say.
        workspace: folder from which the paths of ``{file: PATH}`` count.
    """

    reading: Reading
    owner: str
    declared: Sequence[Setting] | None
    workspace: Path
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    launch_secrets: list[Secret] = field(default_factory=list)
    """Of a record source: the secrets that sign launches, the one in use first."""
    meant: set[str] = field(default_factory=set)
    """Settings that a misspelt key was probably to be; they are not reported as missing as well."""

    def run(self) -> SettingsCheck:
        """Check all; ``values`` holds what is right afterwards, secrets as ``Secret``."""
        given: Mapping[str, Any] = self.reading.value.get("settings") or {}
        for name, value in given.items():
            if self.declared is None:
                self._undeclared(name, value)
            else:
                self._declared(name, value, self.declared)
        for setting in self.declared or ():
            if setting.default is REQUIRED and setting.name not in {*given, *self.meant}:
                self._missing(setting)
        for name in LAUNCH_SECRETS:
            if name in self.reading.value:
                self._launch_secret(name, self.reading.value[name])
        return self

    def _problem(
        self,
        name: str,
        code: str,
        cause: str,
        fix: str,
        *,
        show: bool,
        severity: Severity = "error",
        steps: Steps = (),
    ) -> None:
        above: Steps = () if name in LAUNCH_SECRETS and name in self.reading.value else ("settings",)
        places = self.reading.places.find((*above, name, *steps))
        place = places.key if places.key and (places.inside or not places.value.length) else places.value
        self.problems.append(self.reading.source.problem(place, code, cause, fix, show=show, severity=severity))

    def _missing(self, setting: Setting) -> None:
        help_text = f" ({setting.help[:1].lower()}{setting.help[1:].rstrip('.')})" if setting.help else ""
        value = "{env: NAME}" if setting.secret else "…"
        cause = say("the setting '{setting}' of {owner} is missing", setting=setting.name, owner=self.owner)
        place = self.reading.places.inside["settings"].key if "settings" in self.reading.places.inside else None
        fix = say("add '{setting}: {value}' below 'settings:'{help_text}", setting=setting.name, value=value, help_text=help_text)
        self.problems.append(self.reading.source.problem(place or _first(self.reading), "M308", cause, fix, show=True))

    def _undeclared(self, name: str, value: Any) -> None:
        if is_reference(value):
            secret = self._secret(name, value, needed=False, complain=False)
            if secret:
                self.values[name] = secret
        elif self._holds_secret(name, value):
            self._inline(name)
        else:
            self.values[name] = value

    def _holds_secret(self, name: str, value: Any) -> bool:
        return (bool(_SECRET_KEY.search(name) and isinstance(value, str | int)) and not isinstance(value, bool)) or _has_credentials(value)

    def _inline(self, name: str) -> None:
        self._problem(name, "M110", say("the setting '{name}' holds a secret in plain text", name=name), _INLINE_FIX, show=False)

    def _declared(self, name: str, value: Any, declared: Sequence[Setting]) -> None:
        setting = next((one for one in declared if one.name == name), None)
        if setting is None:
            self._unknown(name, [one.name for one in declared])
        elif value is None:
            self._problem(
                name, "M107", say("the setting '{name}' has no value", name=name), say("write a value, or delete the line"), show=True
            )
        elif setting.secret:
            self._declared_secret(setting, value)
        elif _has_credentials(value):
            self._inline(name)
        else:
            self._typed(setting, value)

    def _unknown(self, name: str, known: list[str]) -> None:
        meant = near(name, known)
        if meant:
            self.meant.add(meant)
        there_are = say("its settings are {known}", known=", ".join(sorted(known))) if known else say("it has no settings: delete the line")
        places = self.reading.places.of_key(("settings", name))
        cause = say("{owner} has no setting '{name}'", owner=self.owner, name=name)
        self.problems.append(
            self.reading.source.problem(places, "M307", cause, say("did you mean '{meant}'?", meant=meant) if meant else there_are)
        )

    def _declared_secret(self, setting: Setting, value: Any) -> None:
        if not is_reference(value):
            self._inline(setting.name)
            return
        secret = self._secret(setting.name, value, needed=setting.default is REQUIRED, complain=True)
        if secret:
            self.values[setting.name] = secret

    def _launch_secret(self, name: str, value: Any) -> None:
        """A key beside the settings, for it is the same for every kind of CRM."""
        if not is_reference(value):
            self._problem(name, "M110", say("the key '{name}' holds a secret in plain text", name=name), _INLINE_FIX, show=False)
            return
        secret = self._secret(name, value, needed=False, complain=True)
        if secret and len(secret.reveal()) < SHORTEST_LAUNCH_SECRET:
            cause = say(
                "the secret of '{name}' is shorter than {shortest_launch_secret} characters",
                name=name,
                shortest_launch_secret=SHORTEST_LAUNCH_SECRET,
            )
            self._problem(name, "M105", cause, say("use 32 random characters or more"), show=False)
        elif secret:
            self.launch_secrets.append(secret)

    def _secret(self, name: str, value: Mapping[str, Any], *, needed: bool, complain: bool) -> Secret | None:
        """The secret that a reference leads to; a problem (a warning when the plugin can do without) when it leads nowhere."""
        where = "env" if "env" in value else "file"
        target = value[where]
        if not isinstance(target, str) or not target or (where == "env" and not _ENV_NAME.fullmatch(target)):
            cause = (
                say("the setting '{name}' does not name an environment variable", name=name)
                if where == "env"
                else say("the setting '{name}' does not name a file", name=name)
            )
            self._problem(name, "M105", cause, _REFERENCE_FIX, show=False)
            return None
        text, why = _from_environment(target) if where == "env" else _from_file(self.workspace / target, target)
        if why and complain:
            fix = _how_to_bring(name, in_environment=where == "env", needed=needed)
            self._problem(name, "M111", why, fix, show=True, severity="error" if needed else "warning")
        return Secret(text) if text else None

    def _typed(self, setting: Setting, value: Any) -> None:
        found = self._disagreement(setting, value)
        if found is None:
            self.values[setting.name] = float(value) if setting.type is float else value
            return
        code, cause, fix, steps = found
        # A mapping may be one of headers: its values are shown to nobody.
        self._problem(setting.name, code, cause, fix, show=setting.type != dict[str, str], steps=steps)

    def _disagreement(self, setting: Setting, value: Any) -> tuple[str, str, str, Steps] | None:
        """Code, cause, fix and place of what is wrong with a value that is no secret; None when nothing is."""
        for steps, text in _texts(setting.type, value):
            places = self.reading.places.find(("settings", setting.name, *steps))
            if places.doubtful or isinstance(text, bool | int | float):
                written = str(text).lower() if isinstance(text, bool) else str(text)
                return (
                    "M106",
                    needs_quotes(written, looks_like(written) or say("something else")),
                    say('write "{written}"', written=written),
                    steps,
                )
        if not _is_of(setting.type, value):
            words = _KIND_WORDS[setting.type]
            return (
                "M103",
                say("the setting '{setting}' must be {words}", setting=setting.name, words=words),
                say("write {words}", words=words),
                (),
            )
        if setting.choices and value not in setting.choices:
            meant = near(str(value), setting.choices)
            fix = (
                say("did you mean '{meant}'?", meant=meant) if meant else say("write one of {choices}", choices=", ".join(setting.choices))
            )
            return "M104", say("the setting '{setting}' cannot be '{value}'", setting=setting.name, value=value), fix, ()
        return None


def _first(reading: Reading) -> Place:
    first = next(iter(reading.places.inside.values()), reading.places)
    return first.key or first.value


def is_reference(value: Any) -> bool:
    """Is it ``{env: …}`` or ``{file: …}``?"""
    return isinstance(value, dict) and set(value) in ({"env"}, {"file"})


def _has_credentials(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(_has_credentials(one) for one in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and _CREDENTIALS.search(value) is not None


def _texts(kind: Any, value: Any) -> Iterator[tuple[Steps, Any]]:
    """The places inside a value that have to be texts, each with what stands there."""
    if kind is str:
        yield (), value
    elif kind == list[str] and isinstance(value, list):
        yield from (((index,), one) for index, one in enumerate(value))
    elif kind == dict[str, str] and isinstance(value, dict):
        yield from (((key,), one) for key, one in value.items())


def _is_of(kind: Any, value: Any) -> bool:
    if kind == list[str]:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if kind == dict[str, str]:
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if kind is float:
        # 1.10 stays a text in the reader, for it may be a name; where a number is wanted it is one.
        return (isinstance(value, int | float) and not isinstance(value, bool)) or (isinstance(value, str) and _is_decimal(value))
    return type(value) is kind


def _is_decimal(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{1,15}", text) is not None


def _from_environment(name: str) -> tuple[str, str]:
    """The text and an empty reason, or the other way round."""
    text = os.environ.get(name, "")
    return text, "" if text else say("the environment variable {name} is not set", name=name)


def _from_file(path: Path, shown: str) -> tuple[str, str]:
    try:
        if not path.is_file():
            return "", say("the file '{shown}' does not exist", shown=shown)
        data = path.read_bytes()[: _LONGEST_SECRET + 1]
        text = data.decode().rstrip("\r\n")
    except (OSError, ValueError):
        return "", say("the file '{shown}' cannot be read as UTF-8 text", shown=shown)
    if len(data) > _LONGEST_SECRET:
        return "", say("the file '{shown}' is too large to hold a secret", shown=shown)
    return text, "" if text else say("the file '{shown}' is empty", shown=shown)


def _how_to_bring(name: str, *, in_environment: bool, needed: bool) -> str:
    """What to do about a secret that is not where the metadata says."""
    if in_environment:
        return say("set it before the host starts") if needed else say("set it before the host starts, or delete '{name}'", name=name)
    return say("write the file") if needed else say("write the file, or delete '{name}'", name=name)
