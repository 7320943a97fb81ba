"""Statements that have to say more where the rows lie on several machines."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test import override_settings

from wallet.placement import beside, change_by

READ = """
    SELECT number, timestamptz '2027-01-31T14:05:00.000001Z' AS at, 2.50::numeric(40) AS amount,
        NULL::text AS nothing, number > 1 AS is_more
    FROM generate_series(1, %(most)s::integer) AS number
"""
COLUMNS = "number integer, at timestamptz, amount numeric, nothing text, is_more boolean"
CHANGE = "doubled AS (SELECT number * 2 AS number, at, amount, nothing, is_more FROM found) TABLE doubled"


def test_beside__says_nothing_of_one_machine() -> None:
    assert beside("w", "e") == ""


@override_settings(DATABASE_DISTRIBUTED=True)
def test_beside__names_the_player_on_several() -> None:
    assert beside("w", "e") == " AND w.player_id = e.player_id"


@pytest.mark.parametrize("is_distributed", [False, True])
@pytest.mark.parametrize("most", [0, 2])
def test_change_by__goes_on_with_what_was_read(is_distributed: bool, most: int) -> None:
    with override_settings(DATABASE_DISTRIBUTED=is_distributed), connection.cursor() as cursor:
        change_by(cursor, READ, COLUMNS, CHANGE, {"most": most})
        found = cursor.fetchall()
    at = datetime(2027, 1, 31, 14, 5, 0, 1, UTC)
    assert found == [(2, at, Decimal(3), None, False), (4, at, Decimal(3), None, True)][:most]
