"""Seals with the newest key what was sealed with an older one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from lib.security.encryption import Unreadable, is_current
from payments.models import Secret
from payments.providers.signing_secrets import open_secret, reseal_secret
from players.approvals import operations as approvals
from players.models import Approval, AuthenticatorApp, Game
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
        unreadable += [
            f"the secret of the request “{approval.title}”"
            for approval in Approval.objects.filter(state=Approval.State.REQUESTED).exclude(sealed="")
            if not approvals.reseal_secret(approval.pk)
        ]
        unreadable += [
            f"the authenticator app of {app.user}"
            for app in AuthenticatorApp.objects.select_related("user")
            if not self.reseal_app(app)
        ]
        if unreadable:
            raise CommandError(
                f"None of ENCRYPTION_KEYS opens: {', '.join(dict.fromkeys(unreadable))}. "
                "Enter it anew in the admin; withdraw requests, and remove the factors of operators."
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

    @transaction.atomic
    def reseal_app(self, app: AuthenticatorApp) -> bool:
        """The same for the app that shows an operator codes."""
        app = AuthenticatorApp.objects.select_for_update(of=("self",)).select_related("user").get(pk=app.pk)
        if is_current(app.sealed_secret):
            return True
        try:
            secret = AuthenticatorApp.open(app.user, app.sealed_secret)
        except Unreadable:
            return False
        app.sealed_secret = AuthenticatorApp.seal(app.user, secret)
        app.save(update_fields=["sealed_secret"])
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
