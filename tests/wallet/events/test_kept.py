"""What is kept of the feed: days that are dropped, and cursors that stand in them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.utils import DataError

from tests.conftest import CLOCK
from tests.support.callers import PlayerSession
from tests.support.event_feed import Reader, feed_end
from tests.support.own_database import OwnLedger, own_ledger
from wallet.events.positions import drop_old_events
from wallet.models import Event


@pytest.fixture(scope="module")
def ledger(database: None) -> Iterator[OwnLedger]:
    with own_ledger("test_events_kept") as ledger:
        yield ledger


def go_on(ledger: OwnLedger, days: int) -> None:
    ledger.owner.execute(CLOCK.format(f"clock_timestamp() + interval '{days} days'"))


def play(player_session: PlayerSession) -> str:
    """Something happens. Returns the cursor after it."""
    player_session.adjust("credit", 1)
    return feed_end()


def test_kept__drops_whole_days_and_tells_who_missed_them(ledger: OwnLedger) -> None:
    player_session, reader = ledger.callers.player_session(), Reader(ledger.callers.front, "")
    earlier = play(player_session)
    last = play(player_session)
    # The only day that has any stays, however old it is.
    go_on(ledger, 40)
    assert drop_old_events(timedelta(days=30)) == 0
    assert reader.get(after=last).body == {"events": [], "next": last}

    newest = play(player_session)
    assert drop_old_events(timedelta(days=30)) == 1
    assert Event.objects.count() == 1
    # Who had read the dropped day to its end has missed nothing.
    answer = reader.get(after=last)
    assert ([event["line"] for event in answer.body["events"]], answer.body["next"]) == ([5], newest)
    answer = reader.get(after=earlier)
    assert (answer.error, "some were missed" in answer.body["errorDescription"]) == (101, True)
    assert [event["line"] for event in reader.read()] == [5]
    assert drop_old_events(timedelta(days=30)) == 0


def test_kept__drops_nothing_that_has_to_be_kept(ledger: OwnLedger) -> None:
    with pytest.raises(DataError, match="30 days are kept"):
        drop_old_events(timedelta(days=29))
