"""What the platform and its operators do to a wallet: adjustments, debt, limits, freezing, and settling by
themselves.
"""

import uuid

import pytest

from tests.support.callers import Callers, PlayerSession, adjuster, unique
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


def journal(player_session: PlayerSession, last: int) -> list[tuple[str, str | None, str | None, int | None]]:
    """The last entries: event, debit, credit, amount."""
    rows = (
        Entry.objects.filter(wallet=player_session.wallet())
        .order_by("-seq")
        .values_list("event", "debit", "credit", "amount")
    )
    return list(rows[:last])[::-1]


@pytest.fixture
def indebted(callers: Callers) -> PlayerSession:
    """A player with 30.00 reserved in a withdrawal named below, nothing spendable, and a debt of 50.00."""
    player_session = callers.player_session(30_00)
    player_session.done("withdraw", f"pending-{player_session.player.pk}", "30.00")
    player_session.adjust("debit", 50_00, into_debt=True)
    assert player_session.holding()[:4] == (0, 30_00, 0, 50_00)
    return player_session


# --- Debt -------------------------------------------------------------------------------------------


def test_debit__into_debt_takes_what_is_there_and_notes_the_rest(player_session: PlayerSession) -> None:
    answer = player_session.adjust("debit", 130_00, into_debt=True)
    assert (answer.outcome, answer.balance) == ("adjusted", 0)
    assert player_session.holding()[:4] == (0, 0, 0, 30_00)
    assert journal(player_session, 2) == [
        ("adjusted", "spendable", "adjustments", 100_00),
        ("adjusted", "debt", "adjustments", 30_00),
    ]
    assert problems_of(player_session.player) == []


def test_debit__that_finds_enough_makes_no_debt(player_session: PlayerSession) -> None:
    assert player_session.adjust("debit", 100_00, into_debt=True).balance == 0
    assert player_session.holding()[:4] == (0, 0, 0, 0)
    assert journal(player_session, 1) == [("adjusted", "spendable", "adjustments", 100_00)]


def test_debit__that_finds_nothing_is_all_debt(callers: Callers) -> None:
    player_session = callers.player_session(0)
    player_session.adjust("debit", 5_00, into_debt=True)
    assert player_session.holding()[:4] == (0, 0, 0, 5_00)
    assert journal(player_session, 1) == [("adjusted", "debt", "adjustments", 5_00)]


@pytest.mark.parametrize(
    ("amount", "left", "debt"), [("20.00", "0.00", 30_00), ("50.00", "0.00", 0), ("80.00", "30.00", 0)]
)
def test_debt__is_paid_first_by_a_confirmed_deposit(
    indebted: PlayerSession, amount: str, left: str, debt: int
) -> None:
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


def test_debt__is_paid_first_by_a_rollback(indebted: PlayerSession) -> None:
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
def test_debt__is_paid_first_by_what_the_platform_returns(indebted: PlayerSession, event: str) -> None:
    answer = indebted.resolve(f"pending-{indebted.player.pk}", event)
    assert (answer.outcome, answer.balance) == (event, 0)
    assert indebted.holding()[:4] == (0, 0, 0, 20_00)
    assert indebted.call("withdraw", unique("mm"), "0.01").error == 104
    assert problems_of(indebted.player) == []


def test_debt__is_paid_first_by_a_credit(indebted: PlayerSession) -> None:
    assert indebted.adjust("credit", 60_00).balance == 10_00
    assert indebted.holding()[:4] == (10_00, 30_00, 0, 0)
    assert problems_of(indebted.player) == []


def test_debt__is_kept_if_withdraw_confirmed_or_deposit_dropped(indebted: PlayerSession) -> None:
    indebted.done("rollbackDeposit", indebted.opened("deposit", "20.00"))
    indebted.done("confirmWithdrawal", f"pending-{indebted.player.pk}")
    assert indebted.holding()[:4] == (0, 0, 0, 50_00)
    assert problems_of(indebted.player) == []


@pytest.mark.parametrize(("amount", "left"), [(50_00, 0), (49_99, 1), (1, 49_99)])
def test_debt__is_written_off_whole_or_in_part(indebted: PlayerSession, amount: int, left: int) -> None:
    id = uuid.uuid4()
    for _ in range(2):
        answer = indebted.adjust("write_off", amount, id=id)
        assert (answer.outcome, answer.balance) == ("adjusted", 0)
        assert indebted.holding()[:4] == (0, 30_00, 0, left)
    assert journal(indebted, 1) == [("adjusted", "write_off", "debt", amount)]
    assert problems_of(indebted.player) == []
    # What comes next pays the rest alone.
    assert indebted.adjust("credit", 60_00).balance == 60_00 - left
    assert problems_of(indebted.player) == []


