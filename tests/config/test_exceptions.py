"""Failures that are no answers: 500 and 503.

Their bodies, and that nothing of a failed operation remains (contract 1.6, 1.7).
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.utils import OperationalError
from django.test.utils import CaptureQueriesContext

from players.access.credentials import CREDENTIALS
from tests.support.callers import Answer, Caller, Callers, PlayerSession, basic, fresh_address, unique
from tests.support.web_server import served
from wallet import ledger
from wallet.models import ApiCall, Transaction

INTERNAL = {"errorCode": 100, "errorDescription": "An unexpected internal error occurred."}
Owner = psycopg.Connection[object]


def is_internal_error(answer: Answer) -> bool:
    return (answer.status, answer.body, answer.headers["content-type"]) == (500, INTERNAL, "application/json")


def is_unavailable(answer: Answer) -> bool:
    shown = (answer.status, answer.body, answer.headers["content-type"], answer.headers["retry-after"])
    return shown == (503, INTERNAL, "application/json", "5")


@contextmanager
def failing_at_the_last_step(owner: Owner, error: str = "raise_exception") -> Iterator[None]:
    """The call log, which is written last, refuses every row with that error."""
    owner.execute(
        f"""
        CREATE FUNCTION fail_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE {error} USING MESSAGE = 'secret detail: SELECT password'; END $$;
        CREATE TRIGGER fails_for_the_test BEFORE INSERT ON wallet_apicall FOR EACH ROW
            EXECUTE FUNCTION fail_for_the_test();
        """
    )
    try:
        yield
    finally:
        owner.execute("DROP FUNCTION fail_for_the_test CASCADE")


@contextmanager
def locked(owner: Owner, player_session: PlayerSession) -> Iterator[None]:
    """Somebody else holds the lock on the session's wallet."""
    with owner.transaction():
        owner.execute("SELECT 1 FROM wallet_wallet WHERE id = %s FOR UPDATE", [player_session.wallet().pk])
        yield


