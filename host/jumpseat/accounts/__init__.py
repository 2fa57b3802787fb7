"""Sign-ins at providers and CRMs: led through a browser, kept sealed, renewed once, revoked."""
