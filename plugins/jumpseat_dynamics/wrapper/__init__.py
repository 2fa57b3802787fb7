"""The wrapper for Dynamics 365: an unpacked solution that frames the host's pages, and the source of its plug-in."""
