from jumpseat import ProviderError, hookimpl


class Evil(Exception):
    def __str__(self):
        raise SystemExit("even my text")


class EvilProvider(ProviderError):
    def __init__(self):
        pass


@hookimpl
def session_type_allowed(record):
    raise Evil


@hookimpl
def session_closed(session):
    raise EvilProvider
