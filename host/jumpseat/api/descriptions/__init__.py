"""The published descriptions of the API: one source, the native OpenAPI 3.1 document, and a pure function for each further dialect.

Nothing is described a second time here: what a dialect lacks follows from rules over the native document, whatever operations it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from jumpseat.api.descriptions.external_services import external_services
from jumpseat.api.descriptions.fitting import left_out
from jumpseat.api.descriptions.power_platform import power_platform

__all__ = ["DIALECTS", "external_services", "left_out", "native", "power_platform"]

Document = dict[str, Any]


def native(document: Document, server: str) -> Document:
    """The native description, with the address at which the host is reached.

    Args:
        document: as ``jumpseat.api.document`` makes it.
        server: address of the host, without a slash at the end.
    """
    return {**document, "servers": [{"url": server}]}


DIALECTS: Mapping[str, Callable[[Document, str], Document]] = MappingProxyType(
    {"native": native, "external-services": external_services, "power-platform": power_platform}
)
"""By the name that ``jumpseat api describe`` knows: native document and address of the host → description."""
