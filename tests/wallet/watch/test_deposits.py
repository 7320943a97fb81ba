"""A game's deposits of an hour, beside its usual hour."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings

from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from wallet.models import Alert, DepositSpan
from wallet.watch.deposits import span_of, watch_deposits

# Hours that no other test lives in.
NOON = datetime(2033, 5, 7, 12, 0, tzinfo=UTC)


@pytest.fixture
def seat(callers: Callers, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> PlayerSession:
    """A player of a game whose usual hour is 100.00 XAG, for 23 hours as yet."""
    clock.stand(NOON)
    monkeypatch.setattr(settings, "ALERT_AMOUNT", {"": Decimal(20)})
    made = open_session(make_party(), callers.player())
    usual(made, 23)
    return made


def usual(seat: PlayerSession, hours: int) -> None:
    """The hours before had 50.00 XAG each in two spans."""
    for hour in range(1, hours + 1):
        for minutes in (0, 30):
            began = NOON - timedelta(hours=hour + 1) + timedelta(minutes=minutes)
            DepositSpan.objects.get_or_create(
                game=seat.game, currency_id="XAG", began_at=began, defaults={"amount": 50_00}
            )


def paid(seat: PlayerSession, mm: str, amount: str) -> None:
    seat.done("deposit", mm, amount)
    seat.done("confirmDeposit", mm)


def alerts(seat: PlayerSession) -> list[Alert]:
    return list(Alert.objects.filter(kind="deposits_unusual", subject=f"{seat.game.slug} XAG"))


def look(at: datetime = NOON) -> int:
    return watch_deposits(at - timedelta(minutes=2), at + timedelta(seconds=1))


def test_deposits__five_times_the_usual_are_told_once_enough_hours_are_known(seat: PlayerSession) -> None:
    paid(seat, "d-1", "500.00")
    look()
    assert alerts(seat) == []
    paid(seat, "d-2", "0.01")
    look()
    assert alerts(seat) == []
    usual(seat, 24)
    look()
    [alert] = alerts(seat)
    assert alert.text == (
        f"{seat.game.slug} confirmed deposits of 500.01 XAG within an hour. "
        "Usual are 100.00 XAG: the average of 24 hours with deposits."
    )
    # Read again, nothing is counted twice.
    look()
    assert DepositSpan.objects.get(game=seat.game, began_at=NOON).amount == 500_01


def test_deposits__as_usual_are_not_told(seat: PlayerSession) -> None:
    usual(seat, 24)
    paid(seat, "d-1", "500.00")
    seat.done("deposit", "d-2", "900.00")
    look()
    assert alerts(seat) == []


def test_deposits__of_less_than_an_amount_are_not_told(
    seat: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual(seat, 24)
    monkeypatch.setattr(settings, "ALERT_AMOUNT", {"": Decimal(1000), "XAG": Decimal("500.01")})
    paid(seat, "d-1", "500.01")
    look()
    assert alerts(seat) == []
    paid(seat, "d-2", "0.01")
    look()
    assert len(alerts(seat)) == 1


def test_deposits__end_the_alert_when_an_hour_is_as_usual(seat: PlayerSession, clock: Clock) -> None:
    usual(seat, 24)
    paid(seat, "d-1", "600.00")
    look()
    later = NOON + timedelta(minutes=66)
    clock.stand(later)
    paid(seat, "d-2", "1.00")
    look(later)
    [alert] = alerts(seat)
    assert alert.resolved_by == "platform"


def test_spans__are_five_minutes_and_old_ones_go(seat: PlayerSession) -> None:
    assert span_of(NOON + timedelta(minutes=4, seconds=59)) == NOON
    assert span_of(NOON + timedelta(minutes=5)) == NOON + timedelta(minutes=5)
    DepositSpan.objects.create(
        game=seat.game, currency_id="XAG", began_at=NOON - timedelta(days=15), amount=1
    )
    look()
    assert not DepositSpan.objects.filter(began_at__lt=NOON - timedelta(days=14, hours=1)).exists()
