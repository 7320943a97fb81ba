"""What is owned: the ledger and the wallet API."""

from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db import connections, transaction
from django.db.models.signals import post_migrate

from lib.sql_functions import install_functions, is_migrated
from wallet.audit.orphans import CHECKS

SQL = Path(__file__).parent / "sql"
FUNCTIONS = sorted(SQL.glob("*.sql"))
# What the application may not shorten by itself (wallet/sql/call_log.sql, events.sql).
KEPT_DAYS = """
    CREATE OR REPLACE FUNCTION {}_kept_days() RETURNS integer
    LANGUAGE sql IMMUTABLE AS $$ SELECT {:d} $$
"""


def install_ledger(*, using: str, **kwargs: Any) -> None:
    """Installs the ledger's functions, after every migrate."""
    if is_migrated("wallet", using):
        with transaction.atomic(using=using):
            install_functions(FUNCTIONS, using)
            with connections[using].cursor() as cursor:
                cursor.execute(KEPT_DAYS.format("call_log", settings.CALL_LOG_DAYS))
                cursor.execute(KEPT_DAYS.format("event", settings.EVENTS_KEEP_DAYS))


class WalletConfig(AppConfig):
    name = "wallet"

    def ready(self) -> None:
        post_migrate.connect(install_ledger, sender=self)
        # Models are there only now.
        from players.audit_trail.chain import differences

        CHECKS["audit trail"] = differences
