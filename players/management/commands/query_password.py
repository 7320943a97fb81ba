"""Enters the password with which a game is asked about transactions; the admin does the same."""

from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from players.models import Game
from players.operations import set_query_password
from players.query_passwords import is_used


class Command(BaseCommand):
    help = "Asks for the query password of a game and keeps it sealed. An empty one takes it away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("game", help="its slug")

    def handle(self, *args: Any, **options: Any) -> None:
        game = Game.objects.filter(slug=options["game"]).first()
        if game is None:
            raise CommandError("There is no such game.")
        password = getpass("Query password: ")
        if password and is_used(password, besides=game):
            raise CommandError("This secret is or was used for something else: each must be used only once.")
        set_query_password(game, password)
        self.stdout.write("It is set." if password else "It is taken away.")
