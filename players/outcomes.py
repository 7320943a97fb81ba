"""What operations on players and sessions end with instead of success, in the domain's words."""

from enum import StrEnum


class PlayerOutcome(StrEnum):
    """Why nothing was done."""

    UNKNOWN_PLAYER = "unknown_player"
    UNKNOWN_GAME = "unknown_game"
    UNKNOWN_SESSION = "unknown_session"
    PLAYER_BARRED = "player_barred"
    GAMING_OFF = "gaming_off"
    STATUS_NOT_ALLOWED = "status_not_allowed"
    NOT_LIFTED = "not_lifted"
    LIFTED_LATER = "lifted_later"


class InMaintenance(Exception):
    """Nothing new may begin at the moment; nothing has changed, and the same call can be made again later."""


class PlayerRefused(Exception):
    """Nothing has changed. `about` says whom or what: a uid, a game's slug, a player's status, a moment."""

    def __init__(self, outcome: PlayerOutcome, about: str = "") -> None:
        super().__init__(f"{outcome} {about}".rstrip())
        self.outcome = outcome
        self.about = about
