from jumpseat import hookimpl


@hookimpl
async def session_opened(session):
    pass
