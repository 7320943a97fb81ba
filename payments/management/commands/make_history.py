"""Invents a history for a demonstration, through the ledger: the same seed makes the same history."""

import logging
import os
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

import environ
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from payments.history.maker import CannotMake, Wanted, make_history, strangers

OWNER = "DATABASE_OWNER_URL"


class Command(BaseCommand):
    help = (
        "Invents weeks of play, orders, refunds and troubles on a demonstration (DEMO=1) that has no players "
        "yet but its own, as the database's owner, while nothing else runs on it. The same seed, until the "
        "same moment, on the same database makes the same history. One that was interrupted is not "
        "continued: make a new database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=60, help="How far back it begins.")
        parser.add_argument(
            "--players", type=int, default=2000, help="How many players there are in the end."
        )
        parser.add_argument("--seed", type=int, default=7, help="What chance decides.")
        parser.add_argument(
            "--until",
            type=moment,
            default=None,
            help="When it ends, in ISO 8601 with its offset; now, if not given.",
        )
        parser.add_argument("--once", action="store_true", help="Do nothing where players are already.")
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="Where the web server listens.")

    def handle(self, *args: Any, **options: Any) -> None:
        until = options["until"] or datetime.now(UTC)
        wanted = Wanted(
            options["days"], options["players"], options["seed"], until, options["url"].rstrip("/")
        )
        connect_as_owner()
        if options["once"] and strangers().exists():
            return
        # What is long over is no news.
        logging.disable(logging.ERROR)
        began = time.monotonic()
        try:
            made = make_history(wanted, lambda moment: self.tell(moment))
        except (CannotMake, ValueError) as problem:
            raise CommandError(str(problem)) from problem
        finally:
            logging.disable(logging.NOTSET)
        seconds = time.monotonic() - began
        self.stdout.write(
            f"{made.players} players, {made.transactions} transactions, {made.entries} entries in "
            f"{seconds:.1f} s. Audit: {made.verdict}"
        )

    def tell(self, moment: datetime) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"{moment:%Y-%m-%d}", ending="\r")
            self.stdout.flush()


def moment(text: str) -> datetime:
    """A moment with its offset."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("the offset is missing")
    return read


def connect_as_owner() -> None:
    """From now on this process is the database's owner, if the environment says how."""
    if OWNER in os.environ:
        owner = environ.Env.db_url_config(os.environ[OWNER])
        connection.close()
        connection.settings_dict.update(USER=owner["USER"], PASSWORD=owner["PASSWORD"])
