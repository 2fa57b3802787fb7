"""The part of a host that edits its workspace's own files: the same files that an administrator edits by hand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from jumpseat.access.rights import operation, require
from jumpseat.editing.files import EditableFiles
from jumpseat.editing.planning import Change, EditedFile, Plan, Planner
from jumpseat.errors import EditInvalid, InvalidValue
from jumpseat.log import get_logger
from jumpseat.reach import Reach
from jumpseat.speech import say_n
from jumpseat.types import Supporter

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

    def _files(self) -> EditableFiles:
        return EditableFiles(self._wiring.workspace, self._wiring.var)

    def _planner(self, *, live: bool = False) -> Planner:
        return Planner(self._wiring.workspace, self._files(), self._wiring.vocabulary(live=live))


def _allowed(kind: str, name: str, supporter: Supporter) -> str:
    """The path of a file, once the supporter has the right to edit such a one."""
    if kind not in KINDS:
        raise InvalidValue(f"There is no kind of file '{kind[:40]}'. Known: {', '.join(KINDS)}.", param="kind")
    pattern, resource = KINDS[kind]
    require(supporter, f"{resource}.edit")
    return pattern if kind in WITHOUT_NAME else pattern.replace("{name}", name)
