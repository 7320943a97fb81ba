"""The line that shows how a run goes while it goes."""

import time
from typing import TextIO

from simulation.tally import Tally, milliseconds

# Where the output is no terminal, a line of its own this often.
LINE_SECONDS = 5.0


class Progress:
    """Shows done and total, the rate, and the latencies of the last calls."""

    def __init__(self, stream: TextIO, tally: Tally, *, is_terminal: bool) -> None:
        self.stream = stream
        self.tally = tally
        self.is_terminal = is_terminal
        self.began = self.shown_at = time.monotonic()
        self.width = 0

    def phase(self) -> None:
        """Something new begins; its rate counts from now."""
        self.clear()
        self.began = self.shown_at = time.monotonic()

    def show(self, what: str, done: int, total: int) -> None:
        """The line, where it is time for it."""
        now = time.monotonic()
        if not self.is_terminal and now - self.shown_at < LINE_SECONDS:
            return
        self.shown_at = now
        rate = done / max(now - self.began, 0.001)
        p50, p95, p99 = milliseconds(self.tally.recent_latencies())
        wrong = f", {len(self.tally.wrong)} WRONG" if self.tally.wrong else ""
        line = (
            f"{what} {done:,}/{total:,} ({rate:,.0f}/s), calls p50 {p50:.1f} p95 {p95:.1f} p99 "
            f"{p99:.1f} ms{wrong}"
        )
        if self.is_terminal:
            self.stream.write(f"\r{line:<{self.width}}")
            self.width = len(line)
        else:
            self.stream.write(f"{line}\n")
        self.stream.flush()

    def clear(self) -> None:
        """Removes the live line."""
        if self.is_terminal and self.width:
            self.stream.write(f"\r{'':<{self.width}}\r")
            self.stream.flush()
            self.width = 0
