"""How money enters the platform."""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string

from lib.security.tokens import OTHERS
from lib.sql_functions import is_migrated
from wallet.audit.orphans import CHECKS, ORPHANS
from wallet.rights import grant_rights

RIGHTS = Path(__file__).parent / "sql" / "rights.sql"


def restrict_rights(*, using: str, **kwargs: Any) -> None:
    """Runs `payments/sql/rights.sql` for the application's role.

    The wallet's has run before, in the order of INSTALLED_APPS.
    """
    if is_migrated("payments", using):
        grant_rights(RIGHTS, using)


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        # Modules that need the models, which are not there yet while this one is imported.
        reconciliation = import_module("payments.reconciliation")
        ORPHANS.update(reconciliation.ORPHANS)
        CHECKS["orders that their callbacks do not make"] = reconciliation.differing_orders
        # What a game is asked with is entered elsewhere, and may be no secret of ours either.
        OTHERS.append(import_string("payments.providers.signing_secrets.is_known"))
        post_migrate.connect(restrict_rights, sender=self)
