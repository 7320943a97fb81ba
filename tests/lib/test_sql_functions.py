"""Functions are always today's, whatever a database had before, and are replaced under running calls."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import environ
import psycopg
import pytest
from django.core.management import call_command

from tests.support.own_database import empty_database

Owner = psycopg.Connection[Any]
FUNCTIONS = """
    SELECT oid::regprocedure::text, pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' ORDER BY 1
"""
RIGHTS = """
    SELECT oid::regprocedure::text, has_function_privilege(%s, oid, 'EXECUTE') FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace ORDER BY 1
"""
# What an earlier version could have: other arguments, other names of arguments, another result, another body.
EARLIER = """
CREATE FUNCTION ledger_post(p_player uuid, p_reason text) RETURNS text LANGUAGE sql AS $$ SELECT 'posted' $$;
CREATE FUNCTION ledger_repay(w wallet_wallet, p_more bigint, p_id uuid, p_by text, p_at timestamptz)
    RETURNS wallet_wallet
LANGUAGE sql AS $$ SELECT w $$;
CREATE FUNCTION ledger_open_wallet(p_player uuid, p_currency text, p_actor text) RETURNS text
LANGUAGE sql AS $$ SELECT '' $$;
CREATE FUNCTION ledger_expire(p_transactions uuid[], p_actor text, p_reason text) RETURNS integer
LANGUAGE sql AS $$ SELECT -1 $$;
"""


@pytest.fixture
def empty(database: None, database_name: str) -> Iterator[Owner]:
    with empty_database(f"{database_name}_empty") as owner:
        yield owner


def rights(owner: Owner) -> list[tuple[Any, ...]]:
    return owner.execute(RIGHTS, [environ.Env.db_url_config(os.environ["DATABASE_URL"])["USER"]]).fetchall()


def test_sql_functions__and_rights_equal_fresh_after_upgrade(owner: Owner, empty: Owner) -> None:
    call_command("migrate", "wallet", "0006", verbosity=0)
    installed = {name for name, _ in empty.execute(FUNCTIONS)}
    assert not any(name.startswith("ledger_") for name in installed), "the tables are not yet what they know"
    empty.execute(EARLIER)
    call_command("migrate", verbosity=0)
    assert empty.execute(FUNCTIONS).fetchall() == owner.execute(FUNCTIONS).fetchall()
    assert rights(empty) == rights(owner)


def test_migrations__every_step_can_be_the_last(empty: Owner) -> None:
    for app, name in (("players", "0001"), ("wallet", "0001"), ("wallet", "0007"), ("payments", "0001")):
        call_command("migrate", app, name, verbosity=0)
    call_command("migrate", verbosity=0)
    assert empty.execute("SELECT count(*) FROM pg_proc WHERE proname = 'ledger_open'").fetchone() == (1,)


def test_sql_functions__are_replaced_in_place_while_being_called(empty: Owner) -> None:
    call_command("migrate", verbosity=0)
    numbers = (
        "SELECT proname, oid FROM pg_proc WHERE proname LIKE 'ledger%' OR proname LIKE 'wallet%' ORDER BY 1"
    )
    before, ended = empty.execute(numbers).fetchall(), Event()

    def calls() -> int:
        count = 0
        with psycopg.connect(empty.info.dsn, password=empty.info.password, autocommit=True) as caller:
            while not ended.is_set():
                caller.execute(
                    "SELECT call_log_refused(p_outcome => 'malformed', p_game => gen_random_uuid(), "
                    "p_credential => gen_random_uuid(), "
                    "p_endpoint => 'test', p_mm => 'test', p_address => '10.0.0.1', p_elapsed_us => 1), "
                    "ledger_expire(p_transactions => '{}', p_actor => 'test', p_reason => 'test')",
                    prepare=True,
                )
                count += 1
        return count

    with ThreadPoolExecutor(2) as pool:
        callers = [pool.submit(calls) for _ in range(2)]
        for _ in range(5):
            call_command("migrate", verbosity=0)
        ended.set()
        assert all(caller.result(10) > 0 for caller in callers)
    assert empty.execute(numbers).fetchall() == before
