"""What the platform and its operators do to a wallet: adjustments, debt, limits, freezing, and settling by
themselves.
"""

import uuid

import pytest

from tests.support.callers import House, Seat, unique
from tests.support.invariants import problems_of
from wallet.models import Entry
from wallet.operations import (
    adjust_wallet,
    freeze_wallet,
    limit_withdrawals,
    resolve_transaction,
    unfreeze_wallet,
)
from wallet.outcomes import LedgerRefused, UnknownCurrency


def journal(seat: Seat, last: int) -> list[tuple[str, str | None, str | None, int | None]]:
    """The last entries: event, debit, credit, amount."""
    rows = (
        Entry.objects.filter(wallet=seat.wallet())
        .order_by("-seq")
        .values_list("event", "debit", "credit", "amount")
    )
    return list(rows[:last])[::-1]


@pytest.fixture
def indebted(house: House) -> Seat:
    """A player with 30.00 reserved in a withdrawal named below, nothing spendable, and a debt of 50.00."""
    seat = house.seat(30_00)
    seat.done("withdraw", f"pending-{seat.player.pk}", "30.00")
    seat.adjust("debit", 50_00, into_debt=True)
    assert seat.holding()[:4] == (0, 30_00, 0, 50_00)
    return seat


# --- Debt -------------------------------------------------------------------------------------------


def test_a_debit_into_debt_takes_what_is_there_and_notes_the_rest(seat: Seat) -> None:
    answer = seat.adjust("debit", 130_00, into_debt=True)
    assert (answer.outcome, answer.balance) == ("adjusted", 0)
    assert seat.holding()[:4] == (0, 0, 0, 30_00)
    assert journal(seat, 2) == [
        ("adjusted", "spendable", "adjustments", 100_00),
        ("adjusted", "debt", "adjustments", 30_00),
    ]
    assert problems_of(seat.player) == []


def test_a_debit_that_finds_enough_makes_no_debt(seat: Seat) -> None:
    assert seat.adjust("debit", 100_00, into_debt=True).balance == 0
    assert seat.holding()[:4] == (0, 0, 0, 0)
    assert journal(seat, 1) == [("adjusted", "spendable", "adjustments", 100_00)]


def test_a_debit_that_finds_nothing_is_all_debt(house: House) -> None:
    seat = house.seat(0)
    seat.adjust("debit", 5_00, into_debt=True)
    assert seat.holding()[:4] == (0, 0, 0, 5_00)
    assert journal(seat, 1) == [("adjusted", "debt", "adjustments", 5_00)]


@pytest.mark.parametrize(
    ("amount", "left", "debt"), [("20.00", "0.00", 30_00), ("50.00", "0.00", 0), ("80.00", "30.00", 0)]
)
def test_a_confirmed_deposit_pays_the_debt_first(indebted: Seat, amount: str, left: str, debt: int) -> None:
    mm = indebted.opened("deposit", amount)
    assert indebted.holding()[:4] == (0, 30_00, int(float(amount) * 100), 50_00)
    answer = indebted.done("confirmDeposit", mm)
    assert answer.balance == left
    assert (indebted.holding().spendable, indebted.holding().debt) == (int(float(left) * 100), debt)
    assert journal(indebted, 1) == [("debt_repaid", "spendable", "debt", 50_00 - debt)]
    # The stored answer is the balance after the debt was paid.
    indebted.adjust("credit", 500_00)
    assert indebted.done("confirmDeposit", mm).raw == answer.raw
    assert problems_of(indebted.player) == []


def test_a_rollback_pays_the_debt_first(indebted: Seat) -> None:
    mm = f"pending-{indebted.player.pk}"
    answer = indebted.done("rollbackWithdrawal", mm)
    assert answer.balance == "0.00"
    assert indebted.holding()[:4] == (0, 0, 0, 20_00)
    assert journal(indebted, 2) == [
        ("rolled_back", "reserved", "spendable", 30_00),
        ("debt_repaid", "spendable", "debt", 30_00),
    ]
    indebted.adjust("credit", 500_00)
    assert indebted.done("rollbackWithdrawal", mm).raw == answer.raw
    assert problems_of(indebted.player) == []


@pytest.mark.parametrize("event", ["expired", "rolled_back"])
def test_what_the_platform_returns_pays_the_debt_first(indebted: Seat, event: str) -> None:
    answer = indebted.resolve(f"pending-{indebted.player.pk}", event)
    assert (answer.outcome, answer.balance) == (event, 0)
    assert indebted.holding()[:4] == (0, 0, 0, 20_00)
    assert indebted.call("withdraw", unique("mm"), "0.01").error == 104
    assert problems_of(indebted.player) == []


