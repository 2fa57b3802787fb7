from jumpseat import hookimpl


@hookimpl
def session_opened(sesion):
    pass
