"""The rules that a replay holds a wallet's history to, even where every balance and every hash fits."""

from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.db import connection

from tests.support.callers import Callers, PlayerSession
from wallet.audit.hash_chain import START, EntryRow, TransactionRow, ending, entry_hash, opening
from wallet.audit.replay import Replay, WalletRow
from wallet.audit.rows import ENTRIES_OF, ENTRY_WIDTH, WALLETS_OF
from wallet.operations import freeze_wallet, limit_withdrawals, unfreeze_wallet
from wallet.proof.journal import EntryLine, WalletLine, covered, entry_line

Step = tuple[EntryRow, TransactionRow | None]


def history(player_session: PlayerSession) -> tuple[WalletRow, list[Step]]:
    """A wallet, and its entries with the transaction that each names."""
    with connection.cursor() as cursor:
        cursor.execute(WALLETS_OF, [[player_session.player.pk]])
        wallet = WalletRow(*cursor.fetchone())
        cursor.execute(ENTRIES_OF, [[player_session.player.pk]])
        rows = cursor.fetchall()
    return wallet, [
        (
            EntryRow._make(row[:ENTRY_WIDTH]),
            TransactionRow._make(row[ENTRY_WIDTH:]) if row[ENTRY_WIDTH] else None,
        )
        for row in rows
    ]


def problems_with(
    player_session: PlayerSession, seq: int, changes: dict[str, Any], *, last: int = 99
) -> list[str]:
    """What a replay says of a changed history whose balances and hashes all fit.

    In it one entry is another, or it ends with `last`.
    """
    wallet, steps = history(player_session)
    replay, head = Replay(wallet), START
    balances = {"spendable": 0, "reserved": 0, "debt": 0}
    for e, t in steps[:last]:
        if e.seq == seq:
            e = e._replace(**changes)
        for account, sign in ((e.debit, -1), (e.credit, 1)):
            if account in balances:
                balances[account] += (-sign if account == "debt" else sign) * (e.amount or 0)
        e = e._replace(spendable=balances["spendable"], reserved=balances["reserved"], debt=balances["debt"])
        e = e._replace(hash=entry_hash(head, e, subject(e, t, wallet.currency)))
        head = e.hash
        replay.apply(e, t)
    replay.finish()
    return [one.words for one in replay.problems if not one.key.startswith("the wallet")]


def subject(e: EntryRow, t: TransactionRow | None, currency: str) -> bytes | None:
    if t is None:
        return currency.encode() if e.event == "wallet_opened" else None
    if e.event in ("opened", "declined"):
        return opening(t, e.version)
    if e.event == "debt_repaid":
        return None
    return opening(t, e.version) + ending(t) if e.event in ("tombstone", "adjusted", "posted") else ending(t)


@pytest.fixture
def gated(callers: Callers) -> PlayerSession:
    """A limit, what is opened under it, a freeze, and what is declined.

    Entries: 3 a limit of 50.00, 4 opened 50.00, 5 declined 50.01, 6 frozen, 7 unfrozen, 8 opened 30.00, 9
    declined 30.00.
    """
    player_session = callers.player_session(100_00)
    limit_withdrawals(player_session.wallet(), most=50_00, actor="test", reason="careful")
    player_session.opened("withdraw", "50.00")
    assert player_session.call("withdraw", "over-the-limit", "50.01").error == 111
    freeze_wallet(player_session.wallet(), actor="test", reason="suspicion")
    unfreeze_wallet(player_session.wallet(), actor="test", reason="cleared")
    player_session.opened("withdraw", "30.00")
    assert player_session.call("withdraw", "too-much", "30.00").error == 104
    return player_session


@pytest.mark.parametrize(
    ("seq", "changes", "wrong"),
    [
        (3, {}, []),
        (3, {"amount": 49_99}, [4]),
        (3, {"amount": 50_01}, [5]),
        (3, {"amount": 29_99}, [4, 8, 9]),
        (7, {"event": "frozen"}, [8, 9]),
    ],
)
def test_replay__finds_what_limit_and_freeze_had_to_refuse(
    gated: PlayerSession, seq: int, changes: dict[str, Any], wrong: list[int]
) -> None:
    problems = problems_with(gated, seq, changes)
    assert [problem.split(":")[0] for problem in problems] == [f"entry {number}" for number in wrong]
    assert all("and should not have been" in problem for problem in problems)


def test_replay__finds_debt_that_was_not_repaid_first(callers: Callers) -> None:
    """Entries: 2 credit, 3 and 4 a debit of which 20.00 become debt, 5 credit of 30.00, 6 its repayment."""
    player_session = callers.player_session(10_00)
    player_session.adjust("debit", 30_00, into_debt=True)
    player_session.adjust("credit", 30_00)
    assert problems_with(player_session, 6, {}) == []
    # What its transaction answers is then wrong, too.
    assert "entry 6: debt repaid should be 20.00 XAG, is 19.99 XAG" in problems_with(
        player_session, 6, {"amount": 19_99}
    )
    assert any(
        "debt repaid should be 20.00 XAG, is 0.00 XAG" in problem
        for problem in problems_with(player_session, 6, {"event": "confirmed"})
    )
    assert "20.00 XAG of debt should have been repaid" in problems_with(player_session, 0, {}, last=5)


def test_replay__finds_a_deposit_refused_without_need(callers: Callers) -> None:
    player_session = callers.player_session(10**18 - 1)
    assert player_session.call("deposit", "over-the-bound", "0.01").error == 111
    assert problems_with(player_session, 2, {}) == []
    assert "entry 3: transaction " in problems_with(player_session, 2, {"amount": 10**18 - 2})[-1]


@pytest.mark.parametrize(("version", "is_covered"), [(1, False), (2, True)])
def test_replay__reference_is_covered_from_the_second_format_on(
    player_session: PlayerSession, version: int, is_covered: bool
) -> None:
    """Lines of the first format stay valid.

    What they say of an order is compared with their description instead.
    """
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "5.00"))
    for reference, is_found in ((None, False), (str(uuid4()), is_covered)):
        wallet, steps = history(player_session)
        replay, head = Replay(wallet), START
        for e, t in steps:
            e = e._replace(version=version)
            head = entry_hash(head, e, subject(e, t, wallet.currency))
            replay.apply(e._replace(hash=head), t._replace(reference=reference) if t else None)
        assert any("hash does not fit" in one.words for one in replay.problems) == is_found


def test_replay__finds_an_unknown_format(player_session: PlayerSession) -> None:
    assert "entry 2: format 3 is unknown" in problems_with(player_session, 2, {"version": 3})


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    "reference", [None, "019a1fd1-1a0e-7d3a-88a2-ae2720c2b199"], ids=["none", "an order"]
)
def test_export__line_has_what_its_hash_covers(
    player_session: PlayerSession, version: int, reference: str | None
) -> None:
    wallet, steps = history(player_session)
    line = WalletLine(wallet.wallet_id, wallet.player_id, *wallet[2:8], wallet.head.hex(), *wallet[9:12])
    for e, t in steps:
        t = t._replace(reference=reference) if t else None
        e = e._replace(version=version)
        e = e._replace(hash=entry_hash(START, e, subject(e, t, wallet.currency)))
        exported = msgspec.json.encode(entry_line(e, t))
        assert (b"reference" in exported) == (t is not None and version == 2 and reference is not None)
        row, covers = covered(msgspec.json.decode(exported, type=EntryLine), line)
        assert (row, entry_hash(START, row, covers)) == (e, e.hash)
