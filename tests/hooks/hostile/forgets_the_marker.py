def session_opened(session):
    pass
