"""A discrepancy is booked as the game says: to the game's accounts, once, by an operator's act."""

import threading
from uuid import UUID

import pytest
from django.db import connection
from django.db.utils import IntegrityError, ProgrammingError
from psycopg.errors import InvalidParameterValue

from lib.ids import new_id
from tests.support.callers import Callers, PlayerSession, act, adjuster
from tests.support.invariants import problems_of
from wallet import ledger
from wallet.discrepancies import close_discrepancy
from wallet.models import Adjustment, Discrepancy, Entry, Transaction
from wallet.money import BOUND
from wallet.operations import CORRECTIONS, correct_discrepancy
from wallet.outcomes import LedgerRefused


def split(account: str) -> list[tuple[str, str, int]]:
    """The legs of 30.00 of which 10.00 are there."""
    return [("spendable", account, 10_00), ("debt", account, 20_00)]


# Type and ending, what is spendable before, spendable and debt after, and the legs. 30.00 are at stake.
BOOKED = [
    ("withdrawal", "expired", 100_00, (70_00, 0), [("spendable", "game_revenue", 30_00)]),
    ("withdrawal", "rolled_back", 10_00, (0, 20_00), split("game_revenue")),
    ("withdrawal", "expired", 0, (0, 30_00), [("debt", "game_revenue", 30_00)]),
    ("withdrawal", "confirmed", 0, (30_00, 0), [("game_revenue", "spendable", 30_00)]),
    ("deposit", "expired", 100_00, (130_00, 0), [("game_payout", "spendable", 30_00)]),
    ("deposit", "rolled_back", 0, (30_00, 0), [("game_payout", "spendable", 30_00)]),
    ("deposit", "confirmed", 10_00, (0, 20_00), split("game_payout")),
]
WORDS = {"withdrawal": "Withdrawal", "deposit": "Deposit"}


def contradicted(session: PlayerSession, type: str, ended: str, spendable: int) -> Discrepancy:
    """A transaction of 30.00 that the platform ended, and the game says otherwise; so much is spendable."""
    mm = session.opened("withdraw" if type == "withdrawal" else "deposit", "30.00")
    session.resolve(mm, ended, type)
    if difference := session.holding().spendable - spendable:
        session.adjust("debit" if difference > 0 else "credit", abs(difference))
    say(session, mm, type, "rollback" if ended == "confirmed" else "confirm")
    return Discrepancy.objects.get(transaction=session.transaction(mm, type))


def say(session: PlayerSession, mm: str | None, type: str, word: str) -> None:
    session.call(f"{word}{WORDS[type]}", mm)


