"""The HTTP API, version 1. It translates between HTTP and ``Host`` and decides nothing: rights, rules and reasons are the host's."""
