"""How money enters the platform."""

from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import import_string

from lib.security.tokens import OTHERS
from lib.sql_functions import install_functions, is_migrated
from wallet.audit.orphans import CHECKS, ORPHANS

FUNCTIONS = sorted((Path(__file__).parent / "sql").glob("*.sql"))


def install_payments(*, using: str, **kwargs: Any) -> None:
    """Installs the functions of payments, after every migrate."""
    if is_migrated("payments", using):
        install_functions(FUNCTIONS, using)


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        post_migrate.connect(install_payments, sender=self)
        # Modules that need the models, which are not there yet while this one is imported.
        order_audit = import_module("payments.order_audit")
        ORPHANS.update(order_audit.ORPHANS)
        CHECKS["orders that their callbacks do not make"] = order_audit.differing_orders
        limits = import_module("payments.orders.limits")
        used = {"deposit": limits.paid_in, "balance": limits.held_with_open_orders}
        import_module("wallet.limits").USED.update(used)
        import_module("wallet.retention").OTHERS.extend(import_string("payments.retention.EXPIRING"))
        import_module("wallet.events.kinds").READERS["order"] = import_string(
            "payments.orders.told.read_order_events"
        )
        # What a game is asked with is entered elsewhere, and may be no secret of ours either.
        OTHERS.append(import_string("payments.providers.signing_secrets.is_known"))
