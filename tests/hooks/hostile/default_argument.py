from jumpseat import hookimpl


@hookimpl
def session_opened(session, record=None):
    pass
