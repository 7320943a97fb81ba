"""What operations on players and sessions end with instead of success, in the domain's words."""

from enum import StrEnum


class PlayerOutcome(StrEnum):
    """Why nothing was done."""

    UNKNOWN_PLAYER = "unknown_player"
    UNKNOWN_GAME = "unknown_game"
    UNKNOWN_SESSION = "unknown_session"
    PLAYER_BARRED = "player_barred"
    STATUS_NOT_ALLOWED = "status_not_allowed"


class PlayerRefused(Exception):
    """Nothing has changed. `about` says whom: a player's uid, a game's slug, the status that a player has."""

    def __init__(self, outcome: PlayerOutcome, about: str = "") -> None:
        super().__init__(f"{outcome} {about}".rstrip())
        self.outcome = outcome
        self.about = about
