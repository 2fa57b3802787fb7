from jumpseat import hookimpl


@hookimpl
def sesion_opened(session):
    pass