def test_debt__is_not_written_off_beyond_what_is_owed(indebted: PlayerSession) -> None:
    before = indebted.holding()
    with pytest.raises(LedgerRefused, match="more_than_debt"):
        indebted.adjust("write_off", 50_01)
    assert indebted.holding() == before
    # Nor of a wallet that has money.
    indebted.adjust("credit", 60_00)
    with pytest.raises(LedgerRefused, match="more_than_debt"):
        indebted.adjust("write_off", 1)


# --- Adjustments ------------------------------------------------------------------------------------


def test_adjustment__repeated_with_its_id_is_done_once(player_session: PlayerSession) -> None:
    id = uuid.uuid4()
    first = player_session.adjust("credit", 5_00, id=id)
    player_session.adjust("credit", 1_00)
    before = player_session.holding()
    assert player_session.adjust("credit", 5_00, id=id) == first
    assert (first.balance, first.transaction_id, player_session.holding()) == (105_00, str(id), before)


@pytest.mark.parametrize(("type", "amount"), [("credit", 5_01), ("debit", 5_00)])
def test_adjustment__used_id_with_other_content_is_refused(
    player_session: PlayerSession, type: str, amount: int
) -> None:
    id = uuid.uuid4()
    player_session.adjust("credit", 5_00, id=id)
    before = player_session.holding()
    with pytest.raises(LedgerRefused) as refused:
        player_session.adjust(type, amount, id=id)
    assert (refused.value.outcome, player_session.holding()) == ("other_content", before)


def test_adjustment__id_is_not_taken_for_another_player(callers: Callers) -> None:
    one, other, id = callers.player_session(), callers.player_session(), uuid.uuid4()
    one.adjust("credit", 5_00, id=id)
    with pytest.raises(LedgerRefused) as refused:
        other.adjust("credit", 5_00, id=id)
    assert (refused.value.outcome, other.holding().spendable) == ("other_content", 100_00)


def test_debit__without_enough_is_refused_with_the_balance(player_session: PlayerSession) -> None:
    before = player_session.holding()
    with pytest.raises(LedgerRefused) as refused:
        player_session.adjust("debit", 100_01)
    told = (refused.value.outcome, refused.value.balance, refused.value.currency)
    assert (told, player_session.holding()) == (("insufficient_funds", 100_00, "XAG"), before)


def test_debt__has_its_bound_too(callers: Callers) -> None:
    player_session = callers.player_session(0)
    player_session.adjust("debit", 10**18 - 1, into_debt=True)
    with pytest.raises(LedgerRefused) as refused:
        player_session.adjust("debit", 1, into_debt=True)
    assert (refused.value.outcome, player_session.holding().debt) == ("limit_reached", 10**18 - 1)
    assert problems_of(player_session.player) == []


def test_adjustment__in_an_unknown_currency_is_refused(player_session: PlayerSession) -> None:
    with pytest.raises(UnknownCurrency, match="QQQ"):
        adjust_wallet(
            player_session.player,
            "QQQ",
            type="credit",
            amount=1,
            transaction_id=uuid.uuid4(),
            operator=adjuster(),
            reason="",
        )


def test_adjustment__tells_who_and_why(player_session: PlayerSession) -> None:
    id = uuid.uuid4()
    adjust_wallet(
        player_session.player,
        "XAG",
        type="credit",
        amount=1,
        transaction_id=id,
        operator=adjuster(),
        reason="Goodwill: late payout",
    )
    made = player_session.player.transactions.get(pk=id)
    assert (made.type, made.state, made.amount, made.source, made.actor, made.reason) == (
        "credit",
        "confirmed",
        1,
        "operator",
        "operator:test",
        "Goodwill: late payout",
    )
    assert (made.opened_at, made.mm_transaction_id, made.game_id) == (made.settled_at, None, None)


# --- Limits and freezing ----------------------------------------------------------------------------


def test_limit__withdraw_above_it_gets_111_and_the_balance(player_session: PlayerSession) -> None:
    assert limit_withdrawals(player_session.wallet(), most=20_00, actor="test", reason="test")
    before = player_session.holding()
    answer = player_session.call("withdraw", unique("mm"), "20.01")
    assert (answer.error, answer.balance) == (111, "100.00")
    assert player_session.holding() == before._replace(entries=before.entries + 1)
    assert player_session.done("withdraw", unique("mm"), "20.00").balance == "80.00"
    player_session.done("confirmDeposit", player_session.opened("deposit", "500.00"))
    wallet = player_session.wallet()
    assert limit_withdrawals(wallet, most=None, actor="test", reason="test", is_approved=True)
    assert player_session.done("withdraw", unique("mm"), "400.00").balance == "180.00"
    assert problems_of(player_session.player) == []