@contextmanager
def impatient(setting: str) -> Iterator[None]:
    """This process's connection waits only 200 ms."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET {setting} = '200ms'")
    yield
    connection.close()


@pytest.mark.parametrize(
    "endpoint", ["withdraw", "deposit", "confirmWithdrawal", "rollbackWithdrawal", "queryTransaction"]
)
def test_api_failure__at_last_step_is_500_and_leaves_nothing(
    player_session: PlayerSession, owner: Owner, endpoint: str
) -> None:
    mm = player_session.opened("withdraw", "10.00")
    new = mm if "Withdrawal" in endpoint else unique("mm")
    before = player_session.holding()
    extra = {"type": "withdrawal"} if endpoint == "queryTransaction" else {}
    with failing_at_the_last_step(owner):
        assert is_internal_error(
            player_session.call(endpoint, new, "5.00" if new != mm else "10.00", **extra)
        )
    assert player_session.holding() == before
    assert player_session.transaction(mm).state == "pending"
    assert new == mm or not Transaction.objects.filter(mm_transaction_id=new).exists()
    # The same call, sent again, succeeds as if nothing had been.
    if endpoint != "queryTransaction":
        assert player_session.call(endpoint, new, "5.00" if new != mm else "10.00").error is None


def test_call_log__of_a_failed_call_tells_no_more_in_the_answer(
    player_session: PlayerSession, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    with failing_at_the_last_step(owner):
        answer = player_session.call("withdraw", unique("mm"), "5.00")
        malformed = player_session.call("withdraw", unique("mm"), "-1")
    for raw in (answer.raw, malformed.raw):
        assert not any(word in raw for word in (b"secret", b"SELECT", b"Traceback", b"psycopg", b"wallet_"))
    assert "unhandled failure" in caplog.text


@pytest.mark.parametrize("setting", ["lock_timeout", "statement_timeout"])
def test_locked_wallet__is_503_and_nothing_moved(
    player_session: PlayerSession, owner: Owner, setting: str
) -> None:
    mm = unique("mm")
    before = player_session.holding()
    with impatient(setting), locked(owner, player_session):
        answer = player_session.call("withdraw", mm, "5.00")
    assert is_unavailable(answer)
    assert player_session.holding() == before
    assert player_session.done("withdraw", mm, "5.00").balance == "95.00"


@pytest.mark.parametrize("error", ["deadlock_detected", "serialization_failure", "unique_violation"])
def test_lost_race__too_often_is_503_and_nothing_moved(
    player_session: PlayerSession, owner: Owner, error: str
) -> None:
    before = player_session.holding()
    with failing_at_the_last_step(owner, error):
        assert is_unavailable(player_session.call("withdraw", unique("mm"), "5.00"))
    assert player_session.holding() == before


def test_lost_race__once_is_retried_and_moves_once(player_session: PlayerSession, owner: Owner) -> None:
    """The trigger fails while a sequence, which no rollback takes back, is below three."""
    owner.execute("CREATE SEQUENCE tries_of_the_test; GRANT USAGE ON tries_of_the_test TO PUBLIC")
    owner.execute(
        """
        CREATE FUNCTION fail_for_the_test() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF nextval('tries_of_the_test') < 3 THEN RAISE deadlock_detected; END IF; RETURN NEW; END $$;
        CREATE TRIGGER fails_for_the_test BEFORE INSERT ON wallet_apicall FOR EACH ROW
            EXECUTE FUNCTION fail_for_the_test();
        """
    )
    try:
        assert player_session.done("withdraw", unique("mm"), "5.00").balance == "95.00"
        assert owner.execute("SELECT last_value FROM tries_of_the_test").fetchone() == (3,)
    finally:
        owner.execute("DROP FUNCTION fail_for_the_test CASCADE; DROP SEQUENCE tries_of_the_test")
    assert player_session.holding()[:2] == (95_00, 5_00)


def test_db_connection__that_broke_is_reopened_once(player_session: PlayerSession, owner: Owner) -> None:
    player_session.done("getBalance")
    pid = backend()
    owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert player_session.done("withdraw", unique("mm"), "5.00").balance == "95.00"
    assert backend() != pid
    assert player_session.holding()[:2] == (95_00, 5_00)


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_retry__does_not_happen_in_an_atomic_block(player_session: PlayerSession, owner: Owner) -> None:
    """What was done before in the block would be lost."""
    with (
        failing_at_the_last_step(owner, "deadlock_detected"),
        pytest.raises(psycopg.errors.DeadlockDetected),
        transaction.atomic(),
    ):
        log_a_refusal(player_session)
    with (
        impatient("lock_timeout"),
        locked(owner, player_session),
        pytest.raises(psycopg.errors.LockNotAvailable),
        transaction.atomic(),
    ):
        player_session.adjust("credit", 1)
    assert player_session.holding().spendable == 100_00


def log_a_refusal(player_session: PlayerSession) -> None:
    ledger.log_refused(
        ledger.CallContext(player_session.game.pk, "test", player_session.game.pk, "withdraw", "10.0.0.1", 0),
        outcome="malformed",
        mm_transaction_id="x",
    )


def test_database__away_is_503_everywhere_and_the_process_lives(callers: Callers, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: every connection is refused
        url = f"postgres://wallet_app:secret-password@127.0.0.1:{nobody.getsockname()[1]}/secret_database"
        given = {"DATABASE_URL": url, "WEB_WORKERS": "1", "WEB_THREADS": "2", "TRUSTED_PROXIES": "127.0.0.1"}
        with served(tmp_path / "server.log", **given) as server:
            for path, payload in (
                ("/wallet/withdraw", {"token": "x"}),
                ("/wallet/nothing", {}),
                ("/entry/launch", {}),
            ):
                answer = Caller(basic("game", "password"), url=server).post(path, payload)
                assert is_unavailable(answer), answer.raw
                assert b"secret" not in answer.raw
            assert Caller(None, url=server).send("GET", "/readyz").status == 503
            assert Caller(None, url=server).send("GET", "/healthz").body == {"status": "ok"}
            # Who shows no credential needs no database to be refused.
            own_address = {"X-Forwarded-For": fresh_address()}
            assert Caller(None, url=server).send("POST", "/wallet/withdraw", b"{}", own_address).status == 401


def test_database__away_after_credentials_were_read_is_503(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    player_session.done("getBalance")

    def away() -> None:
        raise OperationalError("connection to server at secret-host failed")

    monkeypatch.setattr(connection, "ensure_connection", away)
    for endpoint in ("getBalance", "verifySession"):
        assert is_unavailable(player_session.call(endpoint))
    CREDENTIALS.forget()
    assert is_unavailable(player_session.call("getBalance"))


def test_readiness__reports_unapplied_migrations(owner: "psycopg.Connection[Any]") -> None:
    assert Caller(None).send("GET", "/readyz").body == {"status": "ok"}
    assert Caller(None).send("GET", "/healthz").body == {"status": "ok"}
    latest = "SELECT max(id) FROM django_migrations WHERE app = 'wallet'"
    owner.execute(f"UPDATE django_migrations SET app = 'away' WHERE id IN ({latest})")
    try:
        answer = Caller(None).send("GET", "/readyz")
    finally:
        owner.execute("UPDATE django_migrations SET app = 'wallet' WHERE app = 'away'")
    assert (answer.status, answer.body) == (503, {"status": "not migrated", "unapplied": 1})
    assert Caller(None).send("GET", "/readyz").body == {"status": "ok"}


def test_readiness__reads_no_files_once_it_knows_the_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Caller(None).send("GET", "/readyz").body == {"status": "ok"}

    def read_again(self: object) -> None:
        raise AssertionError("the migrations' files are read for each probe")

    monkeypatch.setattr(MigrationLoader, "load_disk", read_again)
    with CaptureQueriesContext(connection) as caught:
        assert Caller(None).send("GET", "/readyz").body == {"status": "ok"}
    # Writes, migrations, the database's order of text and its indexes', and whose the tables are.
    assert len(caught.captured_queries) <= 5


def test_unknown_path__outside_the_api_gets_a_plain_line() -> None:
    answer = Caller(None).send("GET", "/nothing")
    assert (answer.status, answer.raw, answer.headers["content-type"]) == (404, b"Not found.", "text/plain")


# --- On a real socket -------------------------------------------------------------------------------


def exchange(url: str, head: list[str], body: bytes) -> tuple[int, bytes]:
    """Sends bytes as they are; returns status and body of the answer."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=15) as wire:
        wire.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode() + body)
        with HTTPResponse(wire) as response:
            response.begin()
            return response.status, response.read()


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def head(server: str, player_session: PlayerSession, *more: str) -> list[str]:
    return [
        "POST /wallet/withdraw HTTP/1.1",
        f"Host: {urlsplit(server).netloc}",
        f"Authorization: {player_session.caller.authorization}",
        "Content-Type: application/json",
        *more,
    ]


