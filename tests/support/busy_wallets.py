"""Wallets to which everything has happened that can happen to one."""

import uuid
from dataclasses import dataclass

from lib.ids import new_id
from players.models import Player
from tests.support.callers import Callers, PlayerSession, adjuster, open_session, unique
from wallet import ledger
from wallet.models import Discrepancy, Wallet
from wallet.operations import (
    correct_discrepancy,
    freeze_wallet,
    limit_withdrawals,
    resolve_transaction,
    unfreeze_wallet,
)

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

    player_session: PlayerSession
    second: PlayerSession
    other: PlayerSession

    @property
    def player(self) -> Player:
        return self.player_session.player

    @property
    def wallet(self) -> Wallet:
        return self.player_session.wallet()


def tell_story(callers: Callers) -> Story:
    player_session = callers.player_session(500_00)
    second = open_session(callers.game, player_session.player, "EUR")
    other = callers.player_session(300_00)
    game_settles(player_session)
    platform_settles(player_session)
    provider_acts(player_session)
    operators_correct(player_session)
    operators_act(player_session)
    for one in (second, other):
        one.adjust("credit", 200_00)
        one.done("confirmWithdrawal", one.opened("withdraw", "10.00"))
        one.opened("withdraw", "3.00")
    return Story(player_session, second, other)


def game_settles(player_session: PlayerSession) -> None:
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "10.00"))
    player_session.done(
        "rollbackWithdrawal", player_session.opened("withdraw", "20.00"), rollbackReason="changed mind"
    )
    player_session.done("rollbackWithdrawal", unique("tombstone"), rollbackReason="overtook")
    player_session.done("rollbackDeposit", unique("tombstone"))
    declined = unique("declined")
    player_session.call("withdraw", declined, "9999.00")
    player_session.done("rollbackWithdrawal", declined, rollbackReason="was refused")
    player_session.call("withdraw", unique("declined"), "9999.00")
    player_session.done("confirmDeposit", player_session.opened("deposit", "6.00"))
    player_session.done("rollbackDeposit", player_session.opened("deposit", "8.00"))
    player_session.done("withdraw", unique("pending"), "30.00", txDescription="a pack")
    player_session.opened("deposit", "40.00")


def platform_settles(player_session: PlayerSession) -> None:
    """As the sweep does, and as operators do."""
    for source in ("sweep", "operator"):
        player_session.resolve(player_session.opened("withdraw", "5.00"), "confirmed", source=source)
        player_session.resolve(player_session.opened("withdraw", "5.00"), "rolled_back", source=source)
        player_session.resolve(
            player_session.opened("deposit", "4.00"), "confirmed", "deposit", source=source
        )
        player_session.resolve(
            player_session.opened("deposit", "4.00"), "rolled_back", "deposit", source=source
        )
    player_session.resolve(player_session.opened("withdraw", "5.00"), "expired")
    player_session.resolve(player_session.opened("deposit", "5.00"), "expired", "deposit")


def operators_correct(player_session: PlayerSession) -> None:
    """Books as the game says what the platform settled otherwise."""
    for opening, type, word in (("withdraw", "withdrawal", "Withdrawal"), ("deposit", "deposit", "Deposit")):
        for ended, said in (("expired", "confirm"), ("confirmed", "rollback")):
            mm = player_session.opened(opening, "2.00")
            player_session.resolve(mm, ended, type)
            player_session.call(f"{said}{word}", mm)
            row = Discrepancy.objects.get(transaction=player_session.transaction(mm, type))
            correct_discrepancy(row, transaction_id=new_id(), operator=adjuster(), reason="it says so")


def operators_act(player_session: PlayerSession) -> None:
    player_session.adjust("debit", 1_00)
    player_session.adjust("debit", 600_00, into_debt=True)
    player_session.adjust("write_off", 2_00)
    player_session.done("confirmDeposit", player_session.opened("deposit", "7.00"))
    player_session.adjust("credit", 200_00)
    limit_withdrawals(player_session.wallet(), most=100_00, actor="test", reason="careful")
    player_session.call("withdraw", unique("over-limit"), "101.00")
    freeze_wallet(player_session.wallet(), actor="test", reason="suspicion")
    unfreeze_wallet(player_session.wallet(), actor="test", reason="cleared")
    freeze_wallet(player_session.wallet(), actor="test", reason="again")


def provider_acts(player_session: PlayerSession) -> None:
    """Payments in the wallet's own currency, and all that can follow from them.

    And credit that is set aside in each way.
    """
    paid = post(player_session, ("payment", 10_00), ("top_up", 50_00))
    post(player_session, ("payment_return", 4_00, paid[0]), ("clawback", 20_00, paid[1]))
    post(player_session, ("sale_return", 3_00, post(player_session, ("sale", 3_00))[0]))
    set_aside(player_session, 5_00, "confirmed", paid[1])
    set_aside(player_session, 6_00, "rolled_back", paid[1])
    set_aside(player_session, 7_00, "", paid[1])
    # More than there is: the rest is owed, and what comes next pays it.
    post(player_session, ("clawback", 5000_00, paid[1]))
    post(player_session, ("top_up", 5000_00))
    post(player_session, ("clawback", 1_00))


def post(
    player_session: PlayerSession, *moves: tuple[str, int] | tuple[str, int, uuid.UUID]
) -> list[uuid.UUID]:
    """Writes postings as a payment does: type, minor units, and what is taken back. Returns their ids."""
    postings = [
        ledger.Posting(new_id(), type, player_session.currency, amount, *reverses)
        for type, amount, *reverses in moves
    ]
    about = {
        "description": "order of a story",
        "source": "provider",
        "actor": "provider:test",
        "reason": "test",
    }
    answer = ledger.post(
        player_id=player_session.player.pk,
        game_id=player_session.game.pk,
        postings=postings,
        reference=None,
        **about,
    )
    assert answer == "posted"
    return [posting.id for posting in postings]


def set_aside(player_session: PlayerSession, amount: int, event: str, reverses: uuid.UUID) -> None:
    """Sets credit aside for a refund, which then ends so; an empty `event` leaves it open."""
    id = new_id()
    about = {"description": "order of a story", "source": "operator", "actor": "operator:test"}
    found = ledger.set_aside(
        transaction_id=id,
        player_id=player_session.player.pk,
        game_id=player_session.game.pk,
        currency=player_session.currency,
        most=amount,
        reverses=reverses,
        reference=None,
        **about,
    )
    assert found == amount
    if event:
        resolve_transaction(id, event=event, source="provider", actor="provider:test", reason="test")
