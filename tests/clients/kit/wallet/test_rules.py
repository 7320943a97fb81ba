"""Each rule turns the verdict of a wrong game, and names what it did."""

import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from tests.support.scripted_wallet import Game

PRICE = Decimal("15.00")
Begin = Callable[..., Game]


def buys(game: Game, id: str = "a") -> None:
    game.call("withdraw", id, PRICE)
    game.call("confirmWithdrawal", id)


def uses_a_new_id(game: Game) -> None:
    game.call("withdraw", "a", PRICE)
    game.call("withdraw", "b", PRICE)
    buys(game, "b")
    game.call("rollbackWithdrawal", "a")


def changes_the_amount(game: Game) -> None:
    game.call("withdraw", "a", PRICE)
    game.call("withdraw", "a", Decimal("16.00"))
    game.call("rollbackWithdrawal", "a")


def confirms_blindly(game: Game) -> None:
    game.call("withdraw", "a", PRICE)
    game.call("confirmWithdrawal", "a")


def ends_it_twice(game: Game) -> None:
    buys(game)
    game.call("rollbackWithdrawal", "a")


def insists(game: Game) -> None:
    game.call("withdraw", "a", PRICE)
    game.call("withdraw", "a", PRICE)


def forgets_to_end(game: Game) -> None:
    game.call("withdraw", "a", PRICE)


def sends_a_text(game: Game) -> None:
    game.call("withdraw", "a", "15.00")
    game.call("rollbackWithdrawal", "a")


def has_a_wrong_password(game: Game) -> None:
    game.login = "game:wrong"
    buys(game)


def gives_unpaid(game: Game) -> None:
    game.wallet.tell_goods("a")
    buys(game)


def gives_twice(game: Game) -> None:
    buys(game)
    game.wallet.tell_goods("a")
    game.wallet.tell_goods("a")


def keeps_what_is_not_paid(game: Game) -> None:
    game.call("withdraw", "a", PRICE)
    game.wallet.tell_goods("a")
    game.call("confirmWithdrawal", "a")


def orders_anew(game: Game) -> None:
    game.order("one")
    game.order("two")


REQUESTS, SAME, ID = (
    "Requests are what the contract asks for",
    "A repetition says the same",
    "A repetition keeps its id",
)
OPEN, ONCE, FINAL = (
    "Nothing is confirmed before it is open",
    "What was confirmed is not rolled back, nor the other way round",
    "A refusal is final",
)
END, GOODS = "Transactions come to their end", "Goods follow the money"
WRONG = [
    ("withdrawal-fails-after", uses_a_new_id, {ID}),
    ("withdrawal-answer-lost", changes_the_amount, {REQUESTS, SAME}),
    ("withdrawal-answer-lost", confirms_blindly, {OPEN}),
    ("purchase", ends_it_twice, {REQUESTS, ONCE}),
    ("not-enough-money", insists, {FINAL}),
    ("purchase", forgets_to_end, {END}),
    ("change-of-mind", sends_a_text, {REQUESTS}),
    ("purchase", has_a_wrong_password, {REQUESTS, OPEN, END}),
    ("purchase", gives_unpaid, {GOODS}),
    ("purchase", gives_twice, {GOODS}),
    ("expired-meanwhile", keeps_what_is_not_paid, {GOODS}),
    ("order-answer-lost", orders_anew, {ID}),
]


@pytest.mark.parametrize(("scenario", "play", "broken"), WRONG, ids=[play.__name__ for _, play, _ in WRONG])
def test_rules__find_a_wrong_game(
    begin: Begin, scenario: str, play: Callable[[Game], None], broken: set[str]
) -> None:
    game = begin(scenario)
    play(game)
    assert game.broken() == broken
    assert game.wallet.verdict()["status"] == "failed"


def test_rules__repetition_before_it_is_due(begin: Begin) -> None:
    game = begin("confirmation-answer-lost", scale=1.0)
    game.call("withdraw", "a", PRICE)
    for _ in range(3):
        game.call("confirmWithdrawal", "a")
    problems = [one for one in game.wallet.verdict()["problems"] if "schedule" in one]
    assert len(problems) == 1
    assert "request 3) came 0.0" in problems[0]
    assert "was due after 5.000 s" in problems[0]


def test_rules__repetition_after_it_was_due(begin: Begin) -> None:
    game = begin("confirmation-answer-lost", slack=0.0)
    game.call("withdraw", "a", PRICE)
    game.call("confirmWithdrawal", "a")
    time.sleep(0.05)
    game.call("confirmWithdrawal", "a")
    assert "Repetitions keep the schedule" in game.broken()


def test_rules__retry_after_counts(begin: Begin) -> None:
    game = begin("busy", scale=1.0)
    game.call("withdraw", "a", PRICE)
    game.call("confirmWithdrawal", "a")
    game.call("confirmWithdrawal", "a")
    assert "was due after 7.000 s" in game.wallet.verdict()["problems"][0]


def test_rules__verdict_is_unfinished_until_all_was_seen(begin: Begin) -> None:
    game = begin("purchase")
    assert game.wallet.verdict()["status"] == "unfinished"
    buys(game)
    assert game.wallet.verdict()["status"] == "passed"
