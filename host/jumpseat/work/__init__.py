"""The work room: durable background work on DBOS, which nothing outside this room imports.

``queue`` puts work into the database, inside the caller's own transaction; ``worker`` runs it, one worker per process.
"""
