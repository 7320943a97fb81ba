"""What is owned: the ledger and the wallet API."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db import transaction
from django.db.models.signals import post_migrate

from lib.sql_functions import install_functions, is_migrated
from wallet.rights import grant_rights

SQL = Path(__file__).parent / "sql"
RIGHTS = SQL / "rights.sql"
FUNCTIONS = sorted(set(SQL.glob("*.sql")) - {RIGHTS})


def install_ledger(*, using: str, **kwargs: Any) -> None:
    """Installs the ledger's functions and grants the application's rights.

    After every migration of all apps.
    """
    if is_migrated("wallet", using):
        # Together: a function that is made anew may be called by everybody until the rights are granted.
        with transaction.atomic(using=using):
            install_functions(FUNCTIONS, using)
            grant_rights(RIGHTS, using)


class WalletConfig(AppConfig):
    name = "wallet"

    def ready(self) -> None:
        post_migrate.connect(install_ledger, sender=self)
