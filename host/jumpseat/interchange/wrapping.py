"""What a wrapper of a CRM is made of: the facts of a workspace, and a tree of templates filled with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined

from jumpseat.catalogue.model import Catalogue
from jumpseat.catalogue.schemas import WEB_ADDRESS
from jumpseat.errors import InvalidValue
from jumpseat.interchange.files import open_workspace

_ESCAPED = (".xml", ".html", ".page")


@dataclass(frozen=True, slots=True)
class WrapFacts:
    """What every wrapper has to know."""

    public_url: str
    """Where the host is reached from the CRM: https, without a slash at the end."""
    source: str
    """Name of the record source that the CRM is."""
    objects: tuple[tuple[str, str], ...]
    """Name and label of each enabled supported object of the source, by name."""


def wrap_facts(workspace: Path, kind: str, source: str | None = None, public_url: str | None = None) -> WrapFacts:
    """Find out for which record source and address a wrapper is made.

    Args:
        workspace: the folder with ``metadata/``.
        kind: kind of CRM; the only source of this kind is taken when none is named, else the default source.
        source: name of the record source.
        public_url: instead of ``public_url`` of ``metadata/host.yaml``.

    Raises:
        InvalidValue: the source or the address cannot be used.
        MetadataInvalid: the workspace has errors.
    """
    catalogue = open_workspace(workspace)
    name = source or _source_of(catalogue, kind)
    if name not in catalogue.sources:
        raise InvalidValue(f"There is no record source '{name}'. There are {', '.join(catalogue.sources) or 'none'}.", param="source")
    address = (public_url or catalogue.host.public_url).rstrip("/")
    if not address.startswith("https://") or not re.fullmatch(WEB_ADDRESS.strip("^$"), address):
        raise InvalidValue(
            f"{address} cannot be shown in a frame of a CRM: only https addresses can. "
            "Set public_url in metadata/host.yaml, or name it with --public-url.",
            param="public_url",
        )
    objects = {one.supported_object: one.label for one in catalogue.objects if one.enabled and catalogue.source_of(one) == name}
    if not objects:
        raise InvalidValue(f"No enabled supported object belongs to the record source '{name}'. Add one under metadata/objects/.")
    return WrapFacts(address, name, tuple(sorted(objects.items())))


def _source_of(catalogue: Catalogue, kind: str) -> str:
    of_kind = [one.name for one in catalogue.sources.values() if one.kind == kind]
    if len(of_kind) == 1:
        return of_kind[0]
    if not of_kind and catalogue.host.default_source:
        return catalogue.host.default_source
    if not of_kind and len(catalogue.sources) == 1:
        return next(iter(catalogue.sources))
    raise InvalidValue("Name the record source that the CRM is with --source NAME.", param="source")


def filled(
    package: str, folder: str, values: Mapping[str, Any], each: Mapping[str, tuple[Mapping[str, Any], ...]] | None = None
) -> dict[str, str]:
    """Every template of a folder of package data, filled.

    Names of files are filled as well: ``__NAME__`` is the value ``NAME``. Values are escaped in XML and HTML.

    Args:
        package: of the plugin, importable.
        folder: of the templates in the package, with ``/``.
        values: what the templates may use.
        each: items by a word that stands as ``__WORD__`` in a path: such a template is filled once for each of them, with
            the item as ``WORD``, and its ``name`` in the path.

    Returns:
        Texts by path below the folder.
    """
    root = files(package)
    for part in folder.split("/"):
        root = root / part
    texts = _texts(root, "")
    environment = Environment(
        loader=DictLoader(texts),
        undefined=StrictUndefined,
        autoescape=lambda name: bool(name and name.endswith(_ESCAPED)),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made = {}
    for path in sorted(texts):
        word = next((one for one in each or {} if f"__{one}__" in path), None)
        for item in (each or {})[word] if word else ({},):
            known = {**values, word: item} if word else dict(values)
            target = path.replace(f"__{word}__", str(item["name"])) if word else path
            made[target] = environment.get_template(path).render(known)
    return made


def _texts(folder: Traversable, path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _texts(entry, f"{path}{entry.name}/")
        elif not entry.name.startswith("."):
            found[path + entry.name] = entry.read_text(encoding="utf-8")
    return found
