import threading

from jumpseat import hookimpl

release = threading.Event()


@hookimpl
def session_type_allowed(record):
    release.wait(30)


@hookimpl
def session_closed(session):
    release.wait(30)
