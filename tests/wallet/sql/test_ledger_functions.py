"""The ledger's edges.

Single minor units, what no operation lets happen, and what a row says that no answer shows.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import RFC_4122, UUID, uuid4

import psycopg
import pytest
from django.db import connection

from lib.security.tokens import token_hash
from tests.support.callers import Callers, PlayerSession, act, open_session, unique
from tests.support.invariants import problems_of
from wallet import ledger
from wallet.apps import SQL
from wallet.ledger import CallContext
from wallet.models import ApiCall, Entry
from wallet.operations import freeze_wallet, limit_withdrawals
from wallet.outcomes import LedgerRefused

Owner = psycopg.Connection[Any]
FINISH = """
    SELECT ledger_finish(wallet => w, p_transaction => t.id, p_type => t.type, p_amount => t.amount,
        p_event => %s, p_source => 'game', p_actor => 'test', p_reason => '',
        p_at => wallet_now())
    FROM wallet_transaction t JOIN wallet_wallet w ON w.id = t.wallet_id WHERE t.id = %s
"""


# What a wallet's money stays below, in minor units (contract 1, Amounts).
BOUND = 10**18


@pytest.fixture
def nearly_full(callers: Callers) -> PlayerSession:
    """A wallet 8.00 short of the bound, with 1.00 of it reserved and 2.00 announced."""
    player_session = callers.player_session(0)
    player_session.adjust("credit", BOUND - 10_00)
    player_session.opened("withdraw", "1.00")
    player_session.opened("deposit", "2.00")
    assert player_session.holding()[:3] == (BOUND - 11_00, 1_00, 2_00)
    return player_session


def context(player_session: PlayerSession, endpoint: str, elapsed_us: int) -> CallContext:
    return CallContext(player_session.game.pk, "test", uuid4(), endpoint, "10.0.0.1", elapsed_us)


def test_debt__is_paid_by_the_smallest_increase_too(callers: Callers) -> None:
    player_session = callers.player_session(0)
    player_session.adjust("debit", 2, into_debt=True)
    player_session.done("confirmDeposit", player_session.opened("deposit", "0.01"))
    assert player_session.holding()[:4] == (0, 0, 0, 1)
    player_session.done("confirmDeposit", player_session.opened("deposit", "0.01"))
    assert player_session.holding()[:4] == (0, 0, 0, 0)
    assert problems_of(player_session.player) == []


def test_note__is_only_on_what_an_operator_does_to_a_wallet(callers: Callers) -> None:
    player_session = callers.player_session(50_00)
    for opening, settling in (
        ("withdraw", "confirmWithdrawal"),
        ("withdraw", "rollbackWithdrawal"),
        ("deposit", "confirmDeposit"),
        ("deposit", "rollbackDeposit"),
    ):
        player_session.done(settling, player_session.opened(opening, "1.00"))
    player_session.done("rollbackWithdrawal", unique("overtakes"))
    declined = unique("declined")
    player_session.call("withdraw", declined, "900.00")
    player_session.done("rollbackWithdrawal", declined)
    player_session.adjust("debit", 60_00, into_debt=True)
    player_session.adjust("credit", 60_00)
    overtaking = ApiCall.objects.get(
        endpoint="rollbackWithdrawal",
        player_id=player_session.player.pk,
        mm_transaction_id__startswith="overtakes",
    )
    assert (overtaking.outcome, overtaking.replayed) == ("rolled_back", False)
    rows = Entry.objects.filter(wallet=player_session.wallet())
    assert set(rows.values_list("note", flat=True)) == {""}
    assert set(rows.values_list("event", flat=True)) == {
        *(
            "wallet_opened",
            "adjusted",
            "opened",
            "confirmed",
            "rolled_back",
            "tombstone",
            "declined",
            "rollback_noted",
            "debt_repaid",
        )
    }
    assert problems_of(player_session.player) == []


def test_settle__is_refused_if_settled_even_without_the_lock(
    player_session: PlayerSession, owner: Owner
) -> None:
    settled = player_session.opened("withdraw", "1.00")
    player_session.done("rollbackWithdrawal", settled)
    player_session.opened("withdraw", "5.00")
    before = player_session.holding()
    with pytest.raises(psycopg.errors.RaiseException, match="was settled without the lock on its wallet"):
        owner.execute(FINISH, ["confirmed", player_session.transaction(settled).pk])
    assert player_session.holding() == before


def test_call_log__counts_the_time_before_the_ledger_was_called(player_session: PlayerSession) -> None:
    mm, hash_ = unique("mm"), token_hash(UUID(player_session.token))
    ledger.open_transaction(
        context(player_session, "withdraw", 7_000_000),
        type="withdrawal",
        token_hash=hash_,
        mm_transaction_id=mm,
        amount=1_00,
        currency="XAG",
        description="",
        pending=timedelta(hours=72),
    )
    ledger.query_transaction(
        context(player_session, "queryTransaction", 7_000_000),
        type="withdrawal",
        token_hash=hash_,
        mm_transaction_id=mm,
    )
    ledger.settle_transaction(
        context(player_session, "confirmWithdrawal", 7_000_000),
        event="confirmed",
        type="withdrawal",
        token_hash=hash_,
        mm_transaction_id=mm,
    )
    took = list(ApiCall.objects.filter(mm_transaction_id=mm).values_list("took_us", flat=True))
    assert len(took) == 3
    assert all(7_000_000 < microseconds < 17_000_000 for microseconds in took)


def test_credit__is_refused_at_the_bound(nearly_full: PlayerSession) -> None:
    before = nearly_full.holding()
    with pytest.raises(LedgerRefused) as refused:
        nearly_full.adjust("credit", 8_00)
    assert (refused.value.outcome, nearly_full.holding()) == ("limit_reached", before)
    assert nearly_full.adjust("credit", 7_99).balance == BOUND - 11_00 + 7_99


def test_withdraw__from_a_nearly_full_wallet_meets_no_bound(nearly_full: PlayerSession) -> None:
    nearly_full.done("confirmWithdrawal", nearly_full.opened("withdraw", "8.00"))
    assert nearly_full.holding()[:3] == (BOUND - 19_00, 1_00, 2_00)


def test_debt__stays_below_the_bound(callers: Callers) -> None:
    player_session = callers.player_session(5)
    with pytest.raises(LedgerRefused) as refused:
        player_session.adjust("debit", BOUND + 5, into_debt=True)
    assert (refused.value.outcome, player_session.holding()[:4]) == ("limit_reached", (5, 0, 0, 0))
    player_session.adjust("debit", BOUND - 1, into_debt=True)
    player_session.adjust("debit", 4, into_debt=True)
    assert player_session.holding()[:4] == (0, 0, 0, BOUND - 2)
    with pytest.raises(LedgerRefused):
        player_session.adjust("debit", 2, into_debt=True)
    player_session.adjust("debit", 1, into_debt=True)
    assert player_session.holding().debt == BOUND - 1
    assert problems_of(player_session.player) == []


def test_credit__has_the_bound_of_money_and_not_that_of_debt(callers: Callers) -> None:
    player_session = callers.player_session(0)
    player_session.adjust("debit", 5, into_debt=True)
    player_session.adjust("credit", BOUND - 1, into_debt=True)
    assert player_session.holding()[:4] == (BOUND - 6, 0, 0, 0)


# --- One id, several owners ---------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("opening", "type"), [("withdraw", "withdrawal"), ("deposit", "deposit")])
def test_transaction_id__is_looked_up_in_player_game_and_type(
    callers: Callers, opening: str, type: str, order: int
) -> None:
    here, there = (callers.game, callers.other_game)[::order]
    mm, others = unique("mm"), [callers.player_session().elsewhere("XAG", here) for _ in range(3)]
    player_sessions = [others[0], others[1], others[2].elsewhere("EUR")]
    player = callers.player_session().elsewhere("XAG", here)
    euro = player.elsewhere("EUR")
    elsewhere = [
        player.elsewhere("EUR", there),
        *(player_session.elsewhere("EUR", there) for player_session in player_sessions),
    ]
    for player_session in (euro, *elsewhere, player_sessions[2]):
        if player_session.holding().spendable == 0:
            player_session.adjust("credit", 100_00)
    # Around the one that is asked for, before and after it: other ids, the other type, other players, the
    # other game.
    for other in ("a", "z"):
        euro.done(opening, unique(other), "1.00")
    euro.done("deposit" if opening == "withdraw" else "withdraw", mm, "2.00")
    player_sessions[0].done(opening, mm, "3.00")
    elsewhere[0].done(opening, mm, "4.00")
    opened = player.done(opening, mm, "5.00")
    player_sessions[1].done(opening, mm, "6.00")
    player_sessions[2].done(opening, mm, "7.00")
    for session in (player, euro):
        asked = session.done("queryTransaction", mm, type=type).body
        assert (
            asked["qwTransactionId"],
            str(asked["amount"]["amount"]),
            asked["amount"]["currencyCode"],
        ) == (opened.body["qwTransactionId"], "5.00", "XAG")
    assert player.done(opening, mm, "5.00").raw == opened.raw
    # By the session of the other currency: the transaction's wallet is found and locked all the same.
    settled = euro.done(f"confirm{type.title()}", mm)
    assert player.done(f"confirm{type.title()}", mm).raw == settled.raw
    assert settled.body["qwTransactionId"] == opened.body["qwTransactionId"]
    assert {
        player_session.transaction(mm, type).state for player_session in (*player_sessions, elsewhere[0])
    } == {"pending"}
    assert [problems_of(player_session.player) for player_session in (player, *others)] == [[]] * 4


def test_query__names_the_currency_of_the_transaction_found(player_session: PlayerSession) -> None:
    euro = player_session.elsewhere("EUR")
    euro.adjust("credit", 5_00)
    for table in (player_session, euro):
        asked = table.done("queryTransaction", table.opened("withdraw", "1.00"), type="withdrawal")
        assert asked.body["amount"]["currencyCode"] == table.currency


def test_session__is_its_own_games_and_moves_its_own_wallet(callers: Callers) -> None:
    player_session = callers.player_session()
    euro = player_session.elsewhere("EUR")
    before = euro.holding()
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "1.00"))
    player_session.done("rollbackDeposit", unique("overtakes"))
    assert euro.holding() == before
    assert not euro.session().is_kept
    assert player_session.session().is_kept


@pytest.mark.parametrize(
    ("outcome", "amount", "currency"),
    [
        *(
            ("opened", "1.00", "XAG"),
            ("insufficient_funds", "900.00", "XAG"),
            ("foreign_currency", "1.00", "EUR"),
            ("session_ended", "1.00", "XAG"),
        ),
        *(
            ("player_inactive", "1.00", "XAG"),
            ("wallet_frozen", "1.00", "XAG"),
            ("limit_reached", "50.00", "XAG"),
        ),
    ],
)
def test_call_log__names_player_and_id_if_refused_or_repeated(
    player_session: PlayerSession, outcome: str, amount: str, currency: str
) -> None:
    causes: dict[str, Callable[[], object]] = {
        "session_ended": player_session.end,
        "player_inactive": player_session.block,
        "wallet_frozen": lambda: freeze_wallet(player_session.wallet(), actor="test", reason="test"),
        "limit_reached": lambda: limit_withdrawals(
            player_session.wallet(), most=10_00, actor="test", reason="test"
        ),
    }
    causes.get(outcome, lambda: None)()
    mm = unique("mm")
    for _ in range(2):
        player_session.call("withdraw", mm, amount, currency=currency)
    remembered = (
        player_session.transaction(mm).pk
        if outcome in ("opened", "insufficient_funds", "limit_reached")
        else None
    )
    rows = list(
        ApiCall.objects.filter(mm_transaction_id=mm)
        .order_by("at")
        .values_list("outcome", "replayed", "player_id", "transaction_id")
    )
    assert rows == [
        (outcome, again and remembered is not None, player_session.player.pk, remembered)
        for again in (False, True)
    ]


def test_token__of_another_game_is_unknown_in_settlement_too(
    callers: Callers, player_session: PlayerSession
) -> None:
    mm = player_session.opened("withdraw", "1.00")
    stranger = PlayerSession(
        callers.other_game.caller, player_session.player, callers.other_game.game, player_session.token, "XAG"
    )
    answer = stranger.call("rollbackWithdrawal", mm)
    assert (answer.error, answer.body["errorDescription"]) == (102, "The session token is unknown.")
    row = ApiCall.objects.get(mm_transaction_id=mm, game_id=callers.other_game.game.pk)
    assert (row.outcome, row.replayed, row.player_id, row.transaction_id) == (
        "unknown_token",
        False,
        None,
        None,
    )
    assert player_session.holding()[:2] == (99_00, 1_00)


def test_call_log__names_what_was_asked_in_a_settlement(player_session: PlayerSession) -> None:
    mm = player_session.opened("deposit", "3.00")
    player_session.call("confirmDeposit", mm, "4.00")
    player_session.done("confirmDeposit", mm)
    player_session.done("confirmDeposit", mm)
    player_session.call("confirmDeposit", unique("unknown"))
    id = player_session.transaction(mm, "deposit").pk
    columns = ("endpoint", "outcome", "replayed", "player_id", "transaction_id", "amount", "currency_code")
    assert list(ApiCall.objects.filter(mm_transaction_id=mm).order_by("at").values_list(*columns)) == [
        ("deposit", "opened", False, player_session.player.pk, id, 3_00, "XAG"),
        ("confirmDeposit", "other_content", False, player_session.player.pk, id, 4_00, "XAG"),
        ("confirmDeposit", "confirmed", False, player_session.player.pk, id, None, ""),
        ("confirmDeposit", "confirmed", True, player_session.player.pk, id, None, ""),
    ]


# --- PostgreSQL before 18 ---------------------------------------------------------------------------


def test_uuid7__made_without_the_servers_own_function_too(owner: Owner) -> None:
    made = (SQL / "base.sql").read_text().partition("END $do$;")[0] + "END $do$;"
    with owner.transaction(force_rollback=True):
        owner.execute("CREATE SCHEMA before_18")
        owner.execute("SET LOCAL search_path = before_18, public")
        owner.execute(made.replace(">= 180000", ">= 990000"))
        rows = owner.execute(
            "SELECT before_18.wallet_new_id(), extract(epoch FROM clock_timestamp()) FROM "
            "generate_series(1, 50)"
        ).fetchall()
    assert {(id.version, id.variant) for id, _ in rows} == {(7, RFC_4122)}
    assert all(abs((id.int >> 80) / 1000 - float(epoch)) < 1 for id, epoch in rows)
    assert len({id.int & (1 << 62) - 1 for id, _ in rows}) == 50


# --- At the same instant ------------------------------------------------------------------------------


def test_launch__waits_for_another_that_opens_the_same_wallet(callers: Callers, owner: Owner) -> None:
    player = callers.player_session(0).player

    def launch() -> PlayerSession:
        try:
            return open_session(callers.game, player, "EUR")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute(
                "SELECT ledger_open_wallet(p_player => %s, p_currency => 'EUR', p_actor => 'test')",
                [player.pk],
            )
            launched = pool.submit(launch)
            with pytest.raises(TimeoutError):
                launched.result(0.5)
        player_session = launched.result(10)
    assert player_session.holding() == (0, 0, 0, 0, 1)
    assert problems_of(player) == []


# --- What is not there --------------------------------------------------------------------------------


def test_adjustment__and_gate_need_an_opened_wallet(player_session: PlayerSession) -> None:
    player, id = player_session.player.pk, uuid4()
    adjusted = ledger.adjust_wallet(
        transaction_id=id,
        player_id=player,
        currency="EUR",
        type="credit",
        amount=1_00,
        into_debt=False,
        source="operator",
        actor="test",
        reason="test",
    )
    gated = ledger.gate_wallet(player_id=player, currency="EUR", event="frozen", actor="test", note="test")
    assert [adjusted.outcome, gated.outcome] == ["wallet_not_found"] * 2
    assert player_session.elsewhere("EUR").holding() == (0, 0, 0, 0, 1)


# --- Adjustments --------------------------------------------------------------------------------------


def test_debit__with_exactly_enough_or_more_is_taken(callers: Callers) -> None:
    player_session = callers.player_session(11)
    assert player_session.adjust("debit", 4).balance == 7
    assert player_session.adjust("debit", 1).balance == 6
    assert player_session.adjust("debit", 6).balance == 0
    assert player_session.holding()[:4] == (0, 0, 0, 0)
    assert problems_of(player_session.player) == []


def test_debit__takes_the_last_minor_unit_before_it_makes_debt(callers: Callers) -> None:
    player_session = callers.player_session(1)
    player_session.adjust("debit", 2, into_debt=True)
    assert player_session.holding() == (0, 0, 0, 1, 4)
    assert problems_of(player_session.player) == []


def test_adjustment__repeat_is_answered_from_its_own_wallet(player_session: PlayerSession) -> None:
    euro, ids = player_session.elsewhere("EUR"), (uuid4(), uuid4())
    first = [
        where.adjust("credit", amount, id=id)
        for where, amount, id in zip((player_session, euro), (5, 7), ids, strict=True)
    ]
    euro.adjust("credit", 1)
    again = [
        where.adjust("credit", amount, id=id)
        for where, amount, id in zip((player_session, euro), (5, 7), ids, strict=True)
    ]
    assert again == first
    assert [answer.balance for answer in again] == [100_05, 7]


@pytest.mark.parametrize("type", ["credit", "debit"])
@pytest.mark.parametrize("amount", [0, -1])
def test_database__moves_no_amount_below_one_minor_unit(
    player_session: PlayerSession, type: str, amount: int
) -> None:
    before = player_session.holding()
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="takes no amount"):
        ledger.adjust_wallet(
            transaction_id=uuid4(),
            player_id=player_session.player.pk,
            currency="XAG",
            type=type,
            amount=amount,
            into_debt=True,
            source="operator",
            actor="test",
            reason="test",
        )
    assert player_session.holding() == before


def test_entry__that_moves_nothing_has_no_amount_instead_of_zero(
    player_session: PlayerSession, owner: Owner
) -> None:
    columns = ", ".join(
        field.column for field in Entry._meta.concrete_fields if field.column not in (None, "seq", "amount")
    )
    copy = (
        f"INSERT INTO wallet_entry (seq, amount, {columns}) SELECT 9, 0, {columns} FROM wallet_entry "
        "WHERE wallet_id = %s AND seq = 1"
    )
    with pytest.raises(psycopg.errors.CheckViolation, match="entry_amount_is_positive"):
        owner.execute(copy, [player_session.wallet().pk])


def test_gate__that_was_so_already_is_unchanged(player_session: PlayerSession) -> None:
    outcomes = [
        ledger.gate_wallet(
            player_id=player_session.player.pk, currency="XAG", event="frozen", actor="test", note="test"
        ).outcome
        for _ in range(2)
    ]
    assert outcomes == ["frozen", "unchanged"]


# --- What an answer says that nobody is told -----------------------------------------------------------


def test_platform_answer__names_player_transaction_and_wallet(
    player_session: PlayerSession, owner: Owner
) -> None:
    player, id, mm = player_session.player.pk, uuid4(), player_session.opened("withdraw", "10.00")
    pending = player_session.transaction(mm).pk
    act(id, player_session.player, "debit", 5_00)
    adjust = """
        SELECT * FROM ledger_adjust(p_id => %s, p_player => %s, p_currency => %s, p_type => 'debit',
            p_amount => 500,
            p_into_debt => false, p_source => 'operator', p_actor => 'operator:test', p_reason => 'test')
    """
    gate = """
        SELECT * FROM ledger_gate(p_player => %s, p_currency => %s, p_event => 'frozen', p_limit => NULL,
            p_actor => 'test', p_note => 'test')
    """
    resolve = """
        SELECT * FROM ledger_resolve(p_transaction => %s, p_event => 'expired', p_source => 'sweep',
            p_actor => 'test',
            p_reason => 'test')
    """
    asked: list[tuple[str, list[Any]]] = [
        *(
            (adjust, [id, player, "XAG"]),
            (adjust, [id, player, "XAG"]),
            (adjust, [pending, player, "XAG"]),
            (adjust, [id, player, "EUR"]),
        ),
        *((gate, [player, "XAG"]), (gate, [player, "XAG"]), (gate, [player, "EUR"])),
        *((resolve, [pending]), (resolve, [pending]), (resolve, [uuid4()])),
    ]
    assert [owner.execute(statement, parameters).fetchone() for statement, parameters in asked] == [
        ("adjusted", False, player, id, 85_00, "XAG"),
        ("adjusted", True, player, id, 85_00, "XAG"),
        ("other_content", False, player, pending, 85_00, "XAG"),
        ("wallet_not_found", False, None, None, None, None),
        ("frozen", False, player, None, 85_00, "XAG"),
        ("unchanged", False, player, None, 85_00, "XAG"),
        ("wallet_not_found", False, None, None, None, None),
        ("expired", False, player, pending, 95_00, "XAG"),
        ("already_expired", False, player, pending, 95_00, "XAG"),
        ("not_found", False, None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("settling", "amount", "outcome"),
    [("rollbackWithdrawal", 5_00, "already_rolled_back"), ("confirmWithdrawal", 6_00, "other_content")],
)
def test_transaction_id__of_other_currency_shows_that_wallet(
    player_session: PlayerSession, settling: str, amount: int, outcome: str
) -> None:
    euro, mm = player_session.elsewhere("EUR"), player_session.opened("withdraw", "5.00")
    euro.adjust("credit", 7_00)
    player_session.done(settling, mm)
    refused = ledger.open_transaction(
        context(euro, "withdraw", 0),
        type="withdrawal",
        token_hash=token_hash(UUID(euro.token)),
        mm_transaction_id=mm,
        amount=amount,
        currency="EUR",
        description="",
        pending=timedelta(hours=72),
    )
    assert refused == (
        outcome,
        str(player_session.transaction(mm).pk),
        player_session.holding().spendable,
        "XAG",
    )


def test_refusal__of_a_forgotten_opening_has_the_balance_too(player_session: PlayerSession) -> None:
    refused = ledger.open_transaction(
        context(player_session, "withdraw", 0),
        type="withdrawal",
        token_hash=token_hash(UUID(player_session.token)),
        mm_transaction_id=unique("mm"),
        amount=1,
        currency="EUR",
        description="",
        pending=timedelta(hours=72),
    )
    assert (refused.outcome, refused.balance, refused.currency) == ("foreign_currency", 100_00, "XAG")


def test_call_log__finds_a_call_by_the_games_id_through_an_index(owner: Owner) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL enable_seqscan = off")
        plan = owner.execute("EXPLAIN SELECT * FROM wallet_apicall WHERE mm_transaction_id = 'x'").fetchall()
    assert any("Index Cond: ((mm_transaction_id)" in line for (line,) in plan), plan
