"""What the database holds whatever the code does.

The application's rights, rows that never change, and the call log's days.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, ProgrammingError

from lib.clock import now
from tests.conftest import Clock
from tests.support.call_log_days import drop_days
from tests.support.callers import Caller, Callers, PlayerSession, basic, unique
from wallet import call_log
from wallet.currencies import decimals_of
from wallet.models import ApiCall, Currency

Owner = psycopg.Connection[Any]


def run(statement: str, *parameters: UUID | date) -> None:
    """As the application's role."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, list(map(str, parameters)))


# --- Rights of the application ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    ["wallet_entry", "wallet_wallet", "wallet_transaction", "wallet_apicall", "wallet_apicall_default"],
)
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {} SELECT * FROM {} LIMIT 1",
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
    ],
)
def test_app_role__cannot_write_money_history_or_the_call_log(
    player_session: PlayerSession, table: str, statement: str
) -> None:
    player_session.opened("withdraw", "1.00")
    before = player_session.holding()
    column = "seq" if table == "wallet_entry" else "id"
    with pytest.raises(ProgrammingError) as refused:
        run(statement.format(table, table).replace("id = id", f"{column} = {column}"))
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
    assert player_session.holding() == before


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO wallet_discrepancy DEFAULT VALUES", "DELETE FROM wallet_discrepancy",
     "DELETE FROM wallet_currency", "DELETE FROM players_player",
     "DELETE FROM players_game", "UPDATE players_playerevent SET reason = ''",
     "DELETE FROM players_playerevent", "DELETE FROM django_migrations",
     "CREATE TABLE mine (id int)", "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
     "CREATE OR REPLACE FUNCTION wallet_now() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
     "ALTER ROLE CURRENT_USER SUPERUSER"],
)  # fmt: skip
def test_app_role__has_only_the_rights_that_it_needs(statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused:
        run(statement)
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize(
    "name",
    [
        "ledger_append",
        "ledger_repay",
        "ledger_post_one",
        "ledger_finish",
        "ledger_note_discrepancy",
        "call_log_write",
    ],
)
def test_app_role__has_no_right_to_the_ledgers_inner_functions(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.oid, has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc p WHERE proname = %s", [name]
        )
        assert [may for _, may in cursor.fetchall()] == [False]


def test_app_role__is_refused_when_calling_an_inner_function(player_session: PlayerSession) -> None:
    statement = """
        SELECT ledger_append(wallet => w, p_transaction => NULL, p_event => 'adjusted',
            p_legs => NULL, p_amount => 100, p_actor => 'thief', p_note => '',
            p_at => now(), p_subject => '')
        FROM wallet_wallet w WHERE w.id = %s
    """
    before = player_session.holding()
    with pytest.raises(ProgrammingError, match="permission denied for function ledger_append"):
        run(statement, player_session.wallet().pk)
    assert player_session.holding() == before


def test_app_role__is_neither_owner_nor_superuser() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = "
            "current_user"
        )
        assert cursor.fetchone() == (False, False, False, False)
        cursor.execute("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
        assert cursor.fetchone() == (0,)


# --- Rows that never change, not even for the owner -------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    ["UPDATE wallet_entry SET amount = 1 WHERE wallet_id = %s",
     "UPDATE wallet_entry SET hash = hash WHERE wallet_id = %s",
     "DELETE FROM wallet_entry WHERE wallet_id = %s",
     "DELETE FROM wallet_transaction WHERE wallet_id = %s", "DELETE FROM wallet_wallet WHERE id = %s"],
)  # fmt: skip
def test_history__is_never_changed_or_deleted(
    player_session: PlayerSession, owner: Owner, statement: str
) -> None:
    player_session.opened("withdraw", "1.00")
    before = player_session.holding()
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(statement, [player_session.wallet().pk])
    assert player_session.holding() == before


