"""Receives the write-ahead log while it is written, until it is told to end: runs pg_receivewal."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.recovery.programs import CannotRecover, base_environment, program, run, server_words


class Command(BaseCommand):
    help = "Receives the write-ahead log into a directory while it is written, for restores to any moment."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, help="Where the log goes; it must exist.")
        parser.add_argument(
            "--slot",
            default="quantum_wallet",
            help="The replication slot, which is made: the server keeps what was not received yet.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            words, secret = server_words()
            receiver = [program("pg_receivewal"), *words, "--slot", options["slot"]]
            run([*receiver, "--create-slot", "--if-not-exists"], environment=secret)
        except CannotRecover as problem:
            raise CommandError(str(problem), returncode=1) from None
        # In our place, so that a signal reaches it. It writes down what it received at once.
        command = [*receiver, "--directory", str(options["directory"].absolute()), "--synchronous"]
        os.execve(command[0], command, base_environment() | secret)
