from jumpseat import Verdict, hookimpl


@hookimpl
def session_type_allowed(record):
    print("z" * 100_000_000)
    return Verdict.refuse("x" * 100_000_000)


@hookimpl
def suggest_recipients(record):
    while True:
        yield from ()
        yield None
