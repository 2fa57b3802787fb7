"""The life of a session: reserved, open, and one of three ends; what the provider knows is kept in step with what the host knows."""

from jumpseat.sessions.life import SessionLife as SessionLife
from jumpseat.sessions.parts import Events as Events
from jumpseat.sessions.reconcile import Reconciled as Reconciled
