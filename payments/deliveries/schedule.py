"""When a game is told again to deliver (contract 2.4, 4.3)."""

from datetime import timedelta

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# The pauses after each try: 48 h 48 min in all, then a person decides.
PAUSES = (
    5 * SECOND,
    10 * SECOND,
    20 * SECOND,
    40 * SECOND,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    *[HOUR] * 48,
)


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after that many tries that failed; None if no more follow."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else None
