"""One e-mail template of Salesforce: two files of the Metadata API, and the template that they say."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from jumpseat import Left, TemplateFile, plain_text, with_merge_fields
from jumpseat_salesforce.metadata_files.names import developer_name
from jumpseat_salesforce.metadata_files.records import KIND
from jumpseat_salesforce.metadata_files.xml_files import HEAD, METADATA, Unreadable, element, local, parsed

FOLDER = "Jumpseat"
"""Folder of templates that came from no other."""
_USUAL = {"available": "true", "encodingKey": "UTF-8", "style": "none", "uiType": "Aloha"}
"""What an export writes where nothing else is known."""
_OWN = frozenset(("name", "description", "subject", "textOnly", "type", "relatedEntityType"))
_HTML_TYPES = ("custom", "html")
_LIGHTNING = re.compile(r"\{\{\{[^{}\n]*\}\}\}")
_FOREIGN = re.compile(r"\{\{|\{%|\{#")
_FILE_NAME = re.compile(r"(?:.*/)?email/(?P<folder>.+)/(?P<name>\w+)\.email")


class Unfit(Exception):
    """A template that cannot be brought: why, as a sentence."""


@dataclass(frozen=True, slots=True)
class Source:
    """The two files of one template."""

    path: str
    """Of the body."""
    body: bytes
    meta: bytes


def read_template(source: Source, languages: Collection[str], language: str) -> tuple[TemplateFile, list[Left]]:
    """The template that two files say; merge fields stay as they are written.

    Args:
        source: the files.
        languages: those that the end of a name may say: ``case_fr``.
        language: of templates whose name says none.

    Raises:
        Unreadable: the files are not what they should be.
        Unfit: the template has no counterpart.
    """
    named = _FILE_NAME.fullmatch(source.path)
    if named is None:
        raise Unreadable("the file is not called FOLDER/NAME.email")
    meta, left = _meta(source)
    kind = meta.get("type", "text")
    if kind not in ("text", *_HTML_TYPES):
        raise Unfit(f"A template of the type '{kind[:40]}' is a program. Write its words as a text or HTML template.")
    body = _lines(_decoded(source.body))
    html = body if kind in _HTML_TYPES else None
    text = _lines(meta["textOnly"]) if html is not None and meta.get("textOnly", "").strip() else plain_text(body) if html else body
    subject = meta.get("subject", "").strip()
    for part in filter(None, (subject, text, html)):
        _refuse_foreign_language(part)
    stem, said = _split(named["name"], languages)
    template = TemplateFile(
        name=meta.get("name", "").strip() or named["name"],
        language=said or language,
        text=text,
        html=html,
        subject=subject or None,
        description=meta.get("description", "").strip() or None,
        object=meta.get("relatedEntityType", "").strip() or None,
        stem=stem,
        origin=source.path,
    )
    facts = _facts(meta, named["folder"], named["name"], template)
    return (replace(template, extra={KIND: facts}) if facts else template), left


def _meta(source: Source) -> tuple[dict[str, str], list[Left]]:
    found: dict[str, str] = {}
    left = []
    for child in parsed(source.meta, "EmailTemplate"):
        name = local(child)
        if len(child) or name in ("attachments", "attachedDocuments", "packageVersions"):
            left.append(Left(source.path, f"<{name}>", "Not brought: a template here is a text and an HTML page, nothing else."))
        elif name in found:
            raise Unreadable(f"<{name}> stands twice in its description")
        else:
            found[name] = child.text or ""
    if found.get("letterhead", "").strip():
        left.append(Left(source.path, f"letterhead '{found['letterhead'].strip()[:60]}'", "The page is sent without the letterhead."))
    return found, left


def _decoded(body: bytes) -> str:
    try:
        return body.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the body is not UTF-8", body.count(b"\n", 0, error.start) + 1) from error


def _lines(text: str) -> str:
    return re.sub(r"\r\n?", "\n", text)


def _refuse_foreign_language(text: str) -> None:
    """What Salesforce prints as it stands would be evaluated here: such a text is not brought."""
    if found := _FOREIGN.search(_LIGHTNING.sub("", text)):
        raise Unfit(f"It holds '{found.group()}', which Salesforce prints and a template here would evaluate. Write it otherwise.")


def _split(name: str, languages: Collection[str]) -> tuple[str, str | None]:
    for language in languages:
        end = f"_{language.replace('-', '_')}"
        if name.endswith(end) and len(name) > len(end):
            return name.removesuffix(end), language
    return name, None


def _facts(meta: Mapping[str, str], folder: str, name: str, template: TemplateFile) -> dict[str, str]:
    facts = {} if folder == FOLDER else {"folder": folder}
    if name != _developer_name(template, ()):
        facts["name"] = name
    if template.html is not None and meta["type"] != _HTML_TYPES[0]:
        facts["type"] = meta["type"]
    facts |= {key: text for key, text in sorted(meta.items()) if key not in _OWN and text.strip() and text != _USUAL.get(key)}
    return facts


def _developer_name(template: TemplateFile, taken: Collection[str]) -> str:
    end = f"_{template.language.replace('-', '_')}"
    stems = {one.removesuffix(end.casefold()) for one in taken if one.endswith(end.casefold())}
    return developer_name(template.stem, stems) + end


# --- template → files ------------------------------------------------------------------------------------------------


def write_template(template: TemplateFile, object: str | None, languages: Collection[str], taken: Collection[str]) -> dict[str, str]:
    """The files of a template, by path in a package folder.

    Args:
        template: as its files say it.
        object: the supported object that it applies to, for the fields of the record.
        languages: that the end of a name can say.
        taken: names of templates that exist, in small letters.

    Raises:
        Unfit: merge fields cannot say what it says.
        InvalidValue: a text cannot stand in XML.
    """
    facts = dict(template.extra.get(KIND, {}))
    name = facts.pop("name", None) or _developer_name(template, taken)
    if "name" not in template.extra.get(KIND, {}) and template.language not in languages:
        raise Unfit(f"Its language '{template.language}' is not among the languages of metadata/host.yaml.")
    folder = facts.pop("folder", FOLDER)
    html_type = facts.pop("type", _HTML_TYPES[0])
    text = _restored(template.text, object)
    html = None if template.html is None else _restored(template.html, object, is_html=True)
    parts = dict(_USUAL) | facts | {"name": template.name, "type": "text" if html is None else html_type}
    if html is not None and text != plain_text(html):
        parts["textOnly"] = text
    if template.subject:
        parts["subject"] = _restored(template.subject, object)
    parts |= {key: value for key, value in (("description", template.description), ("relatedEntityType", template.object)) if value}
    meta = "".join(element(key, value) for key, value in sorted(parts.items()))
    path = f"email/{folder}/{name}.email"
    return {path: text if html is None else html, f"{path}-meta.xml": f'{HEAD}<EmailTemplate xmlns="{METADATA}">\n{meta}</EmailTemplate>\n'}


def _restored(text: str, object: str | None, *, is_html: bool = False) -> str:
    done = with_merge_fields(text, object, is_html=is_html)
    if done.left:
        more = f" (and {len(done.left) - 1} more)" if len(done.left) > 1 else ""
        raise Unfit(f"No merge field can say '{done.left[0]}'{more}.")
    return done.text


def folder_files() -> dict[str, str]:
    """The folder of templates that came from no other."""
    parts = element("accessType", "Public") + element("name", FOLDER) + element("publicFolderAccess", "ReadOnly")
    return {f"email/{FOLDER}.emailFolder-meta.xml": f'{HEAD}<EmailFolder xmlns="{METADATA}">\n{parts}</EmailFolder>\n'}


def sources(files: Mapping[str, bytes]) -> tuple[list[Source], list[str]]:
    """The templates of a folder, and the bodies whose description is missing."""
    found, alone = [], []
    for path in sorted(path for path in files if path.endswith(".email")):
        meta = files.get(f"{path}-meta.xml")
        if meta is None:
            alone.append(path)
        else:
            found.append(Source(path, files[path], meta))
    return found, alone


def object_of(template: TemplateFile, objects: Sequence[Mapping[str, object]]) -> str | None:
    """The one supported object that a template applies to; None when there are several or none."""
    found = {
        str(one["supported_object"])
        for one in objects
        if template.description == one["email_template_description"] or template.object == one["supported_object"]
    }
    return found.pop() if len(found) == 1 else None
