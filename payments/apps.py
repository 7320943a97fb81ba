"""How money enters the platform."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import import_string

from lib.security.tokens import OTHERS
from wallet.audit.orphans import CHECKS, ORPHANS


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        # Modules that need the models, which are not there yet while this one is imported.
        reconciliation = import_module("payments.reconciliation")
        ORPHANS.update(reconciliation.ORPHANS)
        CHECKS["orders that their callbacks do not make"] = reconciliation.differing_orders
        import_module("wallet.retention").OTHERS.extend(import_string("payments.retention.EXPIRING"))
        # What a game is asked with is entered elsewhere, and may be no secret of ours either.
        OTHERS.append(import_string("payments.providers.signing_secrets.is_known"))
