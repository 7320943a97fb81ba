"""A database that takes no writes, or that sends everybody away (contract 1.6).

After a failover, with a full disk, while it shuts down: 503 with Retry-After, not ready, and the connection
is dropped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from psycopg import sql

from config.heartbeat import Heartbeat
from lib import database
from lib.clock import now
from lib.database import REFUSED_WRITES
from payments.deliveries.operations import lease
from payments.deliveries.worker import DeliveryResponse, write_down
from payments.models import Delivery
from tests.config.test_exceptions import backend, is_unavailable
from tests.support.admin_pages import operator
from tests.support.callers import Answer, Caller, Callers, PlayerSession, unique
from tests.support.shop import ShopSetup, make_shop_setup

Owner = psycopg.Connection[Any]
SAYINGS = {
    "read_only_sql_transaction": "25006",
    "admin_shutdown": "57P01",
    "crash_shutdown": "57P02",
    "cannot_connect_now": "57P03",
    "disk_full": "53100",
    "out_of_memory": "53200",
    "too_many_connections": "53300",
    "connection_failure": "08006",
    "idle_in_transaction_session_timeout": "25P03",
}


@pytest.fixture(autouse=True)
def forget_refusals() -> Iterator[None]:
    REFUSED_WRITES.forget()
    yield
    connection.close()
    REFUSED_WRITES.forget()


@pytest.fixture(scope="module")
def shop_setup(callers: Callers) -> ShopSetup:
    return make_shop_setup(callers)


def demote() -> int:
    """This thread's connection leads to a server that takes no writes any more. Returns its backend."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    return backend()


@contextmanager
def demoted(owner: Owner, database_name: str) -> Iterator[None]:
    """Whoever connects anew meets such a server as well."""
    name = sql.Identifier(database_name)
    owner.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    try:
        yield
    finally:
        owner.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))


@contextmanager
def saying(owner: Owner, state: str, table: str) -> Iterator[None]:
    """A write to that table fails with that code."""
    owner.execute(
        f"""
        CREATE FUNCTION say_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION SQLSTATE '{state}' USING MESSAGE = 'secret detail'; END $$;
        CREATE TRIGGER says_for_the_test BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW
            EXECUTE FUNCTION say_for_the_test();
        """
    )
    try:
        yield
    finally:
        owner.execute("DROP FUNCTION say_for_the_test CASCADE")


def ready() -> Answer:
    return Caller(None).send("GET", "/readyz")


def log_in(password: str = "correct horse battery staple") -> tuple[int, str, bytes]:
    """What the operators' login page answers, which keeps a session."""
    who = operator()
    who.set_password(password)
    who.save()
    demote()
    browser = Client(raise_request_exception=False)
    answer = browser.post("/admin/login/", {"username": who.username, "password": password})
    return answer.status_code, answer.headers.get("Retry-After", ""), answer.content


def test_read_only_connection__is_left_and_the_call_repeated(player_session: PlayerSession) -> None:
    """After a failover the address leads to the new primary: the call succeeds there."""
    player_session.done("getBalance")
    old = demote()
    assert player_session.done("withdraw", unique("mm"), "5.00").balance == "95.00"
    assert backend() != old
    assert player_session.holding()[:2] == (95_00, 5_00)


def test_read_only_database__is_503_and_the_connection_is_dropped(
    player_session: PlayerSession, owner: Owner, database_name: str
) -> None:
    player_session.done("getBalance")
    demote()
    with demoted(owner, database_name):
        for _ in range(3):
            assert is_unavailable(player_session.call("withdraw", unique("mm"), "5.00"))
        assert connection.connection is None
        assert is_unavailable(ready())
    REFUSED_WRITES.forget()
    assert player_session.holding()[:2] == (100_00, 0)
    assert player_session.done("withdraw", unique("mm"), "5.00").balance == "95.00"
    assert ready().body == {"status": "ok"}


def test_standby__is_no_address_of_ours(owner: Owner, database_name: str) -> None:
    connection.close()
    with demoted(owner, database_name), pytest.raises(OperationalError, match="read-only"):
        connection.ensure_connection()


def test_readiness__does_not_use_a_read_only_connection_again() -> None:
    old = demote()
    assert is_unavailable(ready())
    assert ready().body == {"status": "ok"}
    assert backend() != old


