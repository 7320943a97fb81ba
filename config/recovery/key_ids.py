"""Which keys a database needs: by their ids, which are public, never the keys."""

from django.conf import settings
from django.db import connection
from psycopg import sql

from lib.security.encryption import current_keys, derive

# Whatever is sealed stands in a column that says so.
SEALED = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND column_name LIKE 'sealed%' ORDER BY table_name, column_name
"""
USED = "SELECT DISTINCT split_part({column}, '.', 2) FROM {table} WHERE {column} <> ''"


def credential_key_id() -> str:
    """Another one means that no caller's password is right any more."""
    return derive(settings.CREDENTIAL_KEY, b"id of the credential key", 4).hex()


def present_key_ids() -> set[str]:
    """Of ENCRYPTION_KEYS."""
    return {key.id for key in current_keys()}


def used_key_ids() -> set[str]:
    """Of the keys that something in the database is sealed with."""
    found: set[str] = set()
    with connection.cursor() as cursor:
        cursor.execute(SEALED)
        for table, column in cursor.fetchall():
            names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
            cursor.execute(sql.SQL(USED).format(**names).as_string(None))
            found |= {id for (id,) in cursor.fetchall()}
    return found
