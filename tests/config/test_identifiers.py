"""Identifiers are ordered by their bytes: an upgrade of the system hides none from its index."""

from typing import Any

import psycopg
from django.apps import apps
from django.db.models import Field

# Columns whose text is language, for people to read and sort: they may stand in an index, never in a unique
# one that money depends on.
LANGUAGE: set[tuple[str, str]] = set()
# Each text that an index of ours has as a key, with its collation there.
KEYS = """
    SELECT DISTINCT i.indrelid::regclass::text, coalesce(a.attname, '(an expression)'), c.collname
    FROM pg_index i
    JOIN pg_class r ON r.oid = i.indrelid AND r.relnamespace = 'public'::regnamespace
    CROSS JOIN LATERAL unnest(i.indkey::int2[]::int[], i.indcollation::oid[]) k(number, coll)
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    JOIN pg_collation c ON c.oid = k.coll
    WHERE r.relname ~ '^(players|wallet|payments)_'
"""
Owner = psycopg.Connection[Any]


def test_index_keys__are_all_ordered_by_their_bytes(owner: Owner, database: None) -> None:
    keys = owner.execute(KEYS).fetchall()
    assert {(table, column) for table, column, collation in keys if collation != "C"} == LANGUAGE
    assert ("wallet_transaction", "mm_transaction_id", "C") in keys


def text_keys(model: Any) -> list["Field[Any, Any]"]:
    """The model's fields that an index or a unique constraint of its own names and that hold text."""
    options = model._meta
    named = {name.lstrip("-") for index in options.indexes for name in index.fields}
    named |= {name for constraint in options.constraints for name in getattr(constraint, "fields", ())}
    fields = [field for field in options.local_fields if field.unique or field.name in named]
    return [field for field in fields if field.get_internal_type() in ("CharField", "SlugField", "TextField")]


def test_models__say_so_of_each_text_that_they_index() -> None:
    ours = [
        model for app in ("players", "wallet", "payments") for model in apps.get_app_config(app).get_models()
    ]
    found = {
        (field.model.__name__, field.name)
        for model in ours
        for field in text_keys(model)
        if getattr(field, "db_collation", None) != "C"
    }
    assert found == set()


def test_constraints__have_the_names_and_columns_of_before(owner: Owner, database: None) -> None:
    rows = owner.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY(%s)",
        [
            [
                "transaction_once_per_game_and_player",
                "order_once_per_game",
                "wallet_one_per_player_and_currency",
            ]
        ],
    )
    assert dict(rows.fetchall()) == {
        "transaction_once_per_game_and_player": "UNIQUE (player_id, game_id, type, mm_transaction_id)",
        "order_once_per_game": "UNIQUE (game_id, cp_order_id)",
        "wallet_one_per_player_and_currency": "UNIQUE (player_id, currency_id)",
    }
