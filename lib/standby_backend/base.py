"""The connection to a standby: an answer that does not come is given up, whatever the server does."""

from types import ModuleType
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg import errors


class BoundedConnection(psycopg.Connection[Any]):
    """Waits for each answer at most `answer_seconds`; None: as long as it takes."""

    answer_seconds: float | None = 2.0

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, timeout if timeout is not None else self.answer_seconds)
        except errors._WaitTimeout:  # noqa: SLF001 (what psycopg documents for `wait`)
            # What it may still say would be taken for the answer to the next question.
            self.pgconn.finish()
            problem = f"no answer within {self.answer_seconds:g} s"
            raise psycopg.OperationalError(problem) from None


class Psycopg(ModuleType):
    """The module, but for its `connect`."""

    connect = BoundedConnection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    Database = Psycopg("psycopg")
