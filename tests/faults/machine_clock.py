"""The clock of a machine, for the processes that are started with it: Debian's libfaketime steps it."""

from datetime import timedelta
from functools import cache
from pathlib import Path

LIBRARIES = [Path("/usr/lib") / machine / "faketime" for machine in ("x86_64-linux-gnu", "aarch64-linux-gnu")]


@cache
def why_not() -> str:
    """Why no clock can be stepped here; nothing if one can."""
    return "" if any(map(Path.exists, LIBRARIES)) else "libfaketime is not installed"


class MachineClock:
    """Says the time `by` which it is wrong to whoever was started with its environment; what counts seconds
    from the start of the machine is right, as after a step of a real clock.
    """

    def __init__(self, place: Path) -> None:
        self.file = place / "clock"
        self.step(timedelta(0))

    def step(self, by: timedelta) -> None:
        draft = self.file.with_suffix(".new")
        draft.write_text(f"{by.total_seconds():+.0f}")
        draft.replace(self.file)

    def environment(self, *, has_threads: bool = True) -> dict[str, str]:
        [place] = filter(Path.exists, LIBRARIES)
        return {
            # The one for threads takes a lock, which a signal's handler of PostgreSQL would wait for.
            "LD_PRELOAD": str(place / ("libfaketimeMT.so.1" if has_threads else "libfaketime.so.1")),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
