"""What a run counts: calls by outcome, latencies, played transactions, and what was wrong."""

import threading
import time
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

# The live line shows the latencies of the last calls, the report those of all.
RECENT_CALLS = 2000


@dataclass(slots=True)
class Tally:
    """Counted by all threads. Latencies are in seconds."""

    began: float = field(default_factory=time.monotonic)
    done: int = 0
    checks: int = 0
    balances: int = 0
    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    latencies: dict[str, "array[float]"] = field(default_factory=lambda: defaultdict(lambda: array("f")))
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_CALLS))
    stories: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, call: str, outcome: str, seconds: float) -> None:
        """One try of one call."""
        with self.lock:
            self.outcomes[call][outcome] += 1
            self.latencies[call].append(seconds)
            self.recent.append(seconds)

    def played(self, story: str, transactions: int) -> None:
        """One story to its end."""
        with self.lock:
            self.stories[story] += 1
            self.done += transactions

    def checked(self) -> None:
        """One answer was compared with what the book expects."""
        with self.lock:
            self.checks += 1

    def compared(self, balances: int) -> None:
        """So many balances were compared at the end."""
        with self.lock:
            self.balances += balances

    def differ(self, text: str) -> None:
        """Something that the server said is not what the book says."""
        with self.lock:
            self.wrong.append(text)

    def calls(self) -> int:
        """All tries of all calls."""
        with self.lock:
            return sum(map(Counter.total, self.outcomes.values()))

    def recent_latencies(self) -> list[float]:
        """The latencies of the last calls, sorted."""
        with self.lock:
            return sorted(self.recent)

    def all_latencies(self) -> list[float]:
        """The latencies of all calls, sorted."""
        with self.lock:
            return sorted(second for seconds in self.latencies.values() for second in seconds)


def percentile(ordered: list[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed; 0 where there are none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def milliseconds(ordered: Iterable[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 of sorted seconds, in milliseconds."""
    values = list(ordered)
    return 1000 * percentile(values, 0.50), 1000 * percentile(values, 0.95), 1000 * percentile(values, 0.99)
