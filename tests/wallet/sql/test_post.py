"""What payments write into the ledger.

All or nothing, in the wallets' order, and never more than a wallet may hold or owe.
"""

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue, LockNotAvailable

from lib.ids import new_id
from tests.support.callers import Callers, Holding, PlayerSession, act, holding
from tests.support.invariants import problems_of
from wallet import ledger, ledger_tries
from wallet.ledger import Posting
from wallet.models import Entry, Transaction
from wallet.operations import resolve_transaction

BOUND = 10**18
MOVES = {
    "payment": ("provider_clearing", "issuance"),
    "sale": ("provider_clearing", "game_revenue"),
    "payment_return": ("issuance", "provider_clearing"),
    "sale_return": ("game_revenue", "provider_clearing"),
    "top_up": ("issuance", "spendable"),
    "clawback": ("spendable", "issuance"),
}


def post(player_session: PlayerSession, *postings: Posting) -> str:
    return ledger.post(
        player_id=player_session.player.pk,
        game_id=player_session.game.pk,
        postings=postings,
        reference=None,
        description="order of a test",
        source="provider",
        actor="provider:test",
        reason="paid",
    )


def one(type: str, amount: int, currency: str = "XAG", reverses: uuid.UUID | None = None) -> Posting:
    return Posting(new_id(), type, currency, amount, reverses)


def aside(
    player_session: PlayerSession, most: int, currency: str = "XAG", id: uuid.UUID | None = None
) -> int:
    return ledger.set_aside(
        transaction_id=id or new_id(),
        player_id=player_session.player.pk,
        game_id=player_session.game.pk,
        currency=currency,
        most=most,
        reverses=None,
        reference=None,
        description="order of a test",
        source="operator",
        actor="operator:test",
    )


def journal(id: uuid.UUID) -> list[tuple[str, str | None, str | None, int | None]]:
    entries = Entry.objects.filter(transaction=id).order_by("seq")
    # Notes are for what operators do to a wallet.
    assert {entry.note for entry in entries} == {""}
    return [(entry.event, entry.debit, entry.credit, entry.amount) for entry in entries]


@pytest.mark.parametrize("type", MOVES)
def test_post__each_posting_moves_between_its_two_accounts(player_session: PlayerSession, type: str) -> None:
    posting = one(type, 7_00)
    assert post(player_session, posting) == "posted"
    assert journal(posting.id) == [("posted", *MOVES[type], 7_00)]
    change = {"top_up": 7_00, "clawback": -7_00}.get(type, 0)
    assert player_session.holding() == Holding(100_00 + change, 0, 0, 0, 3)
    row = Transaction.objects.get(pk=posting.id)
    assert (row.type, row.state, row.amount, row.game_id, row.source, row.actor) == (
        type,
        "confirmed",
        7_00,
        player_session.game.pk,
        "provider",
        "provider:test",
    )
    assert (
        row.description,
        row.reason,
        row.settled_source,
        row.opened_seq,
        row.settled_seq,
        row.settled_at,
    ) == (*("order of a test", "paid", "provider", 3, 3, row.opened_at),)
    assert problems_of(player_session.player) == []


def test_post__in_two_currencies_opens_the_missing_wallet(player_session: PlayerSession) -> None:
    paid, credited = one("payment", 4_99, "EUR"), one("top_up", 500_00)
    assert post(player_session, credited, paid) == "posted"
    assert (player_session.holding().spendable, holding(player_session.player, "EUR")) == (
        600_00,
        Holding(0, 0, 0, 0, 2),
    )
    assert problems_of(player_session.player) == []


def test_clawback__takes_what_is_there_and_the_rest_becomes_debt(player_session: PlayerSession) -> None:
    posting = one("clawback", 130_00)
    assert post(player_session, posting) == "posted"
    assert journal(posting.id) == [
        ("posted", "spendable", "issuance", 100_00),
        ("posted", "debt", "issuance", 30_00),
    ]
    assert player_session.holding() == Holding(0, 0, 0, 30_00, 4)
    again = one("clawback", 5_00)
    assert post(player_session, again) == "posted"
    assert journal(again.id) == [("posted", "debt", "issuance", 5_00)]
    credit = one("top_up", 50_00)
    assert post(player_session, credit) == "posted"
    assert journal(credit.id) == [
        ("posted", "issuance", "spendable", 50_00),
        ("debt_repaid", "spendable", "debt", 35_00),
    ]
    assert (player_session.holding().spendable, player_session.holding().debt) == (15_00, 0)
    assert Transaction.objects.get(pk=credit.id).settled_seq == 7
    assert problems_of(player_session.player) == []


def test_post__names_what_it_takes_back(player_session: PlayerSession) -> None:
    first = one("top_up", 5_00)
    second = one("clawback", 5_00, reverses=first.id)
    assert post(player_session, first, second) == "posted"
    assert Transaction.objects.get(pk=second.id).reverses_id == first.id
    assert problems_of(player_session.player) == []


