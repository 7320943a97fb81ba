"""The proofs by name, with how often `make proofs` has each happen."""

from collections.abc import Callable

from tests.faults import small_disk
from tests.faults.platform_processes import Platform
from tests.faults.proofs import (
    broker_away,
    clock_steps,
    cut_commits,
    disk_full,
    immediate_stops,
    names_away,
)
from tests.faults.proofs.proof import Proof

PROOFS: dict[str, tuple[Callable[[Platform, int], Proof], int]] = {
    "disk": (disk_full.prove_data, 20),
    "log": (disk_full.prove_log, 20),
    "stops": (immediate_stops.prove, 200),
    "cuts": (cut_commits.prove, 10_000),
    "clock": (clock_steps.prove, 200),
    "broker": (broker_away.prove, 10),
    "names": (names_away.prove, 10),
}
# They need a file system of their own.
ON_SMALL_DISKS = {"disk", "log"}


def why_not(name: str) -> str:
    """Why one cannot be tried here; nothing if it can."""
    return small_disk.why_not() if name in ON_SMALL_DISKS else ""
