"""The part of a host that edits its workspace's own files: the same files that an administrator edits by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from jumpseat.access.rights import operation, require
from jumpseat.contract import Setting
from jumpseat.editing.files import EditableFiles
from jumpseat.editing.planning import Change, EditedFile, Plan, Planner
from jumpseat.errors import EditInvalid, InvalidValue
from jumpseat.log import get_logger
from jumpseat.reach import Reach
from jumpseat.speech import say, say_n
from jumpseat.types import RecordRef, Supporter, Template

if TYPE_CHECKING:
    from jumpseat.catalogue.variables import TemplateContext
    from jumpseat.shares.render import Rendered

log = get_logger(__name__)

KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "object": ("metadata/objects/{name}.yaml", "objects"),
        "template": ("templates/{name}", "objects"),
        "permission_set": ("metadata/permission_sets/{name}.yaml", "settings"),
        "source": ("metadata/sources/{name}.yaml", "settings"),
        "plugin": ("metadata/plugins/{name}.yaml", "plugins"),
        "dashboard": ("metadata/dashboards/{name}.yaml", "dashboard"),
        "sessions": ("metadata/sessions.yaml", "settings"),
        "host": ("metadata/host.yaml", "settings"),
        "jobs": ("metadata/jobs.yaml", "settings"),
    }
)
"""By kind of file: where such a file lies, and the resource whose right to edit it takes."""
WITHOUT_NAME = ("sessions", "host", "jobs")


class EditingMetadata(Reach):
    """Edits of the workspace's own files; ``Host`` adds the rest.

    A file is named by its kind and its name without ending: ``("object", "case")`` is ``metadata/objects/case.yaml``, ``("template",
    "email/case.en.txt")`` is ``templates/email/case.en.txt``; of ``sessions``, ``host`` and ``jobs`` there is one each.
    """

    @operation("settings.edit")
    def file_of(self, kind: str, name: str, supporter: Supporter) -> EditedFile:
        """A file as it lies there now; one that does not exist yet has no hash, and a change of it makes it.

        Args:
            kind: key of ``KINDS``; of it follows the right: ``objects.edit`` for objects and templates, ``dashboard.edit``,
                ``plugins.edit``, else ``settings.edit``.
            name: of the file, without ``.yaml``.
            supporter: who asks.

        Raises:
            InvalidValue: there is no such kind, or nothing reads a file of this name.
            Refused: it is a link, or cannot be read.
        """
        return self._planner().read(_allowed(kind, name, supporter))

    @operation("settings.edit")
    def plan_change(
        self, kind: str, name: str, change: Change, supporter: Supporter, *, expected: str | None = None, live: bool = False
    ) -> Plan:
        """What a change would do: new text, difference, and the problems that the whole workspace would have. Nothing is written.

        Args:
            kind: as for ``file_of``.
            name: as for ``file_of``.
            change: what is wanted.
            supporter: who asks.
            expected: ``hash`` of the file as it was read; None for as it is now.
            live: ask the CRMs too whether they have the objects and fields.

        Raises:
            StaleFile: somebody else changed the file.
            SecretTyped: a secret would stand in it.
            InvalidValue: its keys cannot be changed one by one.
        """
        return self._planner(live=live).plan(_allowed(kind, name, supporter), change, expected)

    @operation("settings.edit")
    def save_change(self, kind: str, name: str, change: Change, supporter: Supporter, *, expected: str) -> Plan:
        """Write a change: the file is replaced whole, its former text kept in ``var/edited/``, and the new one goes live.

        Args:
            kind: as for ``file_of``.
            name: as for ``file_of``.
            change: what is wanted.
            supporter: who saves.
            expected: ``hash`` of the file as it was read; empty for a new file.

        Returns:
            What was done.

        Raises:
            StaleFile: somebody else changed the file; their text stays.
            EditInvalid: it would add errors; nothing was written.
            SecretTyped: a secret would stand in it; nothing was written.
        """
        path = _allowed(kind, name, supporter)
        plan = self._planner().plan(path, change, expected)
        if plan.errors:
            raise EditInvalid(
                say_n(
                    "Nothing was saved: the workspace would have an error that it does not have now.",
                    "Nothing was saved: the workspace would have {n} errors that it does not have now.",
                    len(plan.errors),
                ),
                tuple(str(problem) for problem in plan.errors),
            )
        if plan.gone:
            self._files().delete(path, expected, self.clock.now())
        elif plan.difference or not plan.hash:
            self._files().write(path, plan.text, expected, self.clock.now())
        log.info("file_deleted" if plan.gone else "file_saved", file=path, supporter=supporter.id, key=supporter.key or "")
        self._wiring.live.refresh()
        return plan

    @operation("settings.edit")
    def delete_file(self, kind: str, name: str, supporter: Supporter, *, expected: str) -> Plan:
        """Delete a file; its text is kept in ``var/edited/``. Raises like ``save_change``."""
        return self.save_change(kind, name, Change(gone=True), supporter, expected=expected)

    @operation("settings.read")
    def declared_settings(self, kind: str, name: str, supporter: Supporter) -> tuple[Setting, ...]:
        """What may be set of a plugin or of a kind of record source, as they declare it.

        Args:
            kind: ``plugin`` or ``source``.
            name: of the plugin, or of the kind of source.
            supporter: who asks.
        """
        require(supporter, "settings.read")
        vocabulary = self._wiring.vocabulary()
        return tuple((vocabulary.plugins if kind == "plugin" else vocabulary.source_kinds).get(name, ()))

    @operation("settings.read")
    def source_kinds(self, supporter: Supporter) -> tuple[str, ...]:
        """The kinds of record sources that plugins bring, by name."""
        require(supporter, "settings.read")
        return tuple(sorted(self._wiring.vocabulary().source_kinds))

    # --- how a template looks -----------------------------------------------------------------------------------------

    @operation("objects.edit")
    def preview_edit(self, name: str, change: Change, supporter: Supporter, ref: RecordRef | None = None) -> tuple[Template, Rendered]:
        """A template as it would be after a change, filled in as it would be sent; the session is a sample.

        Args:
            name: of its file, ``email/case.en.txt``.
            change: what is wanted; an empty one shows it as it is.
            supporter: who asks, and in whose name it is filled in.
            ref: the record; documented sample values when left out.

        Raises:
            EditInvalid: the template would have errors.
            RecordNotFound: there is no such record, or the supporter may not see it.
            MessageUnsafe: what the template makes of the record may not be sent.
        """
        path = _allowed("template", name, supporter)
        loaded = self._planner().tried(path, change)
        text = path.removesuffix("html") + "txt" if path.endswith(".html") else path
        found = next((one for one in loaded.catalogue.templates if one.file == text), None) if loaded.catalogue else None
        if found is None:
            problems = [problem for problem in loaded.problems if problem.severity == "error"]
            raise EditInvalid(say("This cannot be shown as long as it has errors."), tuple(str(problem) for problem in problems))
        return found, self.fill_template(found, supporter, ref)

    @operation("session.read")
    def fill_template(self, template: Template, supporter: Supporter, ref: RecordRef | None = None) -> Rendered:
        """A template filled in as it would be sent; the session is a sample.

        Args:
            template: which one.
            supporter: in whose name.
            ref: the record, with the recipient that is prefilled for it; documented sample values when left out, with the label and
                fields of the first object that the template applies to.

        Raises:
            RecordNotFound: there is no such record, or the supporter may not see it.
            MessageUnsafe: what the template makes of the record may not be sent.
        """
        from jumpseat.catalogue.variables import sample_context
        from jumpseat.records.template_choice import applies
        from jumpseat.shares.render import render

        if ref is not None:
            return render(template, self._context_of(ref, template.channel, supporter))
        supported = next((one for one in self.catalogue.objects if one.enabled and applies(template, one)), None)
        return render(template, sample_context(supported.label, supported.template_fields) if supported else sample_context())

    def _context_of(self, ref: RecordRef, channel: str, supporter: Supporter) -> TemplateContext:
        """The record and its prefilled recipient as they are in the CRM; only the session is a sample."""
        from jumpseat.catalogue.variables import CompanyVariables, RecipientVariables, RecordVariables, SupporterVariables, sample_context

        require(supporter, "session.read", own=True)
        resolver = self._resolver()
        offer = self._offer(resolver, self._place(resolver, ref, supporter, "session.read"), supporter)
        supported = self.catalogue.object(offer.record.object, offer.source)
        offered = offer.channel(channel)
        recipient = offered.prefilled if offered else None
        first_name = (recipient.contact.first_name if recipient and recipient.contact else None) or ""
        fields = {name: offer.record[name] for name in (supported.template_fields if supported else ())}
        return replace(
            sample_context(),
            record=RecordVariables(offer.record.name, offer.record.label, fields),
            recipient=RecipientVariables(recipient.name if recipient else "", first_name),
            supporter=SupporterVariables(supporter.name),
            company=CompanyVariables(self.catalogue.host.company),
        )

    # --- inside -------------------------------------------------------------------------------------------------------

    def _files(self) -> EditableFiles:
        return EditableFiles(self._wiring.workspace, self._wiring.var)

    def _planner(self, *, live: bool = False) -> Planner:
        return Planner(self._wiring.workspace, self._files(), self._wiring.vocabulary(live=live), self._wiring.edit_cache)


def _allowed(kind: str, name: str, supporter: Supporter) -> str:
    """The path of a file, once the supporter has the right to edit such a one."""
    if kind not in KINDS:
        raise InvalidValue(say("There is no kind of file '{kind}'. Known: {known}.", kind=kind[:40], known=", ".join(KINDS)), param="kind")
    pattern, resource = KINDS[kind]
    require(supporter, f"{resource}.edit")
    return pattern if kind in WITHOUT_NAME else pattern.replace("{name}", name)
