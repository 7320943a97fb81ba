"""In place of Django's command, which sets anybody's password and tells nobody."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

NOBODYS = (
    "Nobody sets another's password. Two operators reset a log-in in the admin (Operators, Reset log-in). "
    "If nobody can log in any more, make another superuser: manage.py createsuperuser, as the owner of the "
    "database."
)


class Command(BaseCommand):
    help = "Refuses: operators choose their passwords themselves."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError(NOBODYS)
