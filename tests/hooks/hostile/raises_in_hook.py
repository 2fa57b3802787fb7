from jumpseat import hookimpl


@hookimpl
def session_type_allowed(record):
    raise ValueError("the customer's password=hunter2secret")


@hookimpl
def session_closed(session):
    raise ValueError("cannot close")
