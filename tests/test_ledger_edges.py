"""The ledger's edges: single minor units, what no operation lets happen, and what a row says that no answer shows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import psycopg
import pytest

from players.errors import Refusal
from players.secrets import token_hash
from tests.ledger import problems_of
from tests.world import House, Seat, unique
from wallet import ledger
from wallet.ledger import Asker
from wallet.models import ApiCall, Entry
from wallet.operations import freeze_wallet, limit_withdrawals
from wallet.rights import RIGHTS

Owner = psycopg.Connection[Any]
FINISH = """
    SELECT ledger_finish(w, t, %s, 'game', 'test', '', wallet_now())
    FROM wallet_transaction t JOIN wallet_wallet w ON w.id = t.wallet_id WHERE t.id = %s
"""


# What a wallet's money stays below, in minor units (contract 1, Amounts).
BOUND = 10**18


@pytest.fixture
def nearly_full(house: House) -> Seat:
    """A wallet 8.00 short of the bound, with 1.00 of it reserved and 2.00 announced."""
    seat = house.seat(0)
    seat.adjust("credit", BOUND - 10_00)
    seat.opened("withdraw", "1.00")
    seat.opened("deposit", "2.00")
    assert seat.holding()[:3] == (BOUND - 11_00, 1_00, 2_00)
    return seat


def asker(seat: Seat, endpoint: str, elapsed_us: int) -> Asker:
    return Asker(seat.game.pk, "test", uuid4(), endpoint, "10.0.0.1", elapsed_us)


def test_the_smallest_increase_pays_debt_too(house: House) -> None:
    seat = house.seat(0)
    seat.adjust("debit", 2, into_debt=True)
    seat.done("confirmDeposit", seat.opened("deposit", "0.01"))
    assert seat.holding()[:4] == (0, 0, 0, 1)
    seat.done("confirmDeposit", seat.opened("deposit", "0.01"))
    assert seat.holding()[:4] == (0, 0, 0, 0)
    assert problems_of(seat.player) == []


def test_only_what_an_operator_does_to_a_wallet_has_a_note(house: House) -> None:
    seat = house.seat(50_00)
    for opening, settling in (
        ("withdraw", "confirmWithdrawal"),
        ("withdraw", "rollbackWithdrawal"),
        ("deposit", "confirmDeposit"),
        ("deposit", "rollbackDeposit"),
    ):
        seat.done(settling, seat.opened(opening, "1.00"))
    seat.done("rollbackWithdrawal", unique("overtakes"))
    declined = unique("declined")
    seat.call("withdraw", declined, "900.00")
    seat.done("rollbackWithdrawal", declined)
    seat.adjust("debit", 60_00, into_debt=True)
    seat.adjust("credit", 60_00)
    rows = Entry.objects.filter(wallet=seat.wallet())
    assert set(rows.values_list("note", flat=True)) == {""}
    assert set(rows.values_list("event", flat=True)) == {
        *("wallet_opened", "adjusted", "opened", "confirmed", "rolled_back", "tombstone", "declined", "rollback_noted", "debt_repaid")
    }
    assert problems_of(seat.player) == []


def test_a_settled_transaction_cannot_be_finished_again_even_without_the_lock(seat: Seat, owner: Owner) -> None:
    settled = seat.opened("withdraw", "1.00")
    seat.done("rollbackWithdrawal", settled)
    seat.opened("withdraw", "5.00")
    before = seat.holding()
    with pytest.raises(psycopg.errors.RaiseException, match="was settled without the lock on its wallet"):
        owner.execute(FINISH, ["confirmed", seat.transaction(settled).pk])
    assert seat.holding() == before


def test_the_call_log_counts_the_time_before_the_ledger_was_asked(seat: Seat) -> None:
    mm, hash_ = unique("mm"), token_hash(UUID(seat.token))
    ledger.open_transaction(asker(seat, "withdraw", 7_000_000), "withdrawal", hash_, mm, 1_00, "XAG", "", timedelta(hours=72))
    ledger.query_transaction(asker(seat, "queryTransaction", 7_000_000), "withdrawal", hash_, mm)
    ledger.settle_transaction(asker(seat, "confirmWithdrawal", 7_000_000), "confirmed", "withdrawal", hash_, mm, None, None, "")
    took = list(ApiCall.objects.filter(mm_transaction_id=mm).values_list("took_us", flat=True))
    assert len(took) == 3
    assert all(7_000_000 < microseconds < 17_000_000 for microseconds in took)


def test_a_credit_is_refused_at_the_bound(nearly_full: Seat) -> None:
    before = nearly_full.holding()
    with pytest.raises(Refusal) as refused:
        nearly_full.adjust("credit", 8_00)
    assert (refused.value.code, nearly_full.holding()) == (111, before)
    assert nearly_full.adjust("credit", 7_99).balance == BOUND - 11_00 + 7_99


def test_a_withdrawal_from_a_nearly_full_wallet_meets_no_bound(nearly_full: Seat) -> None:
    nearly_full.done("confirmWithdrawal", nearly_full.opened("withdraw", "8.00"))
    assert nearly_full.holding()[:3] == (BOUND - 19_00, 1_00, 2_00)


def test_debt_stays_below_the_bound(house: House) -> None:
    seat = house.seat(5)
    with pytest.raises(Refusal) as refused:
        seat.adjust("debit", BOUND + 5, into_debt=True)
    assert (refused.value.code, seat.holding()[:4]) == (111, (5, 0, 0, 0))
    seat.adjust("debit", BOUND - 1, into_debt=True)
    seat.adjust("debit", 4, into_debt=True)
    assert seat.holding()[:4] == (0, 0, 0, BOUND - 2)
    with pytest.raises(Refusal):
        seat.adjust("debit", 2, into_debt=True)
    seat.adjust("debit", 1, into_debt=True)
    assert seat.holding().debt == BOUND - 1
    assert problems_of(seat.player) == []


# --- One id, several owners ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("opening", "type"), [("withdraw", "withdrawal"), ("deposit", "deposit")])
def test_an_id_is_looked_for_among_this_players_transactions_of_this_game_and_type_alone(house: House, opening: str, type: str, order: int) -> None:
    here, there = (house.game, house.other_game)[::order]
    mm, others = unique("mm"), [house.seat().elsewhere("XAG", here) for _ in range(3)]
    seats = [others[0], others[1], others[2].elsewhere("EUR")]
    player = house.seat().elsewhere("XAG", here)
    euro = player.elsewhere("EUR")
    elsewhere = [player.elsewhere("EUR", there), *(seat.elsewhere("EUR", there) for seat in seats)]
    for seat in (euro, *elsewhere, seats[2]):
        if seat.holding().spendable == 0:
            seat.adjust("credit", 100_00)
    # Around the one that is asked for, before and after it: other ids, the other type, other players, the other game.
    for other in ("a", "z"):
        euro.done(opening, unique(other), "1.00")
    euro.done("deposit" if opening == "withdraw" else "withdraw", mm, "2.00")
    seats[0].done(opening, mm, "3.00")
    elsewhere[0].done(opening, mm, "4.00")
    opened = player.done(opening, mm, "5.00")
    seats[1].done(opening, mm, "6.00")
    seats[2].done(opening, mm, "7.00")
    for session in (player, euro):
        asked = session.done("queryTransaction", mm, type=type).body
        assert (asked["qwTransactionId"], str(asked["amount"]["amount"]), asked["amount"]["currencyCode"]) == (opened.body["qwTransactionId"], "5.00", "XAG")
    assert player.done(opening, mm, "5.00").raw == opened.raw
    # By the session of the other currency: the transaction's wallet is found and locked all the same.
    settled = euro.done(f"confirm{type.title()}", mm)
    assert player.done(f"confirm{type.title()}", mm).raw == settled.raw
    assert settled.body["qwTransactionId"] == opened.body["qwTransactionId"]
    assert {seat.transaction(mm, type).state for seat in (*seats, elsewhere[0])} == {"pending"}
    assert [problems_of(seat.player) for seat in (player, *others)] == [[]] * 4


def test_a_session_is_its_own_games_and_moves_its_own_wallet(house: House) -> None:
    seat = house.seat()
    euro = seat.elsewhere("EUR")
    before = euro.holding()
    seat.done("confirmWithdrawal", seat.opened("withdraw", "1.00"))
    seat.done("rollbackDeposit", unique("overtakes"))
    assert euro.holding() == before
    assert not euro.session().is_kept
    assert seat.session().is_kept


@pytest.mark.parametrize(
    ("outcome", "amount", "currency"),
    [
        *(("opened", "1.00", "XAG"), ("insufficient_funds", "900.00", "XAG"), ("foreign_currency", "1.00", "EUR"), ("session_ended", "1.00", "XAG")),
        *(("player_inactive", "1.00", "XAG"), ("wallet_frozen", "1.00", "XAG"), ("limit_reached", "50.00", "XAG")),
    ],
)
def test_the_call_log_names_the_player_and_the_transaction_of_refused_and_repeated_calls_too(seat: Seat, outcome: str, amount: str, currency: str) -> None:
    causes: dict[str, Callable[[], object]] = {
        "session_ended": seat.end,
        "player_inactive": seat.block,
        "wallet_frozen": lambda: freeze_wallet(seat.wallet(), actor="test", reason="test"),
        "limit_reached": lambda: limit_withdrawals(seat.wallet(), most=10_00, actor="test", reason="test"),
    }
    causes.get(outcome, lambda: None)()
    mm = unique("mm")
    for _ in range(2):
        seat.call("withdraw", mm, amount, currency=currency)
    remembered = seat.transaction(mm).pk if outcome in ("opened", "insufficient_funds", "limit_reached") else None
    rows = list(ApiCall.objects.filter(mm_transaction_id=mm).order_by("at").values_list("outcome", "replayed", "player_id", "transaction_id"))
    assert rows == [(outcome, again and remembered is not None, seat.player.pk, remembered) for again in (False, True)]


def test_a_token_of_another_game_is_unknown_also_where_it_settles(house: House, seat: Seat) -> None:
    mm = seat.opened("withdraw", "1.00")
    stranger = Seat(house.other_game.caller, seat.player, house.other_game.game, seat.token, "XAG")
    answer = stranger.call("rollbackWithdrawal", mm)
    assert (answer.error, answer.body["errorDescription"]) == (102, "The session token is unknown.")
    row = ApiCall.objects.get(mm_transaction_id=mm, game_id=house.other_game.game.pk)
    assert (row.outcome, row.replayed, row.player_id, row.transaction_id) == ("unknown_token", False, None, None)
    assert seat.holding()[:2] == (99_00, 1_00)


def test_the_call_log_names_what_was_asked_in_a_settlement(seat: Seat) -> None:
    mm = seat.opened("deposit", "3.00")
    seat.call("confirmDeposit", mm, "4.00")
    seat.done("confirmDeposit", mm)
    seat.done("confirmDeposit", mm)
    seat.call("confirmDeposit", unique("unknown"))
    id = seat.transaction(mm, "deposit").pk
    columns = ("endpoint", "outcome", "replayed", "player_id", "transaction_id", "amount", "currency_code")
    assert list(ApiCall.objects.filter(mm_transaction_id=mm).order_by("at").values_list(*columns)) == [
        ("deposit", "opened", False, seat.player.pk, id, 3_00, "XAG"),
        ("confirmDeposit", "other_content", False, seat.player.pk, id, 4_00, "XAG"),
        ("confirmDeposit", "confirmed", False, seat.player.pk, id, None, ""),
        ("confirmDeposit", "confirmed", True, seat.player.pk, id, None, ""),
    ]


# --- PostgreSQL before 18 ---------------------------------------------------------------------------


def test_ids_made_without_the_servers_own_function_are_version_7_too(owner: Owner) -> None:
    made = (RIGHTS.parent / "base.sql").read_text().partition("END $do$;")[0] + "END $do$;"
    with owner.transaction(force_rollback=True):
        owner.execute("CREATE SCHEMA before_18")
        owner.execute("SET LOCAL search_path = before_18, public")
        owner.execute(made.replace(">= 180000", ">= 990000"))
        rows = owner.execute("SELECT before_18.wallet_new_id(), extract(epoch FROM clock_timestamp()) FROM generate_series(1, 50)").fetchall()
    assert {(id.version, id.variant) for id, _ in rows} == {(7, RFC_4122)}
    assert all(abs((id.int >> 80) / 1000 - float(epoch)) < 1 for id, epoch in rows)
    assert len({id.int & (1 << 62) - 1 for id, _ in rows}) == 50