@pytest.mark.parametrize(
    ("funds", "amount", "outcome"),
    [(1, BOUND - 2, "posted"), (1, BOUND - 1, "limit_reached"), (2, BOUND - 2, "limit_reached")],
)
def test_post__wallet_never_holds_more_than_the_bound(
    callers: Callers, funds: int, amount: int, outcome: str
) -> None:
    player_session = callers.player_session(funds)
    before, credit = player_session.holding(), one("top_up", amount)
    assert post(player_session, one("payment", 4_99, "EUR"), credit) == outcome
    if outcome == "limit_reached":
        # Nothing of it is written, in no wallet.
        assert (player_session.holding(), holding(player_session.player, "EUR")) == (before, Holding())
        assert not Transaction.objects.filter(pk=credit.id).exists()
    else:
        assert player_session.holding().spendable == BOUND - 1


def test_post__reserved_and_announced_count_towards_the_bound(callers: Callers) -> None:
    player_session = callers.player_session(10)
    player_session.opened("withdraw", "0.04")
    player_session.opened("deposit", "0.05")
    assert post(player_session, one("top_up", BOUND - 15)) == "limit_reached"
    assert post(player_session, one("top_up", BOUND - 16)) == "posted"


@pytest.mark.parametrize(("amount", "outcome"), [(BOUND + 4, "posted"), (BOUND + 5, "limit_reached")])
def test_post__player_never_owes_more_than_the_bound(callers: Callers, amount: int, outcome: str) -> None:
    player_session = callers.player_session(5)
    assert post(player_session, one("clawback", amount)) == outcome
    assert player_session.holding().debt == (BOUND - 1 if outcome == "posted" else 0)


def test_post__existing_debt_counts_towards_the_bound(callers: Callers) -> None:
    player_session = callers.player_session(0)
    assert post(player_session, one("clawback", 5)) == "posted"
    assert post(player_session, one("clawback", BOUND - 5)) == "limit_reached"
    assert post(player_session, one("clawback", BOUND - 6)) == "posted"


def test_post__ledger_refuses_an_unknown_type_and_no_amount(player_session: PlayerSession) -> None:
    for posting in (one("gift", 1), one("payment", 0), one("top_up", -1)):
        with pytest.raises(InvalidParameterValue, match=r"takes no (type|amount)"):
            post(player_session, posting)
    assert player_session.holding() == Holding(100_00, 0, 0, 0, 2)


def test_post__id_is_posted_once(player_session: PlayerSession) -> None:
    posting = one("top_up", 1)
    assert post(player_session, posting) == "posted"
    with pytest.raises(OperationalError, match="race was lost"):
        post(player_session, posting)
    assert player_session.holding().spendable == 100_01


# --- Credit that is set aside --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "credit", "spendable"), [("confirmed", "issuance", 60_00), ("rolled_back", "spendable", 100_00)]
)
def test_set_aside__credit_is_then_gone_or_given_back(
    player_session: PlayerSession, event: str, credit: str, spendable: int
) -> None:
    id = new_id()
    assert aside(player_session, 40_00, id=id) == 40_00
    assert player_session.holding() == Holding(60_00, 40_00, 0, 0, 3)
    row = Transaction.objects.get(pk=id)
    assert (row.type, row.state, row.amount, row.due_at, row.settled_at, row.source) == (
        "set_aside",
        "pending",
        40_00,
        None,
        None,
        "operator",
    )
    resolve_transaction(id, event=event, source="provider", actor="provider:test", reason="its end")
    assert journal(id) == [("opened", "spendable", "reserved", 40_00), (event, "reserved", credit, 40_00)]
    assert player_session.holding() == Holding(spendable, 0, 0, 0, 4)
    assert problems_of(player_session.player) == []


def test_set_aside__takes_the_least_amount(callers: Callers) -> None:
    player_session = callers.player_session(1)
    assert aside(player_session, 1) == 1
    assert player_session.holding() == Holding(0, 1, 0, 0, 3)


def test_set_aside__takes_only_what_is_there(player_session: PlayerSession) -> None:
    assert aside(player_session, 100_01) == 100_00
    id = new_id()
    assert aside(player_session, 1, id=id) == 0
    assert aside(player_session, 1, "EUR") == 0
    assert not Transaction.objects.filter(pk=id).exists()
    assert player_session.holding() == Holding(0, 100_00, 0, 0, 3)
    assert problems_of(player_session.player) == []


def test_set_aside__credit_given_back_pays_debt_first(player_session: PlayerSession) -> None:
    id = new_id()
    assert aside(player_session, 100_00, id=id) == 100_00
    assert post(player_session, one("clawback", 30_00)) == "posted"
    resolve_transaction(id, event="rolled_back", source="provider", actor="provider:test", reason="refused")
    assert player_session.holding() == Holding(70_00, 0, 0, 0, 6)
    assert problems_of(player_session.player) == []


