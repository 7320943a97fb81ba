"""Who took the processors: seconds of CPU of whole families of processes, from /proc.

A process that has ended and was waited for is in its parent's sum, so that nothing is lost
when a worker or a connection's process ends meanwhile.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count() or 1
MOST_READS = 20


class ProcessStat(NamedTuple):
    """A process as /proc/<pid>/stat has it; seconds of CPU with those of its children that have ended."""

    name: str
    parent: int
    seconds: float


def parse_process(stat: str) -> ProcessStat:
    """Reads /proc/<pid>/stat. The name may contain spaces and brackets (proc(5)): its end is the last one."""
    head, _, rest = stat.rpartition(")")
    fields = rest.split()
    # utime, stime, cutime and cstime are the fields 14 to 17 of all, the first of these is 3.
    return ProcessStat(head.partition("(")[2], int(fields[1]), sum(map(int, fields[11:15])) / TICKS)


def parse_machine(stat: str) -> float:
    """Seconds of work of all cores since the start, from /proc/stat: user, nice, system, and what other
    machines on the same hardware took. Interrupts are no process's, and the network's are our own.
    """
    user, nice, system, _idle, _iowait, _irq, _softirq, steal = map(int, stat.split()[1:9])
    return (user + nice + system + steal) / TICKS


def process(pid: int) -> ProcessStat | None:
    """None if it has ended."""
    try:
        return parse_process((PROC / str(pid) / "stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def family_seconds(root: int) -> float:
    """CPU seconds of a process, its children, and theirs. One that ends while they are read could be missed,
    or counted twice: they are read until the family stays the same.
    """
    family = family_of(root, everybody())
    for _ in range(MOST_READS):
        before, family = family.keys(), family_of(root, everybody())
        if family.keys() == before:
            break
        time.sleep(0.005)
    return sum(family.values())


def everybody() -> dict[int, ProcessStat]:
    pids = [int(path.name) for path in PROC.iterdir() if path.name.isdecimal()]
    return {pid: found for pid in pids if (found := process(pid))}


def family_of(root: int, everybody: dict[int, ProcessStat]) -> dict[int, float]:
    """The seconds of `root` and all its descendants, by their ids."""
    children: dict[int, list[int]] = {}
    for pid, found in everybody.items():
        children.setdefault(found.parent, []).append(pid)
    family: dict[int, float] = {}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in everybody:
            family[pid] = everybody[pid].seconds
        waiting += children.get(pid, [])
    return family


class Reading(NamedTuple):
    """CPU seconds so far, and the time of the clock."""

    at: float
    web: float
    postgresql: float
    generator: float
    machine: float


class Usage(NamedTuple):
    """CPU seconds within a stretch of time, and the share of all cores that others had, 0 to 1."""

    web: float
    postgresql: float
    generator: float
    others: float


def read(web: int | None, postmaster: int | None) -> Reading:
    """Now; of families that are not on this machine, or not there, nothing.
    The generator is this process and what it has started and waited for (pgbench).
    """
    own = os.times()
    return Reading(
        time.monotonic(),
        family_seconds(web) if web else 0.0,
        family_seconds(postmaster) if postmaster else 0.0,
        own.user + own.system + own.children_user + own.children_system,
        parse_machine((PROC / "stat").read_text().partition("\n")[0]),
    )


def usage(first: Reading, last: Reading) -> Usage:
    """What was used between two readings."""
    web, postgresql, generator = (last[index] - first[index] for index in (1, 2, 3))
    others = last.machine - first.machine - web - postgresql - generator
    return Usage(web, postgresql, generator, max(0.0, others / (last.at - first.at) / CORES))


def postmaster_of(backend: int) -> int | None:
    """The first process of a PostgreSQL that has this one; None if it is on another machine."""
    found = process(backend)
    if found is None or found.name != "postgres":
        return None
    parent = process(found.parent)
    return found.parent if parent and parent.name == "postgres" else None
