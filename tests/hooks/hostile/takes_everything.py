from jumpseat import hookimpl


@hookimpl
def session_opened(**kwargs):
    pass
