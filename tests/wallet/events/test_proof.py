"""A short form of `make events`."""

from tests.support.own_database import own_ledger
from tests.wallet.events.proof import prove


def test_feed__is_whole_though_writers_are_late_and_its_reader_is_killed(database: None) -> None:
    with own_ledger("test_events_proof") as ledger:
        result = prove(ledger, events=3000, kills=6, players=12, seed=7)
    assert (result.wrong, result.events >= 3000, result.kills >= 6) == ([], True, True)
