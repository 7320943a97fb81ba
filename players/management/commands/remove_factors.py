"""Removes the second factors of an operator who has lost them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from players.audit_trail.record import Origin
from players.logins.factors import remove_all
from players.models import Operator


class Command(BaseCommand):
    help = "Removes an operator's second factors and ends his sessions, so that he can set up new ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        operator = Operator.objects.filter(username=username).first()
        if operator is None:
            raise CommandError(f"There is no operator {username}.")
        removed = remove_all(operator, Origin.machine("manage.py remove_factors"))
        self.stdout.write(f"Removed {removed} factor{'' if removed == 1 else 's'} of {username}.")
