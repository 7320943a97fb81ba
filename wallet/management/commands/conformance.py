"""Runs the conformance kit against the running server of this platform."""

import os
import secrets
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clients.kit import command as kit
from clients.kit.expectations import Unusable
from clients.kit.logins import FORMS, GAME, OTHER_GAME, PLATFORM, option_name, variable_name
from clients.kit.parties import Login, Target
from clients.kit.server import CredentialRefused, look_at
from players.models import Credential, Game
from players.operations import create_credential, deactivate_game, revoke_credential

NOTE = "made for a run of the conformance kit"
# A server learns of new credentials within a second (`players.access.credentials`).
PATIENCE_SECONDS, PAUSE_SECONDS = 10.0, 0.5


class Command(BaseCommand):
    help = (
        "Proves that the running server keeps the contract. It makes two games and three credentials for "
        "the run, and takes them back afterwards, unless credentials are given. Exit status 1 if a check "
        "fails, 2 if nothing could be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        default = settings.PUBLIC_URL or "http://127.0.0.1:8000"
        parser.add_argument("--url", default=default, help=f"Where the server is (default: {default}).")
        parser.add_argument(
            "--anyway",
            action="store_true",
            help="Also where DEMO is off: some 200 made-up players stay in the ledger for ever.",
        )
        for name, form in FORMS.items():
            parser.add_argument(option_name(name), metavar=form, help="A credential that there is already.")
        parser.add_argument("--credentials", type=Path, metavar="FILE", help="A file with such credentials.")
        kit.add_choices(parser)

    def handle(self, *args: Any, **given: Any) -> None:
        options = Namespace(**given)
        if not (settings.DEMO or options.anyway or options.list):
            raise CommandError(
                "DEMO is off. The checks play with some 200 made-up players, whose transactions stay in "
                "the ledger for ever. Give --anyway if that is meant."
            )
        try:
            status = self.run_kit(options)
        except Unusable as problem:
            raise CommandError(str(problem), returncode=kit.UNUSABLE) from problem
        if status != kit.PASSED:
            raise CommandError("The server does not keep the contract.", returncode=status)

    def run_kit(self, options: Namespace) -> int:
        """The kit's exit status. Raises `Unusable`."""
        checks = kit.chosen(options.only)
        if options.list or has_credentials(options):
            return kit.run_command(options, self.stdout)
        with made_logins() as logins:
            target = kit.target_of(options, options.url, logins)
            wait_until_known(target)
            return kit.run_checks(target, checks, options, self.stdout)


def has_credentials(options: Namespace) -> bool:
    """Whether there are credentials that were made before."""
    named = (getattr(options, name) or os.environ.get(variable_name(name)) for name in FORMS)
    return bool(options.credentials) or any(named)


@contextmanager
def made_logins() -> Iterator[dict[str, Login]]:
    """Two games and the web front, with a credential each; afterwards these are ended, and the games off."""
    run = secrets.token_hex(4)
    games = [make_game(f"conformance-{run}-{number}") for number in (1, 2)]
    made = {
        GAME: make_login("game", games[0], games[0].slug),
        OTHER_GAME: make_login("game", games[1], games[1].slug),
        PLATFORM: make_login("platform", None, f"conformance-{run}-front"),
    }
    try:
        yield {name: login for name, (login, _) in made.items()}
    finally:
        for _, credential in made.values():
            revoke_credential(credential)
        for game in games:
            deactivate_game(game)


def make_game(slug: str) -> Game:
    """A game that nobody can be asked about: what it leaves pending expires (contract 2.4)."""
    return Game.objects.create(slug=slug, name="Conformance kit", launch_url="https://game.example/play")


def make_login(kind: str, game: Game | None, username: str) -> tuple[Login, Credential]:
    credential, password = create_credential(
        kind=kind, game=game, username=username, allowed_networks=[], note=NOTE
    )
    return Login(username, password, game.slug if game else ""), credential


def wait_until_known(target: Target) -> None:
    """Returns when the server takes the new credentials. Raises `Unusable`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            look_at(target, target.redactor())
        except CredentialRefused as problem:
            if time.monotonic() > deadline:
                raise Unusable(
                    f"{target.url} does not know credentials of this database: is it another platform's?"
                ) from problem
            time.sleep(PAUSE_SECONDS)
        else:
            return
