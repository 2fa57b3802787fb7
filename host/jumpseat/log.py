"""Where the host writes its log: standard ``logging`` below ``jumpseat``, each event with its values as fields.

Nothing is printed until somebody configures logging; ``jumpseat serve`` and ``jumpseat work`` do.
"""

from __future__ import annotations

import logging
from typing import cast

import structlog

logging.getLogger("jumpseat").addHandler(logging.NullHandler())


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events carry fields: ``log.info("metadata_live", version=…)``.

    Args:
        name: the module's name.
    """
    processors = [structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, structlog.stdlib.render_to_log_kwargs]
    wrapped = structlog.wrap_logger(logging.getLogger(name), processors, structlog.stdlib.BoundLogger)
    return cast("structlog.stdlib.BoundLogger", wrapped)
