"""What a game's backend calls, as the ledger sees it."""

from dataclasses import dataclass
from uuid import UUID

from payments.history.people import Person
from payments.history.stage import House
from payments.history.world import CURRENCY, World
from wallet import ledger

SENT_TWICE = 0.01


@dataclass(slots=True)
class Visit:
    """A session of a player in a game; `balance` is what they last saw, in minor units."""

    person: Person
    house: House
    token: UUID
    hash: bytes
    balance: int


def balance_of(here: Visit) -> int:
    session = ledger.find_session(game_id=here.house.game.pk, token_hash=here.hash)
    return session.balance if session else 0


def opens(world: World, here: Visit, type: str, endpoint: str, mm: str, amount: int) -> bool:
    """The game opens a transaction, now and then twice. Returns whether it is open."""
    for _ in range(2 if world.happens(SENT_TWICE) else 1):
        answer = ledger.open_transaction(
            here.house.call(world.random, endpoint),
            type=type,
            token_hash=here.hash,
            mm_transaction_id=mm,
            amount=amount,
            currency=CURRENCY,
            description="",
            pending=here.house.pending,
        )
    here.balance = answer.balance
    return answer.outcome == "opened"


def ends(world: World, here: Visit, event: str, type: str, mm: str, reason: str = "") -> str:
    """The game confirms a transaction or takes it back, now and then twice. Returns the outcome."""
    verb = "confirm" if event == "confirmed" else "rollback"
    for _ in range(2 if world.happens(SENT_TWICE) else 1):
        answer = ledger.settle_transaction(
            here.house.call(world.random, f"{verb}{type.capitalize()}"),
            event=event,
            type=type,
            token_hash=here.hash,
            mm_transaction_id=mm,
            reason=reason,
        )
    here.balance = answer.balance
    return answer.outcome
