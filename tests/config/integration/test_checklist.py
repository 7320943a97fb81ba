"""Each line of a game's checklist ticks itself from what was seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.integration.checklist import Check, Facts, Seen, State, accepted_deliveries, checks
from config.integration.errors import ErrorLine
from payments.models import DeliveryAttempt, Shop
from players.models import Credential, Game
from tests.support.callers import make_party
from tests.support.deliveries import delivery_of
from tests.support.shop import ShopSetup

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECURE = "https://game.example/"


def facts(**known: Any) -> Facts:
    """A game that is set up and has done nothing yet."""
    given: dict[str, Any] = {
        "at": AT,
        "game": Game(slug="game", launch_url=SECURE, query_url=SECURE),
        "shop": Shop(order_url=SECURE),
        "credentials": [Credential(username="one", created_at=AT)],
        "steps": {},
        "successes": {},
        "errors": [],
        "answered_at": None,
        "deliveries": (None, None),
    }
    return Facts(**(given | known))


def error(code: int, ago: timedelta) -> ErrorLine:
    return ErrorLine("withdraw", code, 1, 1, AT - 2 * ago, AT - ago)


def line(known: Facts, words: str) -> Check:
    """The one line whose sentence holds some words."""
    [found] = [check for check in checks(known) if words in check.words]
    return found


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("verifySession", {"successes": {"verifySession": AT}}),
        ("getBalance", {"successes": {"getBalance": AT}}),
        ("withdrawal was opened and confirmed", {"steps": {Seen.WITHDRAWAL_CONFIRMED: (AT, AT)}}),
        ("withdrawal was rolled back", {"steps": {Seen.WITHDRAWAL_ROLLED_BACK: (AT, AT)}}),
        ("deposit was confirmed", {"steps": {Seen.DEPOSIT_CONFIRMED: (AT, AT)}}),
        ("deposit was rolled back", {"steps": {Seen.DEPOSIT_ROLLED_BACK: (AT, AT)}}),
        ("opening was repeated", {"steps": {Seen.OPENING_REPEATED: (AT, AT)}}),
        ("confirmation or rollback was repeated", {"steps": {Seen.SETTLEMENT_REPEATED: (AT, AT)}}),
        ("an id that the platform did not know", {"steps": {Seen.TOMBSTONE: (AT, AT)}}),
        ("queryTransaction", {"steps": {Seen.QUERIED: (AT, AT)}}),
        ("refused for money", {"steps": {Seen.DECLINED: (AT, AT)}}),
        ("answered a query", {"answered_at": AT}),
        ("delivery of a paid order", {"deliveries": (AT, None)}),
        ("same delivery was accepted", {"deliveries": (None, AT)}),
        ("second credential", {"credentials": [Credential(), Credential(created_at=AT)]}),
        ("wrong password", {"errors": [replace(error(401, HOUR), first_seen_at=AT)]}),
    ],
)
def test_line__is_done_since_it_was_first_seen(words: str, known: dict[str, Any]) -> None:
    before, after = line(facts(), words), line(facts(**known), words)
    assert (before.state, before.first_seen_at) == (State.OPEN, None)
    assert before.remedy
    assert (after.state, after.first_seen_at) == (State.DONE, AT)


def test_confirmation__of_what_was_refused_for_money_is_shown() -> None:
    found = line(
        facts(steps={Seen.DECLINED: (AT, AT), Seen.DECLINED_CONFIRMED: (AT, AT + HOUR)}), "refused for money"
    )
    assert (found.state, "2026-03-02 13:00 UTC" in found.remedy) == (State.LOOK, True)


@pytest.mark.parametrize("code", [101, 109])
def test_errors__must_not_be_recent(code: int) -> None:
    words = f"({code})"
    assert line(facts(), words).state is State.OPEN
    assert line(facts(successes={"getBalance": AT}), words).state is State.DONE
    assert line(facts(errors=[error(code, 25 * HOUR)]), words).state is State.DONE
    recent = line(facts(errors=[error(code, 23 * HOUR)]), words)
    assert (recent.state, f"withdraw {code}" in recent.remedy) == (State.LOOK, True)


def test_allow_list__is_wanted_of_every_live_credential(settings: Any) -> None:
    bounded, open = Credential(allowed_networks=["192.0.2.1"]), Credential()
    gone = Credential(revoked_at=AT)
    assert line(facts(credentials=[bounded, gone]), "allow-list").state is State.DONE
    assert line(facts(credentials=[bounded, open]), "allow-list").state is State.OPEN
    assert line(facts(credentials=[gone]), "allow-list").state is State.OPEN
    settings.API_ALLOWED_NETWORKS = ["192.0.2.0/24"]
    assert line(facts(credentials=[open]), "allow-list").state is State.DONE


def test_deliveries__are_not_asked_of_a_game_that_sells_nothing() -> None:
    for shop in (None, Shop(order_url="")):
        states = [check.state for check in checks(facts(shop=shop)) if "delivery" in check.words]
        assert states == [State.NEEDLESS, State.NEEDLESS]


def test_urls__are_https() -> None:
    assert line(facts(), "HTTPS").state is State.DONE
    plain = Game(slug="game", launch_url="http://game.example/", query_url="")
    found = line(facts(game=plain), "HTTPS")
    assert (found.state, found.remedy) == (State.OPEN, "Change to https: launch.")


def test_query__needs_a_url() -> None:
    found = line(facts(game=Game(launch_url=SECURE), answered_at=AT), "answered a query")
    assert (found.state, "Enter the game's query URL" in found.remedy) == (State.OPEN, True)


def test_lines__that_went_wrong_come_first() -> None:
    known = facts(errors=[error(101, HOUR)], successes={"getBalance": AT}, shop=None)
    states = [check.state for check in checks(known)]
    assert list(dict.fromkeys(states)) == [State.LOOK, State.OPEN, State.DONE, State.NEEDLESS]


def test_deliveries__are_found_when_they_are_accepted(shop_setup: ShopSetup) -> None:
    game, delivery = shop_setup.game, delivery_of(shop_setup.paid(product="sword"))
    tries = [(AT, 500), (AT + HOUR, 204), (AT + 2 * HOUR, None), (AT + 3 * HOUR, 200), (AT + 4 * HOUR, 200)]
    for began_at, status in tries[:2]:
        DeliveryAttempt.objects.create(delivery=delivery, url=SECURE, began_at=began_at, status=status)
    assert accepted_deliveries(game) == (AT + HOUR, None)
    for began_at, status in tries[2:]:
        DeliveryAttempt.objects.create(delivery=delivery, url=SECURE, began_at=began_at, status=status)
    assert accepted_deliveries(game) == (AT + HOUR, AT + 3 * HOUR)
    assert accepted_deliveries(make_party().game) == (None, None)
