"""What operators see and do about each other, games, credentials, players and sessions."""

from players.admin import credentials, games, operators, players, sessions

__all__ = ["credentials", "games", "operators", "players", "sessions"]
