"""Changes of limits: what is stricter counts at once, what is looser by the platform's profile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.limits import change, limit, standing
from wallet.models import LimitChange, PlayerLimit
from wallet.outcomes import LimitRefused

NOON = datetime(2027, 3, 17, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
# When a change of a limit per day counts.
COUNTS = {
    "24h": NOON + timedelta(hours=24),
    "7d": NOON + timedelta(days=7),
    "period": datetime(2027, 3, 18, tzinfo=UTC),
}
MOMENTS = {"before": -TICK, "at": timedelta(0), "after": TICK}
OLD = 50_00
WANTED = {"lower": 20_00, "raise": 80_00, "remove": None}


@pytest.fixture
def seat(callers: Callers, clock: Clock) -> PlayerSession:
    """A player with 1 000.00 at noon, in a game of its own."""
    clock.stand(NOON)
    session = open_session(make_party(), callers.player())
    session.adjust("credit", 1000_00)
    return session


def largest(seat: PlayerSession) -> int:
    """The largest withdrawal of these that is not refused, in minor units; each is given back."""
    session, most = seat.elsewhere(), 0
    for amount in (20_00, 20_01, 50_00, 50_01, 80_00, 80_01):
        answer = session.call("withdraw", mm := f"w-{amount}", f"{amount / 100:.2f}")
        if answer.error is None:
            most = amount
            session.done("rollbackWithdrawal", mm)
        else:
            assert answer.error == 111
    return most


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("profile", COUNTS)
@pytest.mark.parametrize("set_by", ["player", "operator"])
@pytest.mark.parametrize("act", WANTED)
def test_change__counts_when_it_must(
    seat: PlayerSession, clock: Clock, settings: Any, act: str, set_by: str, profile: str, moment: str
) -> None:
    settings.LIMIT_PROFILE = profile
    limit(seat, "spend", "day", OLD, set_by=set_by)
    wanted = WANTED[act]
    asked, by_two = "set" if wanted else "remove", set_by == "operator"
    outcome = change(seat, "spend", "day", asked, wanted, set_by=set_by, is_approved=by_two)
    waits = act != "lower" and set_by == "player"
    assert outcome == ("requested" if waits else "set" if wanted else "removed")
    clock.stand(COUNTS[profile] + MOMENTS[moment])
    if waits and profile == "period":
        assert largest(seat) == OLD
        if moment == "before":
            with pytest.raises(LimitRefused, match="too_early"):
                change(seat, "spend", "day", "confirm")
        else:
            assert change(seat, "spend", "day", "confirm") == "confirmed"
            assert change(seat, "spend", "day", "confirm") == "unchanged"
    counts = OLD if waits and moment == "before" else (wanted or 80_01)
    clock.stand(COUNTS[profile] + MOMENTS[moment])
    other = open_session(make_party(), seat.player)
    assert largest(other) == counts


@pytest.mark.parametrize(
    ("period", "ends"),
    [
        ("day", datetime(2027, 3, 18, tzinfo=UTC)),
        ("week", datetime(2027, 3, 22, tzinfo=UTC)),
        ("month", datetime(2027, 4, 1, tzinfo=UTC)),
        ("rolling", NOON + timedelta(hours=24)),
    ],
)
def test_raise__waits_for_the_end_of_its_period(
    seat: PlayerSession, settings: Any, period: str, ends: datetime
) -> None:
    settings.LIMIT_PROFILE = "period"
    limit(seat, "loss", period, OLD)
    change(seat, "loss", period, "set", OLD + 1)
    shown = standing(seat, "loss", period)
    assert shown is not None
    assert (shown.amount, shown.pending_amount, shown.pending_at) == (OLD, OLD + 1, ends)
    assert shown.needs_confirmation


def test_lower__takes_back_a_raise_that_waits(seat: PlayerSession, clock: Clock) -> None:
    limit(seat, "spend", "day", OLD)
    change(seat, "spend", "day", "set", 80_00)
    assert change(seat, "spend", "day", "set", 20_00) == "set"
    clock.stand(NOON + timedelta(days=9))
    assert largest(seat) == 20_00


def test_raise__anew_begins_its_delay_anew(seat: PlayerSession, clock: Clock) -> None:
    limit(seat, "spend", "day", OLD)
    change(seat, "spend", "day", "set", 80_01)
    clock.stand(NOON + timedelta(hours=23))
    change(seat, "spend", "day", "set", 80_00)
    clock.stand(NOON + timedelta(hours=24))
    assert largest(seat) == OLD
    clock.stand(NOON + timedelta(hours=47))
    assert largest(open_session(make_party(), seat.player)) == 80_00


def test_raise__that_counts_is_lowered_from_there(seat: PlayerSession, clock: Clock) -> None:
    limit(seat, "spend", "day", OLD)
    change(seat, "spend", "day", "set", 80_00)
    clock.stand(NOON + timedelta(hours=25))
    assert change(seat, "spend", "day", "set", 80_00) == "unchanged"
    assert change(seat, "spend", "day", "set", 50_01) == "set"
    assert largest(seat) == 50_01


def test_cancel__keeps_the_limit(seat: PlayerSession, clock: Clock) -> None:
    limit(seat, "spend", "day", OLD)
    change(seat, "spend", "day", "remove")
    assert change(seat, "spend", "day", "cancel") == "cancelled"
    assert change(seat, "spend", "day", "cancel") == "unchanged"
    clock.stand(NOON + timedelta(days=9))
    assert largest(seat) == OLD


def test_removed__is_no_limit_until_it_is_set_again(seat: PlayerSession, clock: Clock) -> None:
    limit(seat, "spend", "day", OLD)
    change(seat, "spend", "day", "remove")
    clock.stand(NOON + timedelta(hours=24))
    assert standing(seat, "spend", "day") is None
    assert largest(seat) == 80_01
    with pytest.raises(LimitRefused, match="not_found"):
        change(seat, "spend", "day", "remove")
    assert change(seat, "spend", "day", "set", 5000_00) == "set"


@pytest.mark.parametrize("act", ["remove", "confirm", "cancel"])
def test_no_limit__cannot_be_changed(seat: PlayerSession, act: str) -> None:
    with pytest.raises(LimitRefused, match="not_found"):
        change(seat, "spend", "day", act)
    assert not PlayerLimit.objects.filter(player=seat.player).exists()


def test_change__is_written_down(seat: PlayerSession, clock: Clock) -> None:
    steps = [("set", 100_00), ("set", 200_00), ("cancel", None), ("set", 50_00), ("set", 50_00)]
    for number, (act, amount) in enumerate(steps):
        clock.stand(NOON + timedelta(minutes=number))
        change(seat, "spend", "day", act, amount)
    rows = LimitChange.objects.filter(player=seat.player).order_by("at")
    minutes = [NOON + timedelta(minutes=number) for number in range(4)]
    assert list(rows.values_list("what", "old_amount", "new_amount", "counts_at", "at")) == [
        ("set", None, 100_00, minutes[0], minutes[0]),
        ("requested", 100_00, 200_00, minutes[1] + timedelta(hours=24), minutes[1]),
        ("cancelled", 200_00, 100_00, None, minutes[2]),
        ("set", 100_00, 50_00, minutes[3], minutes[3]),
    ]


def test_operators_single__is_the_wallets_own_bound(seat: PlayerSession) -> None:
    assert change(seat, "single", "", "set", 30_00, set_by="operator") == "set"
    assert change(seat, "single", "", "set", 30_00, set_by="operator") == "unchanged"
    assert seat.wallet().withdrawal_limit == 30_00
    shown = standing(seat, "single", "", "operator")
    assert shown is not None
    assert (shown.amount, shown.used) == (30_00, None)
    assert seat.call("withdraw", "w-1", "30.01").error == 111
    assert change(seat, "single", "", "cancel", set_by="operator") == "unchanged"
    assert change(seat, "single", "", "remove", set_by="operator", is_approved=True) == "removed"
    with pytest.raises(LimitRefused, match="not_found"):
        change(seat, "single", "", "remove", set_by="operator")


@pytest.mark.parametrize(("act", "amount"), [("set", OLD + 1), ("remove", None)])
@pytest.mark.parametrize(
    ("kind", "period"), [("spend", "day"), ("balance", ""), ("time", "day"), ("single", "")]
)
def test_operators_limit__one_person_alone_cannot_loosen(
    seat: PlayerSession, kind: str, period: str, act: str, amount: int | None
) -> None:
    limit(seat, kind, period, OLD, set_by="operator")
    changes = LimitChange.objects.filter(player=seat.player)
    before = (changes.count(), seat.holding().entries)
    with pytest.raises(LimitRefused, match="takes_two"):
        change(seat, kind, period, act, amount, set_by="operator")
    shown = standing(seat, kind, period, "operator")
    assert shown is not None
    assert shown.amount == OLD
    assert (changes.count(), seat.holding().entries) == before
    assert change(seat, kind, period, "set", OLD - 1, set_by="operator") == "set"
    change(seat, kind, period, act, amount, set_by="operator", is_approved=True)
    assert (after := standing(seat, kind, period, "operator")) is None or after.amount == amount