def test_post__frozen_wallet_is_credited_and_set_aside(player_session: PlayerSession) -> None:
    from_wallet = player_session.wallet()
    ledger.gate_wallet(
        player_id=player_session.player.pk, currency="XAG", event="frozen", actor="test", note=""
    )
    assert post(player_session, one("top_up", 1_00)) == "posted"
    assert aside(player_session, 1_00) == 1_00
    assert player_session.wallet().pk == from_wallet.pk
    assert problems_of(player_session.player) == []


def test_post__inner_function_is_not_for_the_application(player_session: PlayerSession) -> None:
    with pytest.raises(InsufficientPrivilege):
        ledger_tries.run(
            """
            SELECT ledger_post_one(wallet => w, p_id => %(id)s, p_type => 'top_up', p_event => 'posted',
                p_amount => 1, p_reverses => NULL,
                p_game => NULL, p_reference => NULL, p_description => '', p_source => 'x', p_actor => 'x',
                p_reason => '',
                p_at => now())
            FROM wallet_wallet w LIMIT 1
            """,
            {"id": new_id()},
        )


@pytest.mark.parametrize(
    "writes",
    [
        lambda player_session: post(player_session, one("top_up", 1_00)),
        lambda player_session: aside(player_session, 104_00),
    ],
    ids=["posts", "sets aside"],
)
def test_post__what_somebody_else_has_just_done_counts(
    player_session: PlayerSession, owner: "psycopg.Connection[Any]", writes: Callable[[PlayerSession], object]
) -> None:
    """It waits for the wallet, and goes on from what stands there then."""
    credit = """
        SELECT ledger_adjust(p_id => %s, p_player => %s, p_currency => 'XAG', p_type => 'credit',
            p_amount => 500,
            p_into_debt => false, p_source => 'operator', p_actor => 'operator:test', p_reason => 'test')
    """
    id = act(new_id(), player_session.player, "credit", 5_00)
    with (
        psycopg.connect(owner.info.dsn, password=owner.info.password) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute(credit, [id, player_session.player.pk])
        waiting = pool.submit(in_a_thread, lambda: writes(player_session))
        eventually(lambda: is_anybody_waiting(owner))
        other.commit()
        assert waiting.result(10) in ("posted", 104_00)
    held = player_session.holding()
    assert held.spendable + held.reserved == (106_00 if held.reserved == 0 else 105_00)
    assert problems_of(player_session.player) == []


def in_a_thread(act: Callable[[], object]) -> object:
    """The thread has a connection of its own, which ends with it."""
    try:
        return act()
    finally:
        connection.close()


def is_anybody_waiting(looking: "psycopg.Connection[Any]") -> bool:
    question = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type "
        "= 'Lock'"
    )
    return looking.execute(question).fetchone() != (0,)


POST = """
    SELECT ledger_post(p_player => %s, p_game => %s, p_ids => %s, p_currencies => %s, p_types => %s,
        p_amounts => %s,
        p_reverses => %s, p_reference => NULL, p_description => '', p_source => 'x', p_actor => 'x',
        p_reason => '')
"""


@pytest.mark.parametrize("codes", [["EUR", "XAG"], ["XAG", "EUR"]])
@pytest.mark.parametrize("held", [0, 1])
def test_post__locks_wallets_in_the_order_of_their_ids(
    player_session: PlayerSession,
    owner: "psycopg.Connection[Any]",
    database_url: str,
    codes: list[str],
    held: int,
) -> None:
    """Who waits for the later wallet has locked the earlier one.

    Who waits for the earlier one has locked nothing.
    """
    assert post(player_session, one("payment", 1, "EUR"), one("top_up", 1)) == "posted"
    ids = sorted(
        id
        for (id,) in owner.execute(
            "SELECT id FROM wallet_wallet WHERE player_id = %s", [player_session.player.pk]
        )
    )
    postings = [
        player_session.player.pk,
        player_session.game.pk,
        [new_id(), new_id()],
        codes,
        ["payment", "payment"],
        [1, 1],
        [None, None],
    ]
    with (
        psycopg.connect(database_url) as posting,
        psycopg.connect(owner.info.dsn, password=owner.info.password, autocommit=True) as looking,
        ThreadPoolExecutor(1) as pool,
    ):
        with owner.transaction(force_rollback=True):
            owner.execute("SELECT 1 FROM wallet_wallet WHERE id = %s FOR UPDATE", [ids[held]])
            waiting = pool.submit(posting.execute, POST, postings)
            eventually(lambda: is_waiting(looking, posting.info.backend_pid))
            assert is_locked(looking, ids[1 - held]) == (held == 1)
        assert waiting.result(10).fetchone() == ("posted",)


def is_waiting(looking: "psycopg.Connection[Any]", pid: int) -> bool:
    return bool(
        looking.execute("SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted", [pid]).fetchone()
        != (0,)
    )


def is_locked(looking: "psycopg.Connection[Any]", wallet: uuid.UUID) -> bool:
    try:
        looking.execute("SELECT 1 FROM wallet_wallet WHERE id = %s FOR UPDATE NOWAIT", [wallet])
    except LockNotAvailable:
        return True
    return False


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