def test_a_credit_pays_the_debt_first(indebted: Seat) -> None:
    assert indebted.adjust("credit", 60_00).balance == 10_00
    assert indebted.holding()[:4] == (10_00, 30_00, 0, 0)
    assert problems_of(indebted.player) == []


def test_a_confirmed_withdrawal_and_a_dropped_deposit_leave_the_debt_as_it_is(indebted: Seat) -> None:
    indebted.done("rollbackDeposit", indebted.opened("deposit", "20.00"))
    indebted.done("confirmWithdrawal", f"pending-{indebted.player.pk}")
    assert indebted.holding()[:4] == (0, 0, 0, 50_00)
    assert problems_of(indebted.player) == []


# --- Adjustments ------------------------------------------------------------------------------------


def test_an_adjustment_repeated_with_its_id_is_done_once(seat: Seat) -> None:
    id = uuid.uuid4()
    first = seat.adjust("credit", 5_00, id=id)
    seat.adjust("credit", 1_00)
    before = seat.holding()
    assert seat.adjust("credit", 5_00, id=id) == first
    assert (first.balance, first.transaction_id, seat.holding()) == (105_00, str(id), before)


@pytest.mark.parametrize(("type", "amount"), [("credit", 5_01), ("debit", 5_00)])
def test_an_adjustment_with_a_used_id_and_other_content_is_refused(
    seat: Seat, type: str, amount: int
) -> None:
    id = uuid.uuid4()
    seat.adjust("credit", 5_00, id=id)
    before = seat.holding()
    with pytest.raises(LedgerRefused) as refused:
        seat.adjust(type, amount, id=id)
    assert (refused.value.outcome, seat.holding()) == ("other_content", before)


def test_an_adjustments_id_is_not_taken_for_another_player(house: House) -> None:
    one, other, id = house.seat(), house.seat(), uuid.uuid4()
    one.adjust("credit", 5_00, id=id)
    with pytest.raises(LedgerRefused) as refused:
        other.adjust("credit", 5_00, id=id)
    assert (refused.value.outcome, other.holding().spendable) == ("other_content", 100_00)


def test_a_debit_that_does_not_find_enough_is_refused_with_the_balance(seat: Seat) -> None:
    before = seat.holding()
    with pytest.raises(LedgerRefused) as refused:
        seat.adjust("debit", 100_01)
    told = (refused.value.outcome, refused.value.balance, refused.value.currency)
    assert (told, seat.holding()) == (("insufficient_funds", 100_00, "XAG"), before)


def test_debt_has_its_bound_too(house: House) -> None:
    seat = house.seat(0)
    seat.adjust("debit", 10**18 - 1, into_debt=True)
    with pytest.raises(LedgerRefused) as refused:
        seat.adjust("debit", 1, into_debt=True)
    assert (refused.value.outcome, seat.holding().debt) == ("limit_reached", 10**18 - 1)
    assert problems_of(seat.player) == []


def test_an_adjustment_in_an_unknown_currency_is_refused(seat: Seat) -> None:
    with pytest.raises(UnknownCurrency, match="QQQ"):
        adjust_wallet(
            seat.player, "QQQ", type="credit", amount=1, transaction_id=uuid.uuid4(), actor="test", reason=""
        )


def test_an_adjustment_tells_who_and_why(seat: Seat) -> None:
    id = uuid.uuid4()
    adjust_wallet(
        seat.player,
        "XAG",
        type="credit",
        amount=1,
        transaction_id=id,
        actor="operator:ann",
        reason="Goodwill: late payout",
    )
    made = seat.player.transactions.get(pk=id)
    assert (made.type, made.state, made.amount, made.source, made.actor, made.reason) == (
        "credit",
        "confirmed",
        1,
        "operator",
        "operator:ann",
        "Goodwill: late payout",
    )
    assert (made.opened_at, made.mm_transaction_id, made.game_id) == (made.settled_at, None, None)


# --- Limits and freezing ----------------------------------------------------------------------------


