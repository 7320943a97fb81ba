"""What the commands have in common: how they tell what they do, write their figures, and end."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.databases import CannotMeasure
from config.launcher.processes import CannotStart


def measuring(work: Callable[[], dict[str, Any]], path: Path) -> int:
    """Does `work`, writes its figures to `path`, and returns the exit code.
    Ctrl-C and SIGTERM end everything in order.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    path.unlink(missing_ok=True)
    try:
        figures = work()
    except (CannotMeasure, CannotStart) as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("Interrupted; nothing was written.")
        return 130
    path.write_text(json.dumps(rounded(figures), indent=2) + "\n")
    say(f"Written to {path}.")
    if figures["errors"]:
        say(f"VOID: {figures['errors']} errors. A figure with errors in it is no figure.")
        return 1
    return 0


def rounded(value: Any) -> Any:
    """Figures with at most three places, at any depth."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def in_turns(measurements: Sequence[Callable[[], None]], rounds: int) -> None:
    """Each once in a round, every second round backwards: nothing always comes after the same."""
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds}")
        for measure in measurements if number % 2 == 0 else reversed(measurements):
            measure()


@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what is being done, and how long it took."""
    began = time.monotonic()
    print(f"{text} … ", end="", flush=True)
    yield
    say(f"{time.monotonic() - began:.1f} s")


def say(text: str) -> None:
    print(text, flush=True)