def test_chunked_body__is_read_like_any_other(player_session: PlayerSession, server: str) -> None:
    body = json.dumps(
        {
            "token": player_session.token,
            "mmTransactionId": unique("mm"),
            "amount": {"amount": 5, "currencyCode": "XAG"},
        }
    ).encode()
    status, answer = exchange(
        server,
        head(server, player_session, "Transfer-Encoding: chunked"),
        chunked(body[:10], body[10:11], body[11:]),
    )
    assert (status, json.loads(answer)["balance"]["amount"]) == (200, 95.0)
    assert player_session.holding()[:2] == (95_00, 5_00)


def test_chunked_body__over_64_kib_gets_413(player_session: PlayerSession, server: str) -> None:
    status, answer = exchange(
        server,
        head(server, player_session, "Transfer-Encoding: chunked"),
        chunked(b'{"x": "', b"x" * 65536, b'"}'),
    )
    assert (status, json.loads(answer)["errorCode"]) == (413, 101)
    assert player_session.holding()[:2] == (100_00, 0)


def test_chunked_body__empty_or_no_body_at_all_is_malformed(
    player_session: PlayerSession, server: str
) -> None:
    for more, body in (
        (("Transfer-Encoding: chunked",), chunked()),
        ((), b""),
        (("Content-Length: 0",), b""),
    ):
        status, answer = exchange(server, head(server, player_session, *more), body)
        assert (status, json.loads(answer)["errorCode"]) == (200, 101)


def test_long_body__announced_is_refused_before_it_is_read(
    player_session: PlayerSession, server: str
) -> None:
    status, answer = exchange(server, head(server, player_session, f"Content-Length: {2**40}"), b"{")
    assert (status, json.loads(answer)["errorCode"]) == (413, 101)


def test_answer__is_committed_before_it_is_given(
    player_session: PlayerSession, server: str, owner: Owner
) -> None:
    mm = unique("mm")
    PlayerSession(
        player_session.caller.at(server),
        player_session.player,
        player_session.game,
        player_session.token,
        "XAG",
    ).done("withdraw", mm, "5.00")
    assert owner.execute(
        "SELECT state FROM wallet_transaction WHERE mm_transaction_id = %s", [mm]
    ).fetchone() == ("pending",)
    assert ApiCall.objects.filter(mm_transaction_id=mm, outcome="opened").count() == 1


def test_ledger_statements__are_prepared_once_per_connection(player_session: PlayerSession) -> None:
    connection.close()
    for _ in range(3):
        player_session.done("getBalance")
        player_session.opened("withdraw", "1.00")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%ledger_open(%'")
        assert cursor.fetchone() == (1,)