@pytest.mark.parametrize(
    "table",
    [
        "wallet_entry",
        "wallet_transaction",
        "wallet_entry, wallet_transaction, wallet_wallet, wallet_discrepancy",
    ],
)
def test_history__is_never_truncated(owner: Owner, table: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(f"TRUNCATE {table} CASCADE")


def test_wallet__is_never_negative_nor_beyond_its_bound(player_session: PlayerSession, owner: Owner) -> None:
    for change in (
        "spendable = -1",
        "reserved = -1",
        "announced = -1",
        "debt = -1",
        "reserved = 1000000000000000000 - spendable",
        "announced = 1000000000000000000",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute(f"UPDATE wallet_wallet SET {change} WHERE id = %s", [player_session.wallet().pk])


def test_currency__is_never_deleted_nor_its_code_or_decimals_set(owner: Owner) -> None:
    for statement in (
        "UPDATE wallet_currency SET decimals = 3 WHERE code = 'XAG'",
        "UPDATE wallet_currency SET code = 'XXX' WHERE code = 'XAG'",
        "DELETE FROM wallet_currency WHERE code = 'CLF'",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement)
    owner.execute("UPDATE wallet_currency SET name = 'Silver' WHERE code = 'XAG'")
    assert decimals_of("XAG") == 2


def test_currency__has_0_to_4_decimals() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Currency.objects.create(code="FIVE5", name="Five", decimals=5)


def test_game__is_never_deleted(callers: Callers, owner: Owner) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM players_game WHERE id = %s", [callers.game.game.pk])


def test_security_definer__functions_have_a_fixed_search_path(owner: Owner) -> None:
    rows = owner.execute(
        "SELECT proname, proconfig FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert {name for name, _ in rows} >= {
        "ledger_open",
        "ledger_settle",
        "ledger_query",
        "ledger_resolve",
        "ledger_adjust",
        "ledger_gate",
        "ledger_open_wallet",
    }
    assert all(config and config[0].startswith("search_path=") for _, config in rows)


# --- The call log -----------------------------------------------------------------------------------


def calls(mm: str) -> list[tuple[object, ...]]:
    """What the call log says of an id, oldest first."""
    columns = ("endpoint", "outcome", "replayed", "amount", "currency_code")
    return list(ApiCall.objects.filter(mm_transaction_id=mm).order_by("at", "id").values_list(*columns))


def test_call_log__records_every_call_that_names_a_transaction(player_session: PlayerSession) -> None:
    mm = unique("mm")
    player_session.call("confirmWithdrawal", mm, "5.00")
    for endpoint in ("withdraw", "withdraw", "confirmWithdrawal", "confirmWithdrawal"):
        player_session.call(endpoint, mm, "5.00")
    player_session.call("withdraw", mm, "6.00")
    player_session.call("rollbackWithdrawal", mm)
    player_session.call("queryTransaction", mm, type="withdrawal")
    player_session.call("confirmWithdrawal", mm)
    player_session.call("deposit", mm, "-1")
    assert calls(mm) == [
        ("confirmWithdrawal", "not_found", False, 5_00, "XAG"),
        ("withdraw", "opened", False, 5_00, "XAG"),
        ("withdraw", "opened", True, 5_00, "XAG"),
        ("confirmWithdrawal", "confirmed", False, 5_00, "XAG"),
        ("confirmWithdrawal", "confirmed", True, 5_00, "XAG"),
        ("withdraw", "other_content", False, 6_00, "XAG"),
        ("rollbackWithdrawal", "already_confirmed", False, None, ""),
        ("queryTransaction", "found", False, None, ""),
        ("confirmWithdrawal", "confirmed", True, None, ""),
        ("deposit", "malformed", False, None, ""),
    ]


def test_call_log__records_refusals_too(callers: Callers, player_session: PlayerSession) -> None:
    mm = unique("mm")
    player_session.call("withdraw", mm, "5.00", currency="EUR")
    player_session.call("withdraw", mm, "5000.00")
    player_session.call("withdraw", mm, "5000.00")
    player_session.call("rollbackWithdrawal", mm)
    player_session.end()
    player_session.call("withdraw", mm + "2", "5.00")
    stranger = PlayerSession(
        callers.other_game.caller, player_session.player, callers.other_game.game, player_session.token, "XAG"
    )
    stranger.call("withdraw", mm, "5.00")
    stranger.call("queryTransaction", mm, type="withdrawal")
    assert [(outcome, replayed) for _, outcome, replayed, *_ in calls(mm)] == [
        ("foreign_currency", False),
        ("insufficient_funds", False),
        ("insufficient_funds", True),
        ("rolled_back", False),
        ("unknown_token", False),
        ("unknown_token", False),
    ]
    assert [outcome for _, outcome, *_ in calls(mm + "2")] == ["session_ended"]


def test_call_log__row_tells_who_called_from_where_and_how_long(
    callers: Callers, player_session: PlayerSession
) -> None:
    mm = unique("mm")
    began = now()
    qw = (
        PlayerSession(
            Caller(player_session.caller.authorization, "2001:db8::7"),
            player_session.player,
            player_session.game,
            player_session.token,
            "XAG",
        )
        .done("withdraw", mm, "5.00")
        .body["qwTransactionId"]
    )
    row = ApiCall.objects.get(mm_transaction_id=mm)
    assert (row.game_id, row.player_id, str(row.transaction_id)) == (
        player_session.game.pk,
        player_session.player.pk,
        qw,
    )
    assert (row.credential, row.address) == (callers.game.credential.pk, "2001:db8::7")
    assert began <= row.at <= now()
    assert 0 < row.took_us < 10_000_000
    # The id carries the time it was made, in milliseconds, a moment after the call began.
    assert (row.id.version, abs((row.id.int >> 80) / 1000 - row.at.timestamp()) < 1) == (7, True)


@pytest.mark.parametrize(
    ("endpoint", "payload"),
    [
        ("withdraw", {"amount": {"amount": Decimal("0"), "currencyCode": "XAG"}}),
        ("withdraw", {}),
        ("confirmDeposit", {"amount": 5}),
        ("queryTransaction", {"type": "loan"}),
    ],
)
def test_call_log__records_a_malformed_call_naming_a_transaction(
    player_session: PlayerSession, endpoint: str, payload: dict[str, Any]
) -> None:
    mm = unique("mm")
    for token in (player_session.token, "no-token"):
        assert (
            player_session.caller.post(
                f"/wallet/{endpoint}", {"token": token, "mmTransactionId": mm} | payload
            ).error
            == 101
        )
    assert calls(mm) == [(endpoint, "malformed", False, None, "")] * 2
    row = ApiCall.objects.filter(mm_transaction_id=mm).latest("at")
    assert (row.game_id, row.player_id, row.transaction_id, row.address) == (
        player_session.game.pk,
        None,
        None,
        player_session.caller.address,
    )


def test_call_log__skips_calls_of_no_transaction_or_from_nobody(player_session: PlayerSession) -> None:
    before = ApiCall.objects.count()
    mm = unique("mm")
    player_session.call("getBalance")
    player_session.call("verifySession")
    player_session.call("withdraw", "a b", "1.00")
    player_session.caller.post("/wallet/withdraw", {"token": player_session.token, "mmTransactionId": 5})
    player_session.caller.post("/wallet/withdraw", "[")
    player_session.caller.post("/wallet/getBalance", {"token": "x", "mmTransactionId": mm})
    Caller(basic("nobody", "nothing")).post(
        "/wallet/withdraw", {"token": player_session.token, "mmTransactionId": mm}
    )
    assert ApiCall.objects.count() == before


@contextmanager
def days_dropped(owner: Owner) -> Iterator[None]:
    """Neither before nor afterwards is there a partition of a day, whatever other tests have made."""
    drop_days(owner)
    yield
    drop_days(owner)


def partitions(owner: Owner) -> dict[str, int]:
    """The partitions and how many rows each has."""
    names = owner.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'wallet_apicall'::regclass "
        "ORDER BY 1"
    ).fetchall()
    counts = {}
    for (name,) in names:
        row = owner.execute(f"SELECT count(*) FROM {name}").fetchone()
        assert row is not None
        counts[name] = row[0]
    return counts


def test_call_log__day_partition_takes_over_what_default_caught(
    player_session: PlayerSession, owner: Owner, clock: Clock
) -> None:
    day = date(2031, 5, 17)
    mms = [unique("mm") for _ in range(4)]
    moments = [
        "2031-05-16T23:59:59.999999+00:00",
        "2031-05-17T00:00:00+00:00",
        "2031-05-17T23:59:59.999999+00:00",
        "2031-05-18T00:00:00+00:00",
    ]
    with days_dropped(owner):
        for mm, moment in zip(mms, moments, strict=True):
            clock.stand(datetime.fromisoformat(moment))
            player_session.call("deposit", mm, "1.00")
        caught = partitions(owner)["wallet_apicall_default"]
        run("SELECT call_log_prepare_day(%s)", day)
        assert partitions(owner) == {"wallet_apicall_20310517": 2, "wallet_apicall_default": caught - 2}
        run("SELECT call_log_prepare_day(%s)", day)
        assert partitions(owner) == {"wallet_apicall_20310517": 2, "wallet_apicall_default": caught - 2}
        assert ApiCall.objects.filter(mm_transaction_id__in=mms).count() == 4
        # What comes now goes there at once, and the application can still not write there itself.
        clock.stand(datetime.fromisoformat("2031-05-17T12:00:00+00:00"))
        player_session.call("deposit", unique("mm"), "1.00")
        assert partitions(owner)["wallet_apicall_20310517"] == 3
        with pytest.raises(ProgrammingError, match="permission denied"):
            run("DELETE FROM wallet_apicall_20310517")


def test_call_log__days_are_made_ahead_and_dropped_by_age(
    player_session: PlayerSession, owner: Owner, clock: Clock
) -> None:
    clock.stand(datetime.fromisoformat("2032-02-27T23:30:00+00:00"))
    with days_dropped(owner):
        assert call_log.prepare_days(3) == 4
        assert call_log.prepare_days(3) == 0
        days = [
            "wallet_apicall_20320227",
            "wallet_apicall_20320228",
            "wallet_apicall_20320229",
            "wallet_apicall_20320301",
        ]
        assert [name for name in partitions(owner) if name != "wallet_apicall_default"] == days
        mm = player_session.opened("deposit", "1.00")
        clock.stand(datetime.fromisoformat("2032-05-27T12:00:00+00:00"))
        assert call_log.drop_old_days(timedelta(days=90)) == 0
        assert calls(mm) != []
        clock.stand(datetime.fromisoformat("2032-05-29T12:00:00+00:00"))
        assert call_log.drop_old_days(timedelta(days=90)) == 2
        assert [name for name in partitions(owner) if name != "wallet_apicall_default"] == days[2:]
        assert calls(mm) == []
    # What the log forgets, the ledger does not.
    assert player_session.done("confirmDeposit", mm).balance == "101.00"


def test_call_log__a_day_nobody_prepared_stops_no_withdrawal(
    player_session: PlayerSession, owner: Owner, clock: Clock
) -> None:
    drop_days(owner)
    before = partitions(owner)["wallet_apicall_default"]
    clock.stand(player_session.session().created_at + timedelta(minutes=1))
    player_session.done("withdraw", unique("mm"), "1.00")
    assert partitions(owner)["wallet_apicall_default"] == before + 1
