"""What operators see and do about each other, games, credentials, players and sessions."""

from players.admin import approvals, audit_events, credentials, games, operators, players, sessions
from players.admin.names import FIELDS, MODELS, name_models

__all__ = ["approvals", "audit_events", "credentials", "games", "operators", "players", "sessions"]

name_models(MODELS, FIELDS)
