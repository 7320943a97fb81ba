"""Gives the application's database role exactly the rights it needs."""

from pathlib import Path

from django.conf import settings
from django.db import connections
from psycopg import sql


def grant_rights(path: Path, using: str) -> None:
    """Runs the SQL of a file for `DATABASE_APP_ROLE`, if that role exists and is not who migrates."""
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user",
            [settings.DATABASE_APP_ROLE],
        )
        if cursor.fetchone():
            cursor.execute(sql.SQL(path.read_text()).format(role=sql.Identifier(settings.DATABASE_APP_ROLE)))
