"""What commands that read the whole ledger read: a standby, if there is one, or the primary."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError

from lib.database import FAILURES
from lib.standby import STANDBY, is_read, written

# The option as Django's parser names it.
PRIMARY = "primary"


def add_primary(parser: ArgumentParser) -> None:
    parser.add_argument(
        f"--{PRIMARY}",
        action="store_true",
        help="Read the primary database, even if DATABASE_REPORTS_URL names a standby.",
    )


@contextmanager
def reading(options: dict[str, Any]) -> Iterator[None]:
    """Until the block ends, the standby is read, unless the primary is asked for. It then has all that was
    committed before. Raises `CommandError` if it ends what it has begun to tell.
    """
    if options[PRIMARY] or not STANDBY.is_configured:
        yield
        return
    with STANDBY.reading(written(), is_long=True):
        try:
            yield
        except FAILURES as problem:
            if not is_read():
                raise
            sentence = f"The standby has failed: {problem}. Repeat it, or give --{PRIMARY}."
            raise CommandError(sentence) from None
