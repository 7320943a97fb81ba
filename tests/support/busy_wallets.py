"""Wallets to which everything has happened that can happen to one."""

import uuid
from dataclasses import dataclass

from lib.ids import new_id
from players.models import Player
from tests.support.callers import House, Seat, sit, unique
from wallet import ledger
from wallet.models import Wallet
from wallet.operations import freeze_wallet, limit_withdrawals, resolve_transaction, unfreeze_wallet

# What a story must have of each kind, so that a test over all rows is a test over all kinds.
EVENTS = frozenset(
    {
        "wallet_opened",
        "opened",
        "declined",
        "tombstone",
        "rollback_noted",
        "confirmed",
        "rolled_back",
        "expired",
        "adjusted",
        "debt_repaid",
    }
    | {"posted"}
    | {"frozen", "unfrozen", "limit_set"}
)


@dataclass(frozen=True)
class Story:
    """A player with two wallets, of whom the first has everything, and another player."""

    seat: Seat
    second: Seat
    other: Seat

    @property
    def player(self) -> Player:
        return self.seat.player

    @property
    def wallet(self) -> Wallet:
        return self.seat.wallet()


def tell_story(house: House) -> Story:
    seat = house.seat(500_00)
    second = sit(house.game, seat.player, "EUR")
    other = house.seat(300_00)
    game_settles(seat)
    platform_settles(seat)
    provider_acts(seat)
    operators_act(seat)
    for one in (second, other):
        one.adjust("credit", 200_00)
        one.done("confirmWithdrawal", one.opened("withdraw", "10.00"))
        one.opened("withdraw", "3.00")
    return Story(seat, second, other)


def game_settles(seat: Seat) -> None:
    seat.done("confirmWithdrawal", seat.opened("withdraw", "10.00"))
    seat.done("rollbackWithdrawal", seat.opened("withdraw", "20.00"), rollbackReason="changed mind")
    seat.done("rollbackWithdrawal", unique("tombstone"), rollbackReason="overtook")
    seat.done("rollbackDeposit", unique("tombstone"))
    declined = unique("declined")
    seat.call("withdraw", declined, "9999.00")
    seat.done("rollbackWithdrawal", declined, rollbackReason="was refused")
    seat.call("withdraw", unique("declined"), "9999.00")
    seat.done("confirmDeposit", seat.opened("deposit", "6.00"))
    seat.done("rollbackDeposit", seat.opened("deposit", "8.00"))
    seat.done("withdraw", unique("pending"), "30.00", txDescription="a pack")
    seat.opened("deposit", "40.00")


def platform_settles(seat: Seat) -> None:
    """As the sweep does, and as operators do."""
    for source in ("sweep", "operator"):
        seat.resolve(seat.opened("withdraw", "5.00"), "confirmed", source=source)
        seat.resolve(seat.opened("withdraw", "5.00"), "rolled_back", source=source)
        seat.resolve(seat.opened("deposit", "4.00"), "confirmed", "deposit", source=source)
        seat.resolve(seat.opened("deposit", "4.00"), "rolled_back", "deposit", source=source)
    seat.resolve(seat.opened("withdraw", "5.00"), "expired")
    seat.resolve(seat.opened("deposit", "5.00"), "expired", "deposit")


def operators_act(seat: Seat) -> None:
    seat.adjust("debit", 1_00)
    seat.adjust("debit", 600_00, into_debt=True)
    seat.done("confirmDeposit", seat.opened("deposit", "7.00"))
    seat.adjust("credit", 200_00)
    limit_withdrawals(seat.wallet(), most=100_00, actor="test", reason="careful")
    seat.call("withdraw", unique("over-limit"), "101.00")
    freeze_wallet(seat.wallet(), actor="test", reason="suspicion")
    unfreeze_wallet(seat.wallet(), actor="test", reason="cleared")
    freeze_wallet(seat.wallet(), actor="test", reason="again")


def provider_acts(seat: Seat) -> None:
    """Payments in the wallet's own currency, and all that can follow from them.

    And credit that is set aside in each way.
    """
    paid = post(seat, ("payment", 10_00), ("top_up", 50_00))
    post(seat, ("payment_return", 4_00, paid[0]), ("clawback", 20_00, paid[1]))
    post(seat, ("sale_return", 3_00, post(seat, ("sale", 3_00))[0]))
    set_aside(seat, 5_00, "confirmed", paid[1])
    set_aside(seat, 6_00, "rolled_back", paid[1])
    set_aside(seat, 7_00, "", paid[1])
    # More than there is: the rest is owed, and what comes next pays it.
    post(seat, ("clawback", 5000_00, paid[1]))
    post(seat, ("top_up", 5000_00))
    post(seat, ("clawback", 1_00))


def post(seat: Seat, *moves: tuple[str, int] | tuple[str, int, uuid.UUID]) -> list[uuid.UUID]:
    """Writes postings as a payment does: type, minor units, and what is taken back. Returns their ids."""
    postings = [
        ledger.Posting(new_id(), type, seat.currency, amount, *reverses) for type, amount, *reverses in moves
    ]
    about = {
        "description": "order of a story",
        "source": "provider",
        "actor": "provider:test",
        "reason": "test",
    }
    answer = ledger.post(
        player_id=seat.player.pk, game_id=seat.game.pk, postings=postings, reference=None, **about
    )
    assert answer == "posted"
    return [posting.id for posting in postings]


def set_aside(seat: Seat, amount: int, event: str, reverses: uuid.UUID) -> None:
    """Sets credit aside for a refund, which then ends so; an empty `event` leaves it open."""
    id = new_id()
    about = {"description": "order of a story", "source": "operator", "actor": "operator:test"}
    found = ledger.set_aside(
        transaction_id=id,
        player_id=seat.player.pk,
        game_id=seat.game.pk,
        currency=seat.currency,
        most=amount,
        reverses=reverses,
        reference=None,
        **about,
    )
    assert found == amount
    if event:
        resolve_transaction(id, event=event, source="provider", actor="provider:test", reason="test")
