"""Parts of the platform that are started again when they end: a bounded number of times, never silently."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic

from config.launcher.processes import CannotStart, Child, say, stop, wait_until

# Seconds before each new start. Who ends more often than this within the time below is not started again.
PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
WINDOW_SECONDS = 600.0


@dataclass
class Part:
    """A process that should run as long as the platform does.

    `begin` starts it, and again each time. Without one that `is_needed` the platform is none, and ends; it
    goes on without any other.
    """

    name: str
    begin: Callable[[], Child]
    is_needed: bool
    child: Child = field(init=False)
    ended_at: list[float] = field(default_factory=list)
    restart_at: float | None = None
    is_given_up: bool = False

    def __post_init__(self) -> None:
        self.child = self.begin()

    def look(self, at: float) -> None:
        """Starts it again when its time has come. `at` is the monotonic clock's."""
        if self.is_given_up:
            return
        if self.restart_at is None and self.child.ended:
            stop(self.child)  # what it started, too
            self.note_end(at, f"ended unexpectedly (exit code {self.child.process.returncode})")
        elif self.restart_at is not None and at >= self.restart_at:
            say(f"Starting {self.name} again")
            self.restart_at = None
            try:
                self.child = self.begin()
            except (OSError, CannotStart) as problem:
                self.note_end(at, f"cannot be started: {problem}")

    def note_end(self, at: float, how: str) -> None:
        """Says that it has ended, and what follows. Raises CannotStart if everything has to end."""
        self.ended_at = [earlier for earlier in self.ended_at if at - earlier < WINDOW_SECONDS] + [at]
        what = f"{self.name} {how}"
        times = len(self.ended_at)
        if times <= len(PAUSES):
            pause = PAUSES[times - 1]
            self.restart_at = at + pause
            say(f"{what}. It is started again in {pause:.0f} s.")
            return
        what += f", {times} times in {WINDOW_SECONDS / 60:.0f} minutes"
        if self.is_needed:
            raise CannotStart(f"{what}, so everything ends.")
        self.is_given_up = True
        say(f"{what}, and is not started again. The web server goes on without it.")

    def stop(self) -> None:
        stop(self.child)


def watch(parts: Iterable[Part]) -> None:
    """Keeps the parts running until somebody asks to end, or one that is needed cannot be kept."""

    def look() -> bool:
        for part in parts:
            part.look(monotonic())
        return False

    wait_until(look)
