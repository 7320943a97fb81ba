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
# Where days begin and end for limits, and how far back a session of today can have begun. Not IMMUTABLE: what
# prepared statements were planned with would go on in connections that are open.
ZONE = """
    CREATE OR REPLACE FUNCTION wallet_zone() RETURNS text LANGUAGE sql STABLE AS $$ SELECT {}::text $$
"""
LONGEST_SESSION = """
    CREATE OR REPLACE FUNCTION wallet_longest_session() RETURNS interval
    LANGUAGE sql STABLE AS $$ SELECT interval '{:d} seconds' $$
"""
A_DAY = 24 * 3600


def install_ledger(*, using: str, **kwargs: Any) -> None:
    """Installs the ledger's functions, after every migrate."""
    if is_migrated("wallet", using):
        with transaction.atomic(using=using):
            install_functions(FUNCTIONS, using)
            with connections[using].cursor() as cursor:
                cursor.execute(KEPT_DAYS.format("call_log", settings.CALL_LOG_DAYS))
                cursor.execute(KEPT_DAYS.format("event", settings.EVENTS_KEEP_DAYS))
                longest = max(int(settings.SESSION_TTL.total_seconds()), A_DAY)
                cursor.execute(LONGEST_SESSION.format(longest))
                install_zone(cursor)


def install_zone(cursor: Any) -> None:
    """Tells the ledger the platform's zone; in another one, what limits have counted is counted anew."""
    cursor.execute("SELECT wallet_zone()")
    (before,) = cursor.fetchone()
    if before != settings.PLATFORM_ZONE:
        cursor.execute(ZONE.format(f"'{settings.PLATFORM_ZONE}'"))
        cursor.execute("SELECT limits_recount()")


class WalletConfig(AppConfig):
    name = "wallet"

    def ready(self) -> None:
        post_migrate.connect(install_ledger, sender=self)
        # Models are there only now.
        from players.audit_trail.chain import differences
        from wallet.audit.limits import differing_usage

        CHECKS["audit trail"] = differences
        CHECKS["limits that count something else than the journal"] = differing_usage
