"""Money made by hand: told above an amount at once, and above another one on a day."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings

from lib.ids import new_id
from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession
from wallet.alerts import resolve_alert
from wallet.job_runs import Run, recorded
from wallet.models import Alert
from wallet.operations import resolve_transaction
from wallet.watch.money_by_hand import watch_money_by_hand
from wallet.watch.worker import read_up_to, watch

# Each test lives on a day of its own.
DAYS = itertools.count(1)


@pytest.fixture
def noon(clock: Clock) -> datetime:
    moment = datetime(2031, 5, 7, 12, 0, tzinfo=UTC) + timedelta(days=next(DAYS))
    clock.stand(moment)
    return moment


@pytest.fixture
def yen(callers: Callers, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> PlayerSession:
    monkeypatch.setattr(settings, "ALERT_AMOUNT", {"": Decimal(1), "JPY": Decimal(1000)})
    monkeypatch.setattr(settings, "ALERT_AMOUNT_PER_DAY", {"": Decimal("2500")})
    return callers.player_session(0, "JPY")


def told(yen: PlayerSession) -> list[str]:
    """What alerts say of the player's transactions, the oldest first."""
    return list(
        Alert.objects.filter(kind="money_by_hand", wallet=yen.wallet())
        .order_by("pk")
        .values_list("text", flat=True)
    )


def day(noon: datetime) -> Alert | None:
    return Alert.objects.filter(kind="money_by_hand", subject=f"JPY {noon:%Y-%m-%d}").first()


def test_money__is_told_above_an_amount(yen: PlayerSession, noon: datetime) -> None:
    yen.adjust("credit", 1000)
    yen.adjust("debit", 900)
    assert watch_money_by_hand(noon, noon) == 0
    yen.adjust("credit", 1001)
    assert watch_money_by_hand(noon, noon) == 1
    assert told(yen) == [f"operator:test credited 1,001 JPY to {yen.player.uid}. Reason: test"]
    # Dealt with is dealt with, however often it is read.
    resolve_alert(Alert.objects.get(wallet=yen.wallet()), actor="operator:mia", reason="r")
    assert watch_money_by_hand(noon, noon) == 0
    assert day(noon) is None


def test_money__confirmed_by_hand_counts_and_by_the_game_not(yen: PlayerSession, noon: datetime) -> None:
    for mm, source, actor in (("d-1", "operator", "operator:mia"), ("d-2", "sweep", "sweep")):
        yen.done("deposit", mm, "1200")
        row = yen.transaction(mm, "deposit")
        resolve_transaction(row.pk, event="confirmed", source=source, actor=actor, reason="the game said so")
    yen.done("deposit", "d-3", "9000")
    yen.done("confirmDeposit", "d-3")
    assert watch_money_by_hand(noon, noon) == 1
    [text] = told(yen)
    assert text.startswith("operator:mia confirmed a deposit of 1,200 JPY to")


def test_money__that_is_owed_no_more_counts(yen: PlayerSession, noon: datetime) -> None:
    yen.adjust("debit", 3000, into_debt=True)
    yen.adjust("write_off", 1000)
    assert watch_money_by_hand(noon, noon) == 0
    yen.adjust("write_off", 1600)
    assert watch_money_by_hand(noon, noon) == 2
    assert told(yen) == [
        f"operator:test wrote off 1,600 JPY of the debt of {yen.player.uid}. Reason: test",
    ]
    found = day(noon)
    assert found is not None
    assert "made 2,600 JPY" in found.text


def test_money__in_parts_is_told_above_a_days_amount(yen: PlayerSession, noon: datetime) -> None:
    for _ in range(5):
        yen.adjust("credit", 500)
    assert watch_money_by_hand(noon, noon) == 0
    yen.adjust("credit", 1)
    assert watch_money_by_hand(noon, noon) == 1
    found = day(noon)
    assert found is not None
    assert found.text == "On this day operators made 2,501 JPY: more than 2,500 JPY."
    yen.adjust("credit", 900)
    assert watch_money_by_hand(noon, noon) == 0


def test_watch__goes_on_where_the_last_run_had_read(yen: PlayerSession, noon: datetime, clock: Clock) -> None:
    with recorded("watch") as run:
        watch(run)
    assert read_up_to() == noon
    clock.stand(noon + timedelta(hours=3))
    yen.adjust("credit", 2000, id=new_id())
    run = Run("watch")
    watch(run)
    assert run.done >= 1
    assert len(told(yen)) == 1