def test_a_withdrawal_above_the_limit_is_refused_with_111_and_the_balance(seat: Seat) -> None:
    assert limit_withdrawals(seat.wallet(), most=20_00, actor="test", reason="test")
    before = seat.holding()
    answer = seat.call("withdraw", unique("mm"), "20.01")
    assert (answer.error, answer.balance) == (111, "100.00")
    assert seat.holding() == before._replace(entries=before.entries + 1)
    assert seat.done("withdraw", unique("mm"), "20.00").balance == "80.00"
    seat.done("confirmDeposit", seat.opened("deposit", "500.00"))
    assert limit_withdrawals(seat.wallet(), most=None, actor="test", reason="test")
    assert seat.done("withdraw", unique("mm"), "400.00").balance == "180.00"
    assert problems_of(seat.player) == []


def test_a_frozen_wallet_refuses_withdrawals_and_nothing_else(seat: Seat) -> None:
    pending = seat.opened("withdraw", "10.00")
    euro = seat.elsewhere("EUR")
    euro.adjust("credit", 5_00)
    assert freeze_wallet(seat.wallet(), actor="operator:ann", reason="Investigation 7")
    answer = seat.call("withdraw", unique("mm"), "1.00")
    assert (answer.error, answer.balance) == (103, "90.00")
    assert seat.done("rollbackWithdrawal", pending).balance == "100.00"
    assert seat.done("confirmDeposit", seat.opened("deposit", "1.00")).balance == "101.00"
    assert euro.done("withdraw", unique("mm"), "1.00").balance == "4.00"
    assert unfreeze_wallet(seat.wallet(), actor="operator:ann", reason="Closed")
    assert seat.done("withdraw", unique("mm"), "1.00").balance == "100.00"
    assert problems_of(seat.player) == []


def test_what_gates_a_wallet_stands_in_its_journal_once(seat: Seat) -> None:
    wallet = seat.wallet()
    changed = [
        freeze_wallet(wallet, actor="a", reason="r"),
        freeze_wallet(wallet, actor="a", reason="r"),
        unfreeze_wallet(wallet, actor="a", reason="r"),
        unfreeze_wallet(wallet, actor="a", reason="r"),
        limit_withdrawals(wallet, most=5, actor="a", reason="r"),
        limit_withdrawals(wallet, most=5, actor="a", reason="r"),
        limit_withdrawals(wallet, most=None, actor="a", reason="r"),
        limit_withdrawals(wallet, most=None, actor="a", reason="r"),
    ]
    assert changed == [True, False] * 4
    assert journal(seat, 4) == [
        ("frozen", None, None, None),
        ("unfrozen", None, None, None),
        ("limit_set", None, None, 5),
        ("limit_set", None, None, None),
    ]
    assert problems_of(seat.player) == []


# --- Settled by the platform ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "type", "event", "spendable"),
    [("withdraw", "withdrawal", "confirmed", 60_00), ("withdraw", "withdrawal", "rolled_back", 100_00),
     ("withdraw", "withdrawal", "expired", 100_00),
     ("deposit", "deposit", "confirmed", 140_00), ("deposit", "deposit", "rolled_back", 100_00),
     ("deposit", "deposit", "expired", 100_00)],
)  # fmt: skip
def test_the_platform_settles_once_and_says_who_and_why(
    seat: Seat, endpoint: str, type: str, event: str, spendable: int
) -> None:
    mm = seat.opened(endpoint, "40.00")
    pending = seat.transaction(mm, type)
    answer = resolve_transaction(
        pending.pk, event=event, source="operator", actor="operator:ann", reason="Asked by phone"
    )
    assert (answer.outcome, answer.balance) == (event, spendable)
    assert seat.holding()[:3] == (spendable, 0, 0)
    settled = seat.transaction(mm, type)
    assert (settled.state, settled.settled_source, settled.settled_actor, settled.reason) == (
        event,
        "operator",
        "operator:ann",
        "Asked by phone",
    )
    before = seat.holding()
    for again in ("confirmed", "rolled_back", "expired"):
        with pytest.raises(LedgerRefused) as refused:
            seat.resolve(mm, again, type)
        assert (refused.value.outcome, refused.value.balance) == (f"already_{event}", before.spendable)
    assert seat.holding() == before
    assert problems_of(seat.player) == []


def test_the_platform_cannot_settle_what_was_declined_or_never_was(seat: Seat) -> None:
    mm = unique("mm")
    assert seat.call("withdraw", mm, "500.00").error == 104
    before = seat.holding()
    with pytest.raises(LedgerRefused) as declined:
        seat.resolve(mm, "confirmed")
    with pytest.raises(LedgerRefused) as unknown:
        resolve_transaction(uuid.uuid4(), event="confirmed", source="sweep", actor="test", reason="")
    assert (declined.value.outcome, unknown.value.outcome) == ("already_declined", "not_found")
    assert seat.holding() == before
