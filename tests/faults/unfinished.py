"""What games left open and is due, and how it has to end.

And what must be true of it however often the sweep was cut off.
"""

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from lib.clock import now
from lib.security.tokens import token_hash
from tests.faults.platform_processes import Platform, eventually
from tests.support.callers import Callers, Party, PlayerSession, make_party, open_session, unique
from tests.support.game_query_server import FakeGame, late
from wallet.ledger import CallContext, open_transaction
from wallet.models import Alert, Entry, Inquiry, Question, Transaction

FUNDS = 1_000_000
ENDINGS = ("confirmed", "rolled_back", "expired")
WORDS = {"confirmed": "CONFIRMED", "rolled_back": "ROLLED_BACK"}
SIGNS = {("withdrawal", "confirmed"): -1, ("deposit", "confirmed"): 1}


@dataclass(frozen=True)
class Left:
    """A due transaction of `amount` minor units, and the state in which the sweep has to end it."""

    id: UUID
    player_session: PlayerSession
    mm: str
    type: str
    amount: int
    ends: str

    @property
    def is_asked_about(self) -> bool:
        return bool(self.player_session.game.query_url)


def open_due(player_session: PlayerSession, type: str, amount: int, pending: timedelta) -> tuple[UUID, str]:
    """Opens a transaction of `amount` minor units that is due so soon; its id, and the game's."""
    mm = unique("mm")
    context = CallContext(
        player_session.game.pk,
        f"game {player_session.game.slug}",
        player_session.game.pk,
        "test",
        "127.0.0.1",
        0,
    )
    answer = open_transaction(
        context,
        type=type,
        token_hash=token_hash(UUID(player_session.token)),
        mm_transaction_id=mm,
        amount=amount,
        currency=player_session.currency,
        description="",
        pending=pending,
    )
    assert answer.outcome == "opened"
    return UUID(answer.transaction_id), mm


def leave(
    player_session: PlayerSession, type: str, amount: int, ends: str, *, pending: timedelta = timedelta(0)
) -> Left:
    id, mm = open_due(player_session, type, amount, pending)
    return Left(id, player_session, mm, type, amount, ends)


@dataclass
class Table:
    """Players of a game that can be asked and of one that cannot, who leave transactions open."""

    asked: list[PlayerSession]
    unasked: list[PlayerSession]
    game: FakeGame
    pause: float = 0.02

    def leave_open(self, count: int, due_at: datetime | None = None) -> list[Left]:
        """`count` transactions of every kind, in turns, half of which the game is asked about.

        Due at once, or all together at a moment; at once, too, if that has come meanwhile.
        """
        kinds = itertools.product(("confirmed", "rolled_back"), ("withdrawal", "deposit"))
        return [
            self.leave_one(number, *kind, due_at)
            for number, kind in zip(range(count), itertools.cycle(kinds), strict=False)
        ]

    def leave_one(self, number: int, ends: str, type: str, due_at: datetime | None) -> Left:
        is_asked = number // 4 % 2 == 0
        player_sessions = self.asked if is_asked else self.unasked
        pending = timedelta(0) if due_at is None else max(due_at - now(), timedelta(0))
        left = leave(
            player_sessions[number % len(player_sessions)],
            type,
            1 + number % 7,
            ends if is_asked else "expired",
            pending=pending,
        )
        if is_asked:
            self.game.answers[left.mm] = late(WORDS[ends], self.pause)
        return left


def lay_table(callers: Callers, game: FakeGame, players: int = 6) -> Table:
    """A table with so many players at each of its two games."""
    parties = make_party(query_url=game.url), make_party()
    asked, unasked = ([rich_session(callers, party) for _ in range(players)] for party in parties)
    return Table(asked, unasked, game)


def rich_session(callers: Callers, party: Party) -> PlayerSession:
    player_session = open_session(party, callers.player())
    player_session.adjust("credit", FUNDS)
    return player_session


# --- What must be true of it -------------------------------------------------------------------------


def count_unfinished(left: Iterable[Left]) -> int:
    """How many of them are pending, or still to be asked about."""
    ids = [one.id for one in left]
    open_ones = Inquiry.objects.filter(transaction__in=ids, closed_at=None)
    return Transaction.objects.filter(pk__in=ids, settled_at=None).count() + open_ones.count()


def wait_until_finished(left: list[Left]) -> None:
    eventually(
        lambda: count_unfinished(left) == 0, "all that was due is settled, and every inquiry is closed"
    )


def assert_settled_without_a_hand(platform: Platform, left: list[Left], game: FakeGame) -> None:
    """All of it, in the end, with nobody having done anything; and the ledger is whole."""
    assert_all_is_settled(left, game)
    platform.assert_whole()


def assert_all_is_settled(left: list[Left], game: FakeGame) -> None:
    wait_until_finished(left)
    assert_settled_once(left)
    assert_asked(left, game)
    # What a sweep that was cut off has raised clears itself.
    eventually(lambda: not open_alerts(), "no alert is left open", instead=open_alerts)


def open_alerts() -> list[tuple[str, str]]:
    """But for that of the money with which the players begin, which these tests give them by hand."""
    alerts = Alert.objects.filter(resolved_at=None).exclude(kind=Alert.Kind.MONEY_BY_HAND)
    return list(alerts.values_list("kind", "text"))


def assert_settled_once(left: list[Left]) -> None:
    """Each ended as it had to, by one entry.

    Each wallet holds what follows; nobody has to look at anything.
    """
    ids = [one.id for one in left]
    found = Transaction.objects.in_bulk(ids)
    assert {one.id: found[one.id].state for one in left} == {one.id: one.ends for one in left}
    endings = Counter(
        Entry.objects.filter(transaction__in=ids, event__in=ENDINGS).values_list("transaction", flat=True)
    )
    assert endings == dict.fromkeys(ids, 1)
    assert Entry.objects.filter(transaction__in=ids).count() == 2 * len(ids)
    for player_session in {id(one.player_session): one.player_session for one in left}.values():
        moved = sum(
            SIGNS.get((one.type, one.ends), 0) * one.amount
            for one in left
            if one.player_session is player_session
        )
        assert player_session.holding()[:4] == (FUNDS + moved, 0, 0, 0)


def assert_asked(left: list[Left], game: FakeGame) -> None:
    """Each was asked about at least once, where it could be.

    Each question of the game stands in the history.
    """
    inquiries = Inquiry.objects.filter(transaction__in=[one.id for one in left])
    assert sorted(inquiries.values_list("transaction", flat=True)) == sorted(
        one.id for one in left if one.is_asked_about
    )
    assert not inquiries.filter(closed_at=None).exists()
    assert not inquiries.exclude(doubt="").exists()
    asked = Counter(said["mmTransactionId"] for said in list(game.asked))
    written = Counter(
        Question.objects.filter(inquiry__in=inquiries).values_list(
            "inquiry__transaction__mm_transaction_id", flat=True
        )
    )
    for one in left:
        assert one.is_asked_about == (asked[one.mm] > 0)
        assert asked[one.mm] <= written[one.mm], (
            f"{one.mm} was asked about {asked[one.mm]} times, and {written[one.mm]} questions were written "
            "down"
        )