def booked(row: Discrepancy, id: UUID | None = None) -> ledger.Answer:
    given = {"transaction_id": id or new_id(), "operator": adjuster(), "reason": "Its people say so"}
    return correct_discrepancy(row, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(("type", "ended", "spendable", "holds", "legs"), BOOKED)
def test_correction__books_to_the_games_accounts_and_closes(
    player_session: PlayerSession,
    type: str,
    ended: str,
    spendable: int,
    holds: tuple[int, int],
    legs: list[tuple[str, str, int]],
) -> None:
    row, id = contradicted(player_session, type, ended, spendable), new_id()
    before = player_session.holding()
    answer = booked(row, id)
    held = player_session.holding()
    assert (held.spendable, held.debt, held.reserved, held.announced) == (*holds, 0, 0)
    entries = Entry.objects.filter(player=player_session.player, seq__gt=before.entries).order_by("seq")
    assert list(entries.values_list("debit", "credit", "amount")) == legs
    made = Transaction.objects.get(pk=id)
    assert (made.type, made.amount, made.reverses_id, made.game_id, made.state) == (
        CORRECTIONS[row.kind, type],
        30_00,
        row.transaction_id,
        player_session.game.pk,
        "confirmed",
    )
    row.refresh_from_db()
    assert (row.correction_id, row.closed_at, row.closed_by, row.reason) == (
        id,
        made.settled_at,
        "operator:test",
        "Its people say so",
    )
    assert (answer.outcome, answer.balance) == ("corrected", holds[0])
    assert problems_of(player_session.player) == []


def test_correction__pays_debt_first(player_session: PlayerSession) -> None:
    row = contradicted(player_session, "deposit", "expired", 0)
    player_session.adjust("debit", 50_00, into_debt=True)
    booked(row)
    assert player_session.holding()[:4] == (0, 0, 0, 20_00)
    assert problems_of(player_session.player) == []


def test_correction__is_done_once_and_answered_the_same(player_session: PlayerSession) -> None:
    row, id = contradicted(player_session, "withdrawal", "expired", 100_00), new_id()
    first = booked(row, id)
    player_session.adjust("credit", 1_00)
    held = player_session.holding()
    assert booked(row, id) == first
    with pytest.raises(LedgerRefused, match="already_closed"):
        booked(row)
    assert player_session.holding() == held
    assert Adjustment.objects.filter(player=player_session.player, type="late_withdrawal").count() == 1


def test_correction__of_what_is_closed_is_refused(player_session: PlayerSession) -> None:
    row = contradicted(player_session, "withdrawal", "expired", 100_00)
    assert close_discrepancy(row, actor="operator:test", reason="Goods taken back")
    assert not close_discrepancy(row, actor="operator:test", reason="again")
    held = player_session.holding()
    with pytest.raises(LedgerRefused, match="already_closed"):
        booked(row)
    assert player_session.holding() == held


def test_correction__beyond_the_bound_is_refused(player_session: PlayerSession) -> None:
    row = contradicted(player_session, "deposit", "expired", 0)
    for _ in range(9):
        player_session.adjust("credit", 10**17 - 1)
    player_session.adjust("credit", BOUND - 1 - 9 * (10**17 - 1) - 29_99)
    held = player_session.holding()
    with pytest.raises(LedgerRefused, match="limit_reached"):
        booked(row)
    assert (player_session.holding(), held.spendable) == (held, BOUND - 30_00)
    player_session.adjust("debit", 1)
    booked(row)
    assert player_session.holding().spendable == BOUND - 1


def test_correction__of_what_would_owe_too_much_is_refused(player_session: PlayerSession) -> None:
    row = contradicted(player_session, "withdrawal", "expired", 0)
    for _ in range(10):
        player_session.adjust("debit", 10**17 - 1, into_debt=True)
    player_session.adjust("credit", 29_89)
    held = player_session.holding()
    assert held.debt == BOUND - 10 - 29_89
    with pytest.raises(LedgerRefused, match="limit_reached"):
        booked(row)
    assert player_session.holding() == held
    player_session.adjust("credit", 2)
    booked(row)
    assert player_session.holding().debt == BOUND - 1


def test_correction__without_an_act_is_refused(player_session: PlayerSession) -> None:
    """As a hole in the application would do it."""
    row, held = contradicted(player_session, "withdrawal", "expired", 100_00), player_session.holding()
    acts = [new_id(), act(new_id(), player_session.player, "late_withdrawal", 29_99)]
    acts.append(act(new_id(), player_session.player, "debit", 30_00))
    for id in acts:
        with pytest.raises(InvalidParameterValue, match="without the operator's act"):
            ledger.correct(transaction_id=id, discrepancy_id=row.pk, actor="operator:test", reason="test")
    assert player_session.holding() == held
    id = act(new_id(), player_session.player, "late_withdrawal", 30_00)
    ledger.correct(transaction_id=id, discrepancy_id=row.pk, actor="operator:test", reason="test")
    assert player_session.holding().spendable == 70_00


def test_correction__of_no_discrepancy_is_not_found() -> None:
    answer = ledger.correct(transaction_id=new_id(), discrepancy_id=new_id(), actor="a", reason="r")
    assert answer.outcome == "not_found"


def test_correction__books_nothing_for_another_players_id(
    player_session: PlayerSession, callers: Callers
) -> None:
    other = player_session
    mm = other.opened("withdraw", "30.00")
    mine = callers.player_session()
    say(mine, mm, "withdrawal", "rollback")
    row = Discrepancy.objects.get(player=mine.player)
    assert row.kind == "tombstone_elsewhere"
    with pytest.raises(LedgerRefused, match="nothing_to_book"):
        booked(row)
    answer = ledger.correct(transaction_id=new_id(), discrepancy_id=row.pk, actor="a", reason="r")
    assert answer.outcome == "nothing_to_book"
    assert mine.holding()[:4] == (100_00, 0, 0, 0)


def test_discrepancy__the_application_cannot_say_that_it_was_booked(player_session: PlayerSession) -> None:
    row = contradicted(player_session, "withdrawal", "expired", 100_00)
    with pytest.raises(ProgrammingError, match="permission denied"):
        Discrepancy.objects.filter(pk=row.pk).update(correction_id=new_id())
    booked(row)
    with pytest.raises(IntegrityError, match="discrepancy_is_closed_by_somebody"):
        Discrepancy.objects.filter(pk=row.pk).update(closed_at=None)


def test_word__after_a_correction_is_counted_the_opposite_one_is_new(player_session: PlayerSession) -> None:
    row = contradicted(player_session, "withdrawal", "expired", 100_00)
    mm = row.transaction.mm_transaction_id
    booked(row)
    say(player_session, mm, "withdrawal", "confirm")
    assert player_session.discrepancies() == [("confirm_of_returned", 2)]
    say(player_session, mm, "withdrawal", "rollback")
    assert player_session.discrepancies() == [("confirm_of_returned", 2), ("rollback_of_confirmed", 1)]
    back = Discrepancy.objects.get(player=player_session.player, kind="rollback_of_confirmed")
    booked(back)
    assert player_session.holding()[:4] == (100_00, 0, 0, 0)
    assert problems_of(player_session.player) == []


def test_word__that_confirms_what_was_given_back_is_new(player_session: PlayerSession) -> None:
    row = contradicted(player_session, "deposit", "confirmed", 0)
    mm = row.transaction.mm_transaction_id
    say(player_session, mm, "deposit", "confirm")
    assert player_session.discrepancies() == [("rollback_of_confirmed", 1)]
    booked(row)
    say(player_session, mm, "deposit", "confirm")
    assert player_session.discrepancies() == [("confirm_of_returned", 1), ("rollback_of_confirmed", 1)]


def test_correction__by_two_at_once_is_done_once(player_session: PlayerSession) -> None:
    for _ in range(10):
        row = contradicted(player_session, "withdrawal", "expired", 100_00)
        start, said = threading.Barrier(2), list[str]()

        def book(row: Discrepancy = row, start: threading.Barrier = start, said: list[str] = said) -> None:
            start.wait()
            try:
                said.append(booked(row).outcome)
            except LedgerRefused as refused:
                said.append(refused.outcome)
            finally:
                connection.close()

        threads = [threading.Thread(target=book) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(said) == ["already_closed", "corrected"]
        assert player_session.holding().spendable == 70_00
    assert problems_of(player_session.player) == []
