"""What is owned: the ledger and the wallet API."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from wallet.rights import grant_rights


class WalletConfig(AppConfig):
    name = "wallet"

    def ready(self) -> None:
        # After every migration, so that tables of all apps have their rights set.
        post_migrate.connect(grant_rights, sender=self)
