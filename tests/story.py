"""Wallets to which everything has happened that can happen to one."""

from dataclasses import dataclass

from players.models import Player
from tests.world import House, Seat, sit, unique
from wallet.models import Wallet
from wallet.operations import freeze_wallet, limit_withdrawals, unfreeze_wallet

# What a story must have of each kind, so that a test over all rows is a test over all kinds.
EVENTS = frozenset(
    {"wallet_opened", "opened", "declined", "tombstone", "rollback_noted", "confirmed", "rolled_back", "expired", "adjusted", "debt_repaid"}
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
