"""Starts that are refused, each with a sentence that says what to change."""

import logging
from collections.abc import Iterator

from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from lib.collations import changed_collations
from lib.database import FAILURES, drop_unfit_connection

logger = logging.getLogger(__name__)


def refuse_start() -> None:
    """Raises `ImproperlyConfigured` if web server, worker or beat must not start so.

    A database that is away refuses nothing here: `/readyz` asks again.
    """
    try:
        sentences = list(database_refusals())
    finally:
        # This thread's own, which serves nobody.
        connection.close()
    if sentences:
        raise ImproperlyConfigured("\n".join(sentences))


def database_refusals() -> Iterator[str]:
    """What the database says against a start."""
    try:
        yield from map(str, changed_collations())
    except FAILURES as problem:
        drop_unfit_connection(problem)
        logger.warning("the database could not be asked whether it is fit: %s", problem)
