"""The call log as the database writes it."""

from typing import Any

import psycopg
import pytest

from lib.ids import new_id

WRITE = """SELECT call_log_write(p_began => wallet_now() - %(since)s::interval, p_game => %(game)s,
    p_player => NULL, p_transaction => NULL, p_credential => %(game)s, p_endpoint => 'withdraw',
    p_mm => %(mm)s,
    p_amount => NULL, p_currency => NULL, p_address => '10.0.0.1', p_outcome => 'malformed',
    p_replayed => false, p_elapsed_us => 1)"""


@pytest.mark.parametrize(
    ("since", "took_us"),
    [("3 hours", 2**31 - 1), ("-3 hours", 1)],
    ids=["forward", "back"],
)
def test_call_log__a_clock_that_is_put_elsewhere_fails_no_call(
    owner: "psycopg.Connection[Any]", since: str, took_us: int
) -> None:
    """More microseconds than an integer holds; a call that fails would be one that is not answered."""
    mm = f"jump-{new_id()}"
    owner.execute(WRITE, {"game": new_id(), "mm": mm, "since": since})
    found = owner.execute("SELECT took_us FROM wallet_apicall WHERE mm_transaction_id = %s", [mm]).fetchall()
    assert found == [(took_us,)]