def test_freeze__refuses_withdrawals_and_nothing_else(player_session: PlayerSession) -> None:
    pending = player_session.opened("withdraw", "10.00")
    euro = player_session.elsewhere("EUR")
    euro.adjust("credit", 5_00)
    assert freeze_wallet(player_session.wallet(), actor="operator:ann", reason="Investigation 7")
    answer = player_session.call("withdraw", unique("mm"), "1.00")
    assert (answer.error, answer.balance) == (103, "90.00")
    assert player_session.done("rollbackWithdrawal", pending).balance == "100.00"
    assert player_session.done("confirmDeposit", player_session.opened("deposit", "1.00")).balance == "101.00"
    assert euro.done("withdraw", unique("mm"), "1.00").balance == "4.00"
    assert unfreeze_wallet(player_session.wallet(), actor="operator:ann", reason="Closed")
    assert player_session.done("withdraw", unique("mm"), "1.00").balance == "100.00"
    assert problems_of(player_session.player) == []


def test_gate__is_in_the_wallets_journal_once(player_session: PlayerSession) -> None:
    wallet = player_session.wallet()
    changed = [
        freeze_wallet(wallet, actor="a", reason="r"),
        freeze_wallet(wallet, actor="a", reason="r"),
        unfreeze_wallet(wallet, actor="a", reason="r"),
        unfreeze_wallet(wallet, actor="a", reason="r"),
        limit_withdrawals(wallet, most=5, actor="a", reason="r"),
        limit_withdrawals(wallet, most=5, actor="a", reason="r"),
        limit_withdrawals(wallet, most=None, actor="a", reason="r", is_approved=True),
        limit_withdrawals(wallet, most=None, actor="a", reason="r"),
    ]
    assert changed == [True, False] * 4
    assert journal(player_session, 4) == [
        ("frozen", None, None, None),
        ("unfrozen", None, None, None),
        ("limit_set", None, None, 5),
        ("limit_set", None, None, None),
    ]
    assert problems_of(player_session.player) == []


# --- Settled by the platform ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "type", "event", "spendable"),
    [("withdraw", "withdrawal", "confirmed", 60_00), ("withdraw", "withdrawal", "rolled_back", 100_00),
     ("withdraw", "withdrawal", "expired", 100_00),
     ("deposit", "deposit", "confirmed", 140_00), ("deposit", "deposit", "rolled_back", 100_00),
     ("deposit", "deposit", "expired", 100_00)],
)  # fmt: skip
def test_platform_settlement__happens_once_and_says_who_and_why(
    player_session: PlayerSession, endpoint: str, type: str, event: str, spendable: int
) -> None:
    mm = player_session.opened(endpoint, "40.00")
    pending = player_session.transaction(mm, type)
    answer = resolve_transaction(
        pending.pk, event=event, source="operator", actor="operator:ann", reason="Asked by phone"
    )
    assert (answer.outcome, answer.balance) == (event, spendable)
    assert player_session.holding()[:3] == (spendable, 0, 0)
    settled = player_session.transaction(mm, type)
    assert (settled.state, settled.settled_source, settled.settled_actor, settled.reason) == (
        event,
        "operator",
        "operator:ann",
        "Asked by phone",
    )
    before = player_session.holding()
    for again in ("confirmed", "rolled_back", "expired"):
        with pytest.raises(LedgerRefused) as refused:
            player_session.resolve(mm, again, type)
        assert (refused.value.outcome, refused.value.balance) == (f"already_{event}", before.spendable)
    assert player_session.holding() == before
    assert problems_of(player_session.player) == []


def test_platform_settlement__is_refused_if_declined_or_unknown(player_session: PlayerSession) -> None:
    mm = unique("mm")
    assert player_session.call("withdraw", mm, "500.00").error == 104
    before = player_session.holding()
    with pytest.raises(LedgerRefused) as declined:
        player_session.resolve(mm, "confirmed")
    with pytest.raises(LedgerRefused) as unknown:
        resolve_transaction(uuid.uuid4(), event="confirmed", source="sweep", actor="test", reason="")
    assert (declined.value.outcome, unknown.value.outcome) == ("already_declined", "not_found")
    assert player_session.holding() == before
