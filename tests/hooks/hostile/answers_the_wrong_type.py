from jumpseat import hookimpl


@hookimpl
def session_type_allowed(record):
    return True


@hookimpl
def suggest_recipients(record):
    return "marie@example.test"


@hookimpl
def choose_template(candidates):
    return "urgent"
