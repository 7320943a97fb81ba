"""Everything that can happen to a player's money can be told in the lobby."""

from dataclasses import astuple
from itertools import product

import pytest

from demo.lobby.money import FROM_GAMES, OF_PROVIDERS, money_of
from demo.lobby.words import OPENED, ORDERS, POSTED, Tone
from payments.models import Order
from tests.support.callers import PlayerSession, unique
from wallet.models import Transaction

BASE = "http://127.0.0.1/"
MINUS = "\N{MINUS SIGN}"


def test_words__are_there_for_every_type_and_state() -> None:
    assert set(OPENED) == set(product(FROM_GAMES, Transaction.State))
    assert set(POSTED) == set(Transaction.Type) - set(FROM_GAMES) - set(OF_PROVIDERS)
    assert set(ORDERS) == set(Order.State)


def latest(session: PlayerSession) -> tuple[str, str, str, Tone]:
    """What the lobby says of the newest transaction."""
    line = money_of(session.player, BASE).lines[0]
    return line.text, line.note, line.amount, line.tone


@pytest.mark.parametrize(
    ("endpoints", "line"),
    [
        (
            ("withdraw",),
            (
                "Reserved for A game",
                "The game has not said yet whether it delivered.",
                f"{MINUS}30.00 XAG",
                Tone.WAITS,
            ),
        ),
        (("withdraw", "confirmWithdrawal"), ("Paid to A game", "", f"{MINUS}30.00 XAG", Tone.OUT)),
        (("withdraw", "rollbackWithdrawal"), ("Given back by A game", "", "30.00 XAG", Tone.NOTHING)),
        (("rollbackWithdrawal",), ("Called off by A game before it came", "", "", Tone.NOTHING)),
        (("deposit", "confirmDeposit"), ("Won at A game", "", "+30.00 XAG", Tone.IN)),
        (("deposit", "rollbackDeposit"), ("Win called off by A game", "", "30.00 XAG", Tone.NOTHING)),
    ],
)
def test_line__says_what_the_game_did(
    player_session: PlayerSession, endpoints: tuple[str, ...], line: tuple[str, str, str, Tone]
) -> None:
    mm = unique("mm")
    for endpoint in endpoints:
        amount = "30.00" if endpoint in ("withdraw", "deposit") else None
        player_session.done(endpoint, mm, amount)
    assert latest(player_session) == line


def test_line__says_why_it_was_refused(player_session: PlayerSession) -> None:
    assert player_session.call("withdraw", unique("mm"), "100.01").error == 104
    assert latest(player_session) == (
        "Refused to A game",
        "There was not enough money.",
        "100.01 XAG",
        Tone.REFUSED,
    )


def test_line__says_that_the_platform_settled_it(player_session: PlayerSession) -> None:
    mm = player_session.opened("withdraw", "30.00")
    player_session.resolve(mm, "confirmed")
    assert latest(player_session)[:2] == ("Paid to A game", "Settled by the platform. test")


def test_holding__names_what_waits(player_session: PlayerSession) -> None:
    player_session.opened("withdraw", "30.00")
    player_session.opened("deposit", "5.00")
    money = money_of(player_session.player, BASE)
    assert [astuple(holding) for holding in money.holdings] == [
        ("70.00 XAG", [("reserved", "30.00 XAG"), ("announced", "5.00 XAG")], False)
    ]
    assert (money.pending, len(money.lines)) == (2, 3)