def test_page__of_the_admin_is_503_and_the_connection_is_dropped() -> None:
    status, retry_after, body = log_in()
    assert (status, retry_after) == (503, "5")
    assert b"secret" not in body
    assert connection.connection is None


@pytest.mark.parametrize("state", SAYINGS.values(), ids=SAYINGS)
def test_withdrawal__is_503_and_its_connection_dropped_at(
    player_session: PlayerSession, owner: Owner, state: str
) -> None:
    player_session.done("getBalance")
    before = backend()
    with saying(owner, state, "wallet_apicall"):
        answer = player_session.call("withdraw", unique("mm"), "5.00")
        assert is_unavailable(answer)
        assert b"secret" not in answer.raw
    assert backend() != before
    assert player_session.holding()[:2] == (100_00, 0)


@pytest.mark.parametrize("state", SAYINGS.values(), ids=SAYINGS)
def test_entry_call__is_503_and_its_connection_dropped_at(callers: Callers, owner: Owner, state: str) -> None:
    """Through Django's own statements, which wrap what psycopg raises."""
    callers.front.put(f"/entry/players/{unique('u')}", {"nickname": "before"})
    before = backend()
    with saying(owner, state, "players_player"):
        assert is_unavailable(callers.front.put(f"/entry/players/{unique('u')}", {"nickname": "x"}))
    assert backend() != before


def test_full_disk__is_not_ready_until_a_heartbeat_is_written(
    player_session: PlayerSession, owner: Owner
) -> None:
    assert ready().body == {"status": "ok"}
    with saying(owner, "53100", "wallet_pulse"):
        Heartbeat().beat()
        assert is_unavailable(ready())
    Heartbeat().beat()
    assert ready().body == {"status": "ok"}


def test_full_disk__still_tells_a_game_what_became_of_its_transaction(
    player_session: PlayerSession, owner: Owner
) -> None:
    """Only that it asked is not written down."""
    mm = player_session.opened("withdraw", "5.00")
    with saying(owner, "53100", "wallet_apicall"):
        assert player_session.done("queryTransaction", mm, type="withdrawal").body["state"] == "pending"
        assert is_unavailable(player_session.call("confirmWithdrawal", mm))
    player_session.done("confirmWithdrawal", mm)


def test_full_disk__is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "REMEMBERED_SECONDS", 0.0)
    REFUSED_WRITES.note()
    assert ready().body == {"status": "ok"}


def test_lock__that_took_too_long_keeps_the_connection() -> None:
    """A lock of somebody else's says nothing of the server, and the worker's own locks would be lost."""
    timeout = psycopg.errors.LockNotAvailable("lock timeout")
    assert (database.is_unavailable(timeout), database.is_unfit(timeout)) == (True, False)


def test_unfit__is_no_mistake_of_ours() -> None:
    for problem in (psycopg.errors.UndefinedTable("x"), psycopg.errors.CheckViolation("x"), ValueError("x")):
        assert (database.is_unavailable(problem), database.is_unfit(problem)) == (False, False)


def test_callback__is_503_and_its_connection_dropped(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(product="sword")
    demote()
    assert is_unavailable(shop_setup.webhooks.tell("payment.succeeded", order))
    assert connection.connection is None
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200


def test_checkout__is_503_and_its_connection_dropped(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(product="sword", start=False)
    demote()
    provider = {"provider": shop_setup.webhooks.provider.slug}
    answer = Client().post(f"/checkout/{order.page_key}", provider)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert b"<html" in answer.content
    assert connection.connection is None


def test_order__is_503_and_its_connection_dropped(shop_setup: ShopSetup) -> None:
    player_session = shop_setup.player_session()
    demote()
    assert is_unavailable(shop_setup.initiate(player_session))
    assert connection.connection is None
    assert shop_setup.initiate(player_session).error is None


def test_worker__drops_the_connection_that_takes_no_writes(shop_setup: ShopSetup) -> None:
    """It goes on with what else is due, and not for a whole run by a connection that fails at each."""
    delivery = Delivery.objects.get(order=shop_setup.paid(product="sword"))
    [attempt] = lease(now(), "test", only=delivery.pk)
    demote()
    assert write_down(attempt, DeliveryResponse(200)) == ""
    assert connection.connection is None
    assert write_down(attempt, DeliveryResponse(200)) == "delivered"
