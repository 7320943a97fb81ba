"""How money enters the platform."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string

from lib.security.tokens import OTHERS
from payments import reconciliation
from wallet.audit.orphans import ORPHANS
from wallet.rights import run_for_role

RIGHTS = Path(__file__).parent / "sql" / "rights.sql"


def grant_rights(*, using: str, **kwargs: Any) -> None:
    """Runs `payments/sql/rights.sql` for the application's role.

    The wallet's has run before, in the order of INSTALLED_APPS.
    """
    run_for_role(RIGHTS, "payments_orderevent", using)


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        ORPHANS.update(reconciliation.ORPHANS)
        # What a game is asked with is entered elsewhere, and may be no secret of ours either.
        OTHERS.append(import_string("payments.providers.signing_secrets.is_known"))
        post_migrate.connect(grant_rights, sender=self)
