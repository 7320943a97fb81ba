"""How often a ledger call is tried, counted by a sequence, which no rollback takes back."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.support.callers import PlayerSession, unique
from wallet.ledger_tries import MOST_TRIES

Owner = psycopg.Connection[Any]


@contextmanager
def failing(owner: Owner, failure: str) -> Iterator[Callable[[], int]]:
    """The call log, which is written last, fails at each try; yields how many there were."""
    owner.execute(
        f"""
        CREATE SEQUENCE tries_of_the_test;
        CREATE FUNCTION fail_for_the_test() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN PERFORM nextval('tries_of_the_test'); {failure}; RETURN NEW; END $$;
        CREATE TRIGGER fails_for_the_test BEFORE INSERT ON wallet_apicall FOR EACH ROW
            EXECUTE FUNCTION fail_for_the_test();
        """
    )
    try:
        yield lambda: owner.execute("SELECT last_value FROM tries_of_the_test WHERE is_called").fetchall()[0][
            0
        ]
    finally:
        owner.execute("DROP FUNCTION fail_for_the_test CASCADE; DROP SEQUENCE tries_of_the_test")


@pytest.mark.parametrize(
    ("failure", "tries"),
    [
        ("RAISE deadlock_detected", MOST_TRIES),
        ("RAISE serialization_failure", MOST_TRIES),
        ("RAISE unique_violation", MOST_TRIES),
        # The connection broke: it is made anew, once.
        ("PERFORM pg_terminate_backend(pg_backend_pid()), pg_sleep(5)", 2),
        # It took too long: nothing says that it would be faster now.
        ("RAISE query_canceled", 1),
        ("RAISE lock_not_available", 1),
        ("RAISE division_by_zero", 1),
    ],
)
def test_retry__failure_is_tried_as_often_as_its_reason_allows(
    player_session: PlayerSession, owner: Owner, failure: str, tries: int
) -> None:
    mm, before = unique("mm"), player_session.holding()
    with failing(owner, failure) as tried:
        answer = player_session.call("withdraw", mm, "5.00")
        assert (answer.status, tried()) == (500 if "zero" in failure else 503, tries)
    assert player_session.holding() == before
    assert player_session.done("withdraw", mm, "5.00").balance == "95.00"


def test_retry__lost_race_is_tried_four_times_and_each_is_logged(
    player_session: PlayerSession, owner: Owner, caplog: pytest.LogCaptureFixture
) -> None:
    assert MOST_TRIES == 4
    with caplog.at_level(logging.INFO, "wallet.ledger_tries"), failing(owner, "RAISE deadlock_detected"):
        player_session.call("withdraw", unique("mm"), "5.00")
    told = [record.getMessage() for record in caplog.records if record.name == "wallet.ledger_tries"]
    assert told == ["ledger call is repeated: DeadlockDetected"] * 3
