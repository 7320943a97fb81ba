"""Several processes share an audit's parts; where one is enough, it is this one."""

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import billiard
from django.db import connection

from wallet.audit.passes import do_parts
from wallet.models import AuditPass

logger = logging.getLogger(__name__)
# Between two looks at the others, in seconds.
PAUSE = 0.5


def work(
    audit: AuditPass, workers: int = 1, until: float | None = None, tick: Callable[[], None] = lambda: None
) -> None:
    """Does what is left of an audit's parts, with so many processes; begins none after `until`
    (`time.monotonic`). `tick` is called now and then meanwhile. Raises `RuntimeError` if one of them failed.
    """
    if workers == 1:
        do_parts(audit, until, tick)
        return
    # A connection belongs to one process.
    connection.close()
    # Celery's own, since Python's may not be begun by its workers.
    context = billiard.get_context("fork")
    processes = [
        context.Process(target=share, args=(audit, until, os.getpid()), daemon=True) for _ in range(workers)
    ]
    try:
        for process in processes:
            process.start()
        wait_for(processes, tick)
    finally:
        for process in processes:
            if process.pid is not None:
                process.terminate()
                process.join()


def wait_for(processes: Sequence[Any], tick: Callable[[], None]) -> None:
    while any(process.is_alive() for process in processes):
        if any(process.exitcode for process in processes):
            break
        time.sleep(PAUSE)
        tick()
    if failed := [f"{process.pid}: {process.exitcode}" for process in processes if process.exitcode]:
        raise RuntimeError(f"processes of the audit failed, by their exit status: {', '.join(failed)}")


def share(audit: AuditPass, until: float | None, parent: int) -> None:
    """What each process does; it ends with the one that began it."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_DFL)
    try:
        do_parts(audit, until, lambda: end_without(parent))
    except Exception:
        logger.exception("a process of the audit fails")
        raise SystemExit(1) from None
    finally:
        connection.close()


def end_without(parent: int) -> None:
    if os.getppid() != parent:
        raise SystemExit(2)
