"""What Dynamics calls things: a session is a service request there, as in TeamViewer's own manual for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

VOCABULARY: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {"session": "service request", "sessions": "service requests", "Share": "Share this link with the customer"},
        "fr": {
            "session": "demande de service",
            "sessions": "demandes de service",
            "Session ID": "ID de la demande de service",
            "Customer link": "Lien du client",
            "Support link": "Lien de l'agent d'assistance",
            "Valid until": "Demande de service valable jusqu'au",
            "Share": "Partagez ce lien avec le client",
        },
    }
)
