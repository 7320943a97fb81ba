"""`/entry/limits`: a player's limits, as the web front reads and changes them (contract 3)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Clock
from tests.support.callers import Answer, Callers, PlayerSession, make_party, open_session
from wallet.models import LimitChange, PlayerLimit

NOON = datetime(2027, 3, 17, 12, 0, tzinfo=UTC)


@pytest.fixture
def seat(callers: Callers, clock: Clock) -> PlayerSession:
    clock.stand(NOON)
    session = open_session(make_party(), callers.player())
    session.adjust("credit", 1000_00)
    return session


def xag(amount: str) -> dict[str, Any]:
    return {"amount": Decimal(amount), "currencyCode": "XAG"}


def ask(callers: Callers, seat: PlayerSession, **fields: Any) -> Answer:
    return callers.front.post(
        "/entry/limits", {"uid": seat.player.uid, "currencyCode": seat.currency} | fields
    )


def limits(callers: Callers, seat: PlayerSession, **fields: Any) -> list[dict[str, Any]]:
    answer = ask(callers, seat, **fields)
    assert (answer.status, answer.error) == (200, None), answer.raw
    found: list[dict[str, Any]] = answer.body["limits"]
    return found


def test_limit__is_set_used_raised_and_cancelled(callers: Callers, seat: PlayerSession) -> None:
    assert limits(callers, seat) == []
    set_ = {"kind": "spend", "window": "day", "amount": xag("100.00")}
    shown = {
        "kind": "spend",
        "window": "day",
        "game": None,
        "setBy": "player",
        "amount": xag("100.00"),
        "minutes": None,
        "used": xag("0.00"),
        "usedMinutes": None,
        "pending": None,
    }
    assert limits(callers, seat, set=set_) == [shown]
    seat.call("withdraw", "w-1", "40.00")
    waits = {
        "amount": xag("230.50"),
        "minutes": None,
        "countsAt": "2027-03-18T12:00:00.000Z",
        "needsConfirmation": False,
    }
    raised = set_ | {"amount": xag("230.50")}
    assert limits(callers, seat, set=raised) == [shown | {"used": xag("40.00"), "pending": waits}]
    named = {"kind": "spend", "window": "day"}
    assert limits(callers, seat, cancel=named) == [shown | {"used": xag("40.00")}]
    gone = waits | {"amount": None}
    assert limits(callers, seat, remove=named) == [shown | {"used": xag("40.00"), "pending": gone}]
    actors = set(LimitChange.objects.filter(player=seat.player).values_list("actor", "reason"))
    assert {reason for _, reason in actors} == {"Asked for by the player."}


def test_raise__is_confirmed_after_its_period(
    callers: Callers, seat: PlayerSession, clock: Clock, settings: Any
) -> None:
    settings.LIMIT_PROFILE = "period"
    named = {"kind": "loss", "window": "week"}
    limits(callers, seat, set=named | {"amount": xag("10.00")})
    (shown,) = limits(callers, seat, set=named | {"amount": xag("20.00")})
    assert shown["pending"] == {
        "amount": xag("20.00"),
        "minutes": None,
        "countsAt": "2027-03-22T00:00:00.000Z",
        "needsConfirmation": True,
    }
    early = ask(callers, seat, confirm=named)
    assert (early.error, "countsAt" in early.body["errorDescription"]) == (101, True)
    clock.stand(datetime(2027, 3, 22, tzinfo=UTC))
    (shown,) = limits(callers, seat)
    assert (shown["amount"], shown["pending"]["needsConfirmation"]) == (xag("10.00"), True)
    for _ in range(2):
        (shown,) = limits(callers, seat, confirm=named)
        assert (shown["amount"], shown["pending"]) == (xag("20.00"), None)


def test_time__is_in_minutes(callers: Callers, seat: PlayerSession, clock: Clock) -> None:
    (shown,) = limits(callers, seat, set={"kind": "time", "minutes": 90})
    assert (shown["window"], shown["minutes"], shown["usedMinutes"]) == ("day", 90, 0)
    assert (shown["amount"], shown["used"]) == (None, None)
    clock.stand(NOON + timedelta(minutes=7, seconds=59))
    (shown,) = limits(callers, seat)
    assert shown["usedMinutes"] == 7


def test_game__is_named_and_the_operators_limit_shown(callers: Callers, seat: PlayerSession) -> None:
    set_ = {"kind": "single", "game": seat.game.slug, "amount": xag("5.00")}
    (shown,) = limits(callers, seat, set=set_)
    assert (shown["game"], shown["window"], shown["used"]) == (seat.game.slug, None, None)
    assert seat.call("withdraw", "w-1", "5.01").error == 111


@pytest.mark.parametrize(
    "fields",
    [
        {"set": {"kind": "spend", "window": "day"}},
        {"set": {"kind": "spend", "amount": xag("1.00")}},
        {"set": {"kind": "spend", "window": "year", "amount": xag("1.00")}},
        {"set": {"kind": "spend", "window": "day", "amount": xag("0.00")}},
        {"set": {"kind": "spend", "window": "day", "amount": xag("0.001")}},
        {"set": {"kind": "spend", "window": "day", "amount": {"amount": "1.00", "currencyCode": "XAG"}}},
        {"set": {"kind": "spend", "window": "day", "amount": {"amount": 1, "currencyCode": "EUR"}}},
        {"set": {"kind": "spend", "window": "day", "minutes": 5}},
        {"set": {"kind": "spend", "window": "day", "amount": xag("1.00"), "game": "no-such-game"}},
        {"set": {"kind": "single", "window": "day", "amount": xag("1.00")}},
        {"set": {"kind": "balance", "game": "x", "amount": xag("1.00")}},
        {"set": {"kind": "time", "amount": xag("1.00")}},
        {"set": {"kind": "time", "minutes": 0}},
        {"set": {"kind": "time", "minutes": 1441}},
        {"set": {"kind": "time", "minutes": 1.5}},
        {"set": {"kind": "time", "window": "week", "minutes": 5}},
        {"set": {"kind": "turnover", "window": "day", "amount": xag("1.00")}},
        {"set": []},
        {"remove": {"kind": "spend", "window": "day"}},
        {"confirm": {"kind": "spend", "window": "day"}},
        {"cancel": {"kind": "spend", "window": "day"}},
        {
            "set": {"kind": "time", "minutes": 5},
            "remove": {"kind": "spend", "window": "day"},
        },
        {"currencyCode": "XXX"},
        {"uid": "nobody-of-that-name"},
    ],
)
def test_request__that_makes_no_sense_is_101(
    callers: Callers, seat: PlayerSession, fields: dict[str, Any]
) -> None:
    answer = ask(callers, seat, **fields)
    assert (answer.status, answer.error) == (200, 101), answer.raw
    assert not PlayerLimit.objects.filter(player=seat.player).exists()


def test_limits__are_no_games_business(seat: PlayerSession) -> None:
    answer = seat.caller.post("/entry/limits", {"uid": seat.player.uid, "currencyCode": "XAG"})
    assert answer.status == 401
