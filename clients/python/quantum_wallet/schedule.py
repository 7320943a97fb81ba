"""When a call that was not answered is sent again."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

# Whoever resumes a call sooner begins its schedule anew.
SOON = 60.0
# A server that asks for a longer pause is not believed.
LONGEST_PAUSE = 3600.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Seconds before each repetition; after the last one the call is given up."""

    pauses: tuple[float, ...]

    def left_after(self, seconds: float) -> "Schedule":
        """What is left of it, so long after the first attempt; the next one is due at once.

        For a call that is resumed after a restart.
        """
        dues = itertools.accumulate(self.pauses)
        gone = sum(1 for due in dues if due <= seconds)
        return self if seconds < SOON else Schedule(self.pauses[gone:])

    def __iter__(self) -> Iterator[float]:
        return iter(self.pauses)


# The contract's (2.4): what ends a transaction is repeated for 48 h 48 min; then the platform asks.
SETTLING = Schedule((0, 5, 10, 20, 40, 120, 300, 600, 1800, *[3600] * 48))
# A player waits for what is opened: after this it is rolled back.
OPENING = Schedule((0, 5, 10))
# What only asks can be asked again by whoever wants to know.
ASKING = Schedule((0, 1))
ONCE = Schedule(())


def pause_before(pause: float, retry_after: float) -> float:
    """How long to wait: as scheduled, or as long as the server asks for, if that is longer."""
    return max(pause, min(retry_after, LONGEST_PAUSE))
