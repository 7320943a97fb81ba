"""The answer to each outcome of operations on players and sessions (contract 1, Error codes)."""

from lib.http.errors import ErrorCode, Refusal
from players.outcomes import PlayerOutcome, PlayerRefused

REFUSALS: dict[PlayerOutcome, tuple[ErrorCode, str]] = {
    PlayerOutcome.UNKNOWN_PLAYER: (ErrorCode.INVALID_REQUEST, "The player {about} is unknown."),
    PlayerOutcome.UNKNOWN_GAME: (ErrorCode.INVALID_REQUEST, "The game {about} is unknown."),
    PlayerOutcome.UNKNOWN_SESSION: (ErrorCode.UNKNOWN_SESSION, "The session token is unknown."),
    PlayerOutcome.PLAYER_BARRED: (ErrorCode.PLAYER_BARRED, "The player is {about}."),
    PlayerOutcome.GAMING_OFF: (ErrorCode.PLAYER_BARRED, "The game {about} is switched off."),
    PlayerOutcome.STATUS_NOT_ALLOWED: (
        ErrorCode.PLAYER_BARRED,
        "The player is {about}; only an operator can change that.",
    ),
    PlayerOutcome.NOT_LIFTED: (
        ErrorCode.PLAYER_BARRED,
        "The player is self-excluded, and no operators have agreed to lift that.",
    ),
    PlayerOutcome.LIFTED_LATER: (
        ErrorCode.PLAYER_BARRED,
        "The player is self-excluded, and can confirm that this is lifted from {about} on.",
    ),
}


def refusal(problem: Exception) -> Exception:
    """The Refusal that an outcome is answered with; any other failure as it is."""
    if not isinstance(problem, PlayerRefused):
        return problem
    code, description = REFUSALS[problem.outcome]
    return Refusal(code, description.format(about=problem.about))
