"""Signs of life, and what a clock that was put forward and back again leaves of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.conftest import Clock
from wallet.models import Outage, Pulse
from wallet.outages import GRACE, SILENCE, leave_pulse, present_pause

# No other test has been there.
MOMENT = datetime(2031, 5, 1, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


@pytest.fixture(autouse=True)
def forgotten(owner: "psycopg.Connection[Any]", clock: Clock) -> Iterator[None]:
    forget(owner)
    yield
    forget(owner)


def forget(owner: "psycopg.Connection[Any]") -> None:
    owner.execute("DELETE FROM wallet_outage WHERE ended_at >= %s", [MOMENT])
    owner.execute("DELETE FROM wallet_pulse WHERE part = %s", [Pulse.Part.WEB])


def stand_forward_and_back(clock: Clock, by: timedelta) -> None:
    """A web process leaves its signs while the clock is right, wrong, and right again."""
    for moment in (MOMENT, MOMENT + by, MOMENT + timedelta(minutes=1)):
        clock.stand(moment)
        leave_pulse(Pulse.Part.WEB)


def test_outage__of_a_clock_that_was_wrong_pauses_nothing(clock: Clock) -> None:
    """The silence of a month was none, and would have kept sweeps from settling for another."""
    stand_forward_and_back(clock, MONTH)
    assert Outage.objects.filter(ended_at=MOMENT + MONTH).exists()
    assert present_pause(MOMENT + timedelta(minutes=1)) is None


def test_outage__after_the_clock_was_put_back_is_seen(clock: Clock) -> None:
    stand_forward_and_back(clock, MONTH)
    silent = MOMENT + timedelta(minutes=1)
    assert present_pause(silent + SILENCE) is None
    assert present_pause(silent + SILENCE + timedelta(seconds=1))
    clock.stand(silent + GRACE)
    leave_pulse(Pulse.Part.WEB)
    assert Outage.objects.filter(began_at=silent, ended_at=silent + GRACE).exists()
