"""Work that dies at a chosen moment.

`python -m tests.faults.step_runner` reads a line for each, `LAST WHAT WORDS…`, with the steps that it may
take. A step is a statement that the database has answered, a commit, or a call that a partner has answered. 0
never dies. Each work is a process of its own, forked from this one, so that the interpreter need not start
for each; the answer is a line: `died` or `completed`, and the steps.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import django
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402 (models need the setup)
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from payments.deliveries import worker  # noqa: E402
from payments.deliveries.worker import deliver_due  # noqa: E402
from payments.nudges import NUDGER  # noqa: E402
from payments.providers import sandbox  # noqa: E402
from payments.refunds.operations import request_refund  # noqa: E402
from payments.refunds.worker import settle_refunds  # noqa: E402
from wallet.job_runs import recorded  # noqa: E402
from wallet.settlement.sweep import settle_due  # noqa: E402


class Steps:
    """Counts what the database and partners have done for this process.

    Kills it after the last step that it may take.
    """

    def __init__(self, last: int) -> None:
        self.last = last
        self.taken = 0

    def counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            self.taken += 1
            if self.taken == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return step

    def watch(self) -> None:
        for owner, name in (
            (psycopg.Cursor, "execute"),
            (psycopg.Cursor, "executemany"),
            (psycopg.Connection, "commit"),
        ):
            setattr(owner, name, self.counted(getattr(owner, name)))
        for module in (worker, sandbox):
            module.post_json = self.counted(module.post_json)  # type: ignore[attr-defined]


# --- The works ----------------------------------------------------------------------------------------


def settle() -> None:
    """A whole run, as the worker does it."""
    is_finished = False
    while not is_finished:
        with recorded("settle_due") as run:
            is_finished = settle_due(run)


def call_back(slug: str, id: str, at: str, signature: str, body: str) -> None:
    """A provider's callback, through all that the web server does with it; `body` in hexadecimal digits."""
    headers = {"webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature}
    answer = Client().generic(
        "POST", f"/pay/{slug}", bytes.fromhex(body), content_type="application/json", headers=headers
    )
    if answer.status_code != 200:
        raise AssertionError(answer.content)


def deliver() -> None:
    """A run that tells games what is due."""
    with recorded("deliver_due") as run:
        deliver_due(run)


def refund(order: str, amount: str, id: str) -> None:
    """An operator's wish, and the run that asks the provider for it."""
    request_refund(UUID(order), int(amount), actor="operator", reason="test", refund_id=UUID(id))
    with recorded("settle_refunds") as run:
        settle_refunds(run)


WORKS: dict[str, Callable[..., None]] = {
    "settle": settle,
    "call_back": call_back,
    "deliver": deliver,
    "refund": refund,
}


def work_until(last: int, what: str, words: list[str]) -> int:
    """Does it; returns the steps that it took."""
    # Nobody listens to nudges here.
    NUDGER.paused_until = float("inf")
    connection.close()
    steps = Steps(last)
    steps.watch()
    WORKS[what](*words)
    return steps.taken


def work_in_a_child(last: int, what: str, words: list[str]) -> str:
    """What became of it, in words."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writing, str(work_until(last, what, words)).encode())
            code = 0
        except Exception:
            logging.exception("the work has failed")
        finally:
            os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        taken = answer.read()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return f"died {last}"
    return f"completed {taken}" if status == 0 else "failed 0"


if __name__ == "__main__":
    setup_test_environment()
    for line in sys.stdin:
        last, what, *words = line.split()
        print(work_in_a_child(int(last), what, words), flush=True)
