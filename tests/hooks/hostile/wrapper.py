from jumpseat import hookimpl


@hookimpl(wrapper=True)
def session_type_allowed(record):
    return (yield)
