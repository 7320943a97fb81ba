"""How money enters the platform."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from lib.sql_functions import is_migrated
from payments import reconciliation
from wallet.audit.orphans import ORPHANS
from wallet.rights import grant_rights

RIGHTS = Path(__file__).parent / "sql" / "rights.sql"


def restrict_rights(*, using: str, **kwargs: Any) -> None:
    """Runs `payments/sql/rights.sql` for the application's role; the wallet's has run before, in the order of
    INSTALLED_APPS.
    """
    if is_migrated("payments", using):
        grant_rights(RIGHTS, using)


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        ORPHANS.update(reconciliation.ORPHANS)
        post_migrate.connect(restrict_rights, sender=self)
