"""Gives the application's database role exactly the rights it needs."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from psycopg import sql

RIGHTS = Path(__file__).parent / "sql" / "rights.sql"


def grant_rights(*, using: str, **kwargs: Any) -> None:
    """Runs `wallet/sql/rights.sql` for the application's role."""
    run_for_role(RIGHTS, "wallet_entry", using)


def run_for_role(path: Path, table: str, using: str) -> None:
    """Runs the SQL of a file for `DATABASE_APP_ROLE`, where that role exists, is not who migrates, and `table` is there already."""
    if table not in connections[using].introspection.table_names():
        return
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user",
            [settings.DATABASE_APP_ROLE],
        )
        if cursor.fetchone():
            cursor.execute(sql.SQL(path.read_text()).format(role=sql.Identifier(settings.DATABASE_APP_ROLE)))
