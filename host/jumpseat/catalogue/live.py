"""The catalogue of a running host: edits of the workspace go live by themselves, bad ones change nothing.

1. Every interval the stamps of all files are compared with those of the version that is served.
2. A change is taken when nothing has moved for one interval, so that files changed together go live together.
3. All files are read and checked; when a stamp has moved meanwhile, what was read is thrown away and step 2 begins anew.
4. A good version replaces the current one whole and is kept on disk as the last good one. A bad one is reported once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from jumpseat.catalogue.files import Snapshot, snapshot
from jumpseat.catalogue.last_good import LastGood
from jumpseat.catalogue.load import Cache, Loaded, load
from jumpseat.catalogue.model import Catalogue
from jumpseat.catalogue.problems import Problem, has_errors, render
from jumpseat.catalogue.vocabulary import Vocabulary
from jumpseat.errors import MetadataInvalid
from jumpseat.log import get_logger
from jumpseat.speech import say

log = get_logger(__name__)

INTERVAL_SECONDS = 0.25
_TRIES_AT_START = 20
"""Files that move while the host starts are waited for that many intervals."""


class LiveCatalogue:
    """Holds the current catalogue of a workspace and replaces it when its files change for the better.

    Args:
        workspace: the folder with ``metadata/`` and ``templates/``.
        vocabulary: what plugins bring.
        var: folder for what the host keeps; the last good files go below it.
        interval_seconds: time between two looks, and how long files have to rest before a change is taken.

    Raises:
        MetadataInvalid: the files have errors and no earlier good version is kept.
    """

    def __init__(self, workspace: Path, vocabulary: Vocabulary | None, var: Path, *, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._workspace = workspace
        self._vocabulary = vocabulary
        self._interval = interval_seconds
        self._last_good = LastGood(var / "last-good")
        self._cache = Cache()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._callbacks: list[Callable[[Catalogue], None]] = []
        self._problems: tuple[Problem, ...] = ()
        self._moving: tuple[Snapshot, float] | None = None
        self._seen: Snapshot = {}
        self._current = self._first()

    @property
    def current(self) -> Catalogue:
        """The catalogue to use now; hold on to it for the length of one request."""
        return self._current

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the files as they lie there now: errors when the current catalogue is older, else warnings."""
        return self._problems

    @property
    def version(self) -> str:
        """Version of the current catalogue."""
        return self._current.version

    @property
    def is_behind(self) -> bool:
        """Are the files bad, so that an older version is served?"""
        return has_errors(self._problems)

    def on_change(self, callback: Callable[[Catalogue], None]) -> None:
        """Have ``callback`` called with each new catalogue, in the thread that noticed it; what it raises is logged."""
        self._callbacks.append(callback)

    def start(self) -> None:
        """Begin to watch in a thread of its own. Does nothing when it runs already."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._watch, name="jumpseat-catalogue", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the watching; returns when the thread is gone."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def poll(self) -> bool:
        """Look once. Answers True when a new catalogue went live."""
        with self._lock:
            now = snapshot(self._workspace)
            if now == self._seen:
                self._moving = None
                return False
            if self._moving is None or self._moving[0] != now:
                self._moving = (now, time.monotonic())
                return False
            if time.monotonic() - self._moving[1] < self._interval:
                return False
            changed = self._take(now)
        if changed:
            self._tell()
        return changed

    def refresh(self) -> bool:
        """Take the files as they are at this moment, without waiting for them to rest: whoever wrote them has just finished.

        Returns:
            Whether a new catalogue went live.
        """
        with self._lock:
            changed = self._take(snapshot(self._workspace))
        if changed:
            self._tell()
        return changed

    # --- inside

    def _take(self, before: Snapshot) -> bool:
        loaded = self._load_still(before)
        if loaded is None:
            return False
        self._seen, self._moving = before, None
        self._problems = loaded.problems
        if loaded.catalogue is None:
            self._report(loaded)
            return False
        changed = loaded.catalogue.version != self._current.version
        self._current = loaded.catalogue
        if changed:
            self._last_good.keep(loaded.catalogue.version, loaded.files)
            log.info("metadata_live", version=loaded.catalogue.version)
        return changed

    def _load_still(self, before: Snapshot) -> Loaded | None:
        """Load; None when the files moved meanwhile, for what was read may be of two versions."""
        loaded = load(self._workspace, self._vocabulary, cache=self._cache)
        after = snapshot(self._workspace)
        if after == before:
            return loaded
        self._moving = (after, time.monotonic())
        return None

    def _report(self, loaded: Loaded) -> None:
        texts = [render(problem) for problem in loaded.problems]
        log.error("metadata_refused", serving=self._current.version, errors=len(texts), problems=texts[:10])

    def _tell(self) -> None:
        for callback in tuple(self._callbacks):
            try:
                callback(self._current)
            except Exception:  # one listener that fails must not keep the others, or the next edit, from going live
                log.exception("metadata_listener_failed")

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.poll()
            except Exception:  # the thread has to outlive whatever a file system can come up with
                log.exception("metadata_watch_failed")

    def _first(self) -> Catalogue:
        """The catalogue to begin with: of the files, else the last good one."""
        for _ in range(_TRIES_AT_START):
            self._seen = snapshot(self._workspace)
            loaded = self._load_still(self._seen)
            if loaded is not None:
                break
            time.sleep(self._interval)
        else:
            loaded = load(self._workspace, self._vocabulary)
        self._moving = None
        self._problems = loaded.problems
        if loaded.catalogue is not None:
            self._last_good.keep(loaded.catalogue.version, loaded.files)
            return loaded.catalogue
        return self._fall_back(loaded)

    def _fall_back(self, loaded: Loaded) -> Catalogue:
        texts = tuple(render(problem) for problem in loaded.problems)
        for folder in self._last_good.folders():
            kept = load(folder, self._vocabulary, secrets_from=self._workspace)
            if kept.catalogue is not None and kept.catalogue.version == folder.name:
                log.error("metadata_refused", serving=folder.name, errors=len(texts), problems=texts[:10])
                return kept.catalogue
        message = say("The metadata has errors, and there is no earlier good version to go on with. 'jumpseat check' shows them all.")
        raise MetadataInvalid(message, texts)
