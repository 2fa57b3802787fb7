from jumpseat import hookimpl


@hookimpl
def register_session_types(host):
    raise OSError("no configuration")
