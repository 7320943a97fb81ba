"""Seals with the newest key what was sealed with an older one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from lib.security.encryption import Unreadable, is_current
from payments.models import Secret
from payments.providers.signing_secrets import open_secret, reseal_secret
from players.models import Game
from players.operations import query_credential, set_query_password


class Command(BaseCommand):
    help = (
        "Seals every stored secret with the first of ENCRYPTION_KEYS; "
        "afterwards the older keys can be taken out. Safe to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = [
            f"the query password of {game.slug}"
            for game in Game.objects.exclude(sealed_query_password="")
            if not self.reseal_game(game)
        ]
        secrets = Secret.objects.select_related("provider", "game")
        unreadable += [
            f"a secret of {secret.provider or secret.game}"
            for secret in secrets
            if not self.reseal_secret(secret)
        ]
        if unreadable:
            raise CommandError(
                f"None of ENCRYPTION_KEYS opens: {', '.join(dict.fromkeys(unreadable))}. "
                "Enter it anew in the admin."
            )
        self.stdout.write("Every secret is sealed with the newest key.")

    @transaction.atomic
    def reseal_game(self, game: Game) -> bool:
        """Seals a game's query password anew where that is needed.

        Returns whether it is sealed with the newest key now.
        """
        game = Game.objects.select_for_update().get(pk=game.pk)
        if is_current(game.sealed_query_password):
            return True
        try:
            known = query_credential(game)
        except Unreadable:
            return False
        set_query_password(game, known.password if known else "")
        return True

    def reseal_secret(self, secret: Secret) -> bool:
        """The same for a secret of a provider or game.

        A retired one that cannot be opened is of no use to anybody.
        """
        if is_current(secret.sealed):
            return True
        try:
            open_secret(secret)
        except Unreadable:
            return secret.retired_at is not None
        reseal_secret(secret)
        return True
