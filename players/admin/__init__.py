"""What operators see and do about each other, games, credentials, players and sessions."""

from players.admin import (
    approvals,
    audit_events,
    credentials,
    games,
    names,
    operators,
    platform_switches,
    players,
    sessions,
)

__all__ = [
    "approvals",
    "audit_events",
    "credentials",
    "games",
    "names",
    "operators",
    "platform_switches",
    "players",
    "sessions",
]
