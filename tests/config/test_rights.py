"""The application's role may do what `config/rights.py` says, and nothing else."""

from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from psycopg import sql

from config.rights import RIGHTS
from lib.database_rights import Table, grant_exactly, table

Owner = psycopg.Connection[Any]
# Of all relations and functions that are no part of an extension; partitions of the call log stand for
# themselves.
TABLES = """
    SELECT relname, relispartition FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1
"""
COLUMNS = """
    SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
      AND NOT relispartition AND attnum > 0 AND NOT attisdropped ORDER BY 1, attnum
"""
FUNCTIONS = """
    SELECT proname, oid::regprocedure::text,
        format('SELECT %s(%s)', proname, (
            SELECT string_agg(format('NULL::%s', format_type(type, NULL)), ', ' ORDER BY place)
            FROM unnest(proargtypes) WITH ORDINALITY given(type, place)))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1
"""
# They write what the application may not.
OF_TRIGGERS = {"payout_limit_changed", "event_of_player", "event_of_order"}
WHAT_TO_DO = (
    "config/rights.py does not say what the application may do with {what}. Add the column to its table "
    "there: to `changes` if code of the application sets it in a row that is there (an UPDATE), else to "
    "`stays`. For what stays for ever and means money, add a trigger, too."
)


def role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def refused(statement: str) -> None:
    """The application's role has no right to a statement, which changes nothing either way."""
    with pytest.raises(ProgrammingError) as caught:
        taken(statement)
    assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege), statement


def taken(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        transaction.set_rollback(True)


# --- The list and the database ----------------------------------------------------------------------


def test_list__names_every_table_and_column(owner: Owner) -> None:
    listed = {(name, column) for name, one in RIGHTS.tables.items() for column in one.changes | one.stays}
    found = set(owner.execute(COLUMNS).fetchall())
    assert not (new := sorted(found - listed)), WHAT_TO_DO.format(
        what=", ".join(f"{name}.{column}" for name, column in new)
    )
    assert not (gone := sorted(listed - found)), f"config/rights.py names {gone}, which there is not"


def test_list__names_a_column_once() -> None:
    assert [name for name, one in RIGHTS.tables.items() if one.changes & one.stays] == []


def test_list__names_functions_that_there_are(owner: Owner) -> None:
    names = [name for name, *_ in owner.execute(FUNCTIONS)]
    assert set(RIGHTS.functions) <= set(names)
    assert [name for name in RIGHTS.functions if names.count(name) != 1] == []


def test_functions_for_the_application__run_with_their_owners_rights(owner: Owner) -> None:
    """All but the clock, and a trigger's; each with a search path that nobody else chooses."""
    found = owner.execute(
        "SELECT proname, prosecdef, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    ).fetchall()
    definers = {name: config for name, is_definer, config in found if is_definer}
    assert set(definers) == set(RIGHTS.functions) - {"wallet_now"} | OF_TRIGGERS
    assert set(map(str, definers.values())) == {"['search_path=public, pg_temp']"}


def held(owner: Owner, name: str) -> Table:
    """What the role can really do with a table, by the database's own word."""
    [[adds, removes, others]] = owner.execute(
        "SELECT has_table_privilege(%(r)s, %(t)s, 'INSERT'), has_table_privilege(%(r)s, %(t)s, 'DELETE'),"
        " has_table_privilege(%(r)s, %(t)s, 'TRUNCATE, REFERENCES, TRIGGER, UPDATE')",
        {"r": role(), "t": name},
    ).fetchall()
    assert not others, f"{name} can be truncated, referred to, or changed as a whole"
    columns = owner.execute(
        "SELECT attname, has_column_privilege(%(r)s, attrelid, attnum, 'UPDATE'),"
        " has_column_privilege(%(r)s, attrelid, attnum, 'INSERT'),"
        " has_column_privilege(%(r)s, attrelid, attnum, 'SELECT')"
        " FROM pg_attribute WHERE attrelid = %(t)s::regclass AND attnum > 0 AND NOT attisdropped",
        {"r": role(), "t": name},
    ).fetchall()
    assert {(adds, True)} == {(may_insert, may_read) for _, _, may_insert, may_read in columns}
    changes = frozenset(column for column, may_change, *_ in columns if may_change)
    return Table(frozenset(column for column, *_ in columns) - changes, changes, adds, removes)


@pytest.mark.parametrize("name", RIGHTS.tables)
def test_rights__to_a_table_are_those_of_the_list(owner: Owner, name: str) -> None:
    assert held(owner, name) == RIGHTS.tables[name]


def test_rights__to_functions_are_those_of_the_list(owner: Owner) -> None:
    found = owner.execute(FUNCTIONS).fetchall()
    may = {
        name
        for name, signature, _ in found
        if owner.execute("SELECT has_function_privilege(%s, %s, 'EXECUTE')", [role(), signature]).fetchone()
        == (True,)
    }
    assert may == set(RIGHTS.functions)


def test_rights__to_anything_else_are_none(owner: Owner) -> None:
    unlisted = [name for name, _ in owner.execute(TABLES) if name not in RIGHTS.tables]
    assert "wallet_apicall_default" in unlisted
    for name in unlisted:
        for right in ("SELECT", "INSERT", "UPDATE", "REFERENCES"):
            question = "SELECT has_any_column_privilege(%s, %s, %s)"
            assert owner.execute(question, [role(), name, right]).fetchone() == (False,), (name, right)
    [(sequences,)] = owner.execute(
        "SELECT count(*) FROM pg_sequences WHERE schemaname = 'public'"
        " AND has_sequence_privilege(%s, format('%%I', sequencename), 'USAGE, SELECT, UPDATE')",
        [role()],
    ).fetchall()
    assert sequences == 0
    [rights] = owner.execute(
        "SELECT has_schema_privilege(%(r)s, 'public', 'CREATE'), "
        "has_database_privilege(%(r)s, current_database(), 'CREATE'), "
        "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls, "
        "EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid), "
        "EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid) FROM pg_roles WHERE rolname = %(r)s",
        {"r": role()},
    ).fetchall()
    assert rights == (False, False, False, False, False)


# --- Tried, as the application ----------------------------------------------------------------------


@pytest.mark.parametrize("name", RIGHTS.tables)
def test_application__can_do_with_a_table_only_what_the_list_says(name: str) -> None:
    one, place = RIGHTS.tables[name], sql.Identifier(name).as_string()
    for column in one.stays:
        refused(f"UPDATE {place} SET {column} = {column} WHERE false")
    for column in one.changes:
        taken(f"UPDATE {place} SET {column} = {column} WHERE false")
    remove, add = f"DELETE FROM {place} WHERE false", f"INSERT INTO {place} SELECT * FROM {place} WHERE false"
    (taken if one.may_remove else refused)(remove)
    if not one.may_add:
        refused(add)
    taken(f"SELECT * FROM {place} LIMIT 1")
    for statement in (
        f"TRUNCATE {place}",
        f"DROP TABLE {place}",
        f"ALTER TABLE {place} DISABLE TRIGGER ALL",
        f"CREATE TRIGGER mine BEFORE UPDATE ON {place} FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE RULE mine AS ON DELETE TO {place} DO INSTEAD NOTHING",
        f"CREATE INDEX ON {place} ((1))",
        f"ALTER TABLE {place} OWNER TO CURRENT_USER",
        f"LOCK TABLE {place} IN ACCESS EXCLUSIVE MODE",
    ):
        if not (statement.startswith("LOCK") and one.may_remove):
            refused(statement)


def test_application__can_do_nothing_with_unlisted_tables(owner: Owner) -> None:
    for name in (name for name, _ in owner.execute(TABLES).fetchall() if name not in RIGHTS.tables):
        refused(f"SELECT * FROM {name}")
        refused(f"INSERT INTO {name} DEFAULT VALUES")
        refused(f"DELETE FROM {name}")
        refused(f"TRUNCATE {name}")
        refused(f"DROP TABLE {name}")


def test_application__can_call_no_function_but_those_of_the_list(owner: Owner) -> None:
    inner = [(name, call) for name, _, call in owner.execute(FUNCTIONS) if name not in RIGHTS.functions]
    assert {"ledger_append", "ledger_post_one", "call_log_write"} <= {name for name, _ in inner}
    for _, call in inner:
        refused(call)


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (id int)", "CREATE SCHEMA mine",
     "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
     "CREATE OR REPLACE FUNCTION wallet_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
     "ALTER FUNCTION wallet_now SECURITY DEFINER", "DROP FUNCTION wallet_now",
     "ALTER ROLE CURRENT_USER SUPERUSER", "SET session_replication_role = replica",
     "SET ROLE pg_read_server_files", "COPY wallet_entry TO '/tmp/entries'",
     "COPY wallet_entry FROM '/dev/null'"],
)  # fmt: skip
def test_application__makes_and_changes_nothing_of_the_database(statement: str) -> None:
    refused(statement)


