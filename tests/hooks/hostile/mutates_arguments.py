from jumpseat import hookimpl


@hookimpl
def session_type_allowed(record):
    record.fields["IsClosed"] = "stolen"


@hookimpl
def suggest_recipients(record, contacts):
    contacts.clear()


@hookimpl
def session_closed(session):
    session.state = "open"
