"""After a restore to an earlier moment: what partners know, and the ledger no longer does."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.management.commands.restore import moment
from config.recovery.lost_answers import (
    Count,
    Lost,
    at_games,
    at_providers,
    of_checkpoints,
    open_at,
    pending_at,
    unknown_ids,
    unknown_orders,
)
from wallet.proof.header import Unusable

AT_GAMES = "Games: settled there, pending here. Query the game on the page, and it is settled here too."
AT_PROVIDERS = "Providers: decided there, open here. Ask the provider on the order's page to take it in."


class Command(BaseCommand):
    help = (
        "Asks games about what was pending at the restored moment, and providers about open payments. Lists "
        "what they know otherwise, and ids that they have mentioned since. It moves no money."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=moment, required=True, help="The restored moment, such as 2027-01-31T14:05:00Z."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        since: datetime = options["since"]
        games, providers = Count(), Count()
        found = self.show(AT_GAMES, at_games(pending_at(since), games))
        self.stdout.write(f"  {games.asked} asked, {games.unasked} of games that have no query URL")
        found += self.show(AT_PROVIDERS, at_providers(open_at(since), providers))
        self.stdout.write(f"  {providers.asked} asked")
        found += self.show("Games: ids that they mentioned since, and are not here.", unknown_ids(since))
        found += self.show("Providers: callbacks since, of no order that is here.", unknown_orders(since))
        try:
            found += self.show("Checkpoints: what they know and the ledger lacks.", of_checkpoints(since))
        except Unusable as problem:
            raise CommandError(str(problem), returncode=1) from None
        self.stdout.write(f"{found} found. Repeat it for some days: partners go on to mention what is lost.")

    def show(self, title: str, found: Iterator[Lost]) -> int:
        """Writes each as it is found. Returns how many."""
        self.stdout.write(title)
        count = 0
        for one in found:
            self.stdout.write(f"  {one.subject}: {one.said}  {one.page}")
            count += 1
        return count