# --- How it is granted ------------------------------------------------------------------------------


def test_grant__takes_what_the_list_does_not_say(owner: Owner) -> None:
    name = sql.Identifier(role())
    for statement in (
        "GRANT ALL ON wallet_wallet TO {}",
        "GRANT UPDATE (amount) ON wallet_entry TO PUBLIC",
        "GRANT EXECUTE ON FUNCTION ledger_append TO PUBLIC",
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {}",
        "CREATE TABLE unlisted (id bigint GENERATED ALWAYS AS IDENTITY)",
        "GRANT ALL ON unlisted TO {}",
        "CREATE FUNCTION unlisted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ):
        owner.execute(sql.SQL(statement).format(name))
    try:
        may = owner.execute("SELECT has_function_privilege(%s, 'unlisted()', 'EXECUTE')", [role()]).fetchone()
        assert may == (False,), "a function that is made is nobody's"
        grant_exactly(RIGHTS, role(), "owner")
        assert held(owner, "wallet_wallet") == RIGHTS.tables["wallet_wallet"]
        test_rights__to_anything_else_are_none(owner)
        test_rights__to_functions_are_those_of_the_list(owner)
    finally:
        owner.execute("DROP TABLE unlisted; DROP FUNCTION unlisted()")


def test_grant__leaves_alone_who_migrates_and_nobody(owner: Owner) -> None:
    grant_exactly(RIGHTS, "no-such-role", "owner")
    grant_exactly(RIGHTS, owner.info.user, "owner")
    assert held(owner, "wallet_entry") == RIGHTS.tables["wallet_entry"]


def test_table__knows_two_words() -> None:
    with pytest.raises(ValueError, match="not 'add truncate'"):
        table("add truncate")
