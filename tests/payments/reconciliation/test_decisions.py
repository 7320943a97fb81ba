"""What operators decide: by a word, by many words in a file, or by acts that are approved."""

from typing import Any
from uuid import uuid4

import pytest

from benchmarks.seeded_file import HEADER, written
from lib.ids import new_id
from payments.models import Difference
from payments.reconciliation import decision_files
from payments.reconciliation.corrections import Correction, correction_of, settlement_of
from payments.reconciliation.decision_files import HEADERS, NotReadable, read_decisions, rows_of
from payments.reconciliation.decisions import (
    NotDecidable,
    accept,
    await_approval,
    explain,
    follow_approvals,
    reopen,
    resolve,
)
from players.approvals.operations import decline, request_approval
from players.audit_trail.record import Origin
from tests.support.admin_pages import operator
from tests.support.callers import PlayerSession, unique
from tests.support.reconciled import compared, confirmed_of, game_source, text_of
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload

# A test's name has it: it is the same for all processes.
SOME = "0192aa00-0000-7000-8000-000000000001"


def difference(session: PlayerSession) -> Difference:
    """A withdrawal of 2.00 that the file has as 2.50."""
    id = unique("w")
    session.call("withdraw", id, "2.00")
    session.call("confirmWithdrawal", id)
    known = confirmed_of(session)[-1]
    file = compared(game_source(session.game), text_of([HEADER, written(known._replace(amount=2_50))]))
    return Difference.objects.get(file=file, kind="amount")


def test_difference__is_decided_once(player_session: PlayerSession) -> None:
    row = difference(player_session)
    explain(row.pk, actor="operator:a", reason="known")
    accept(row.pk, actor="operator:b", reason="rounding")
    for decide in (accept, explain, resolve):
        with pytest.raises(NotDecidable):
            decide(row.pk, actor="operator:c", reason="again")
    row.refresh_from_db()
    assert (row.state, row.note, row.decided_by) == ("accepted", "rounding", "operator:b")
    reopen(row.pk, actor="operator:c", reason="no")
    row.refresh_from_db()
    assert row.state == "open"


def test_correction__of_an_amount_is_the_rest(player_session: PlayerSession) -> None:
    row = difference(player_session)
    assert correction_of(row) == Correction("debit", 50)
    assert settlement_of(row) is None


@pytest.mark.parametrize(
    ("kind", "type", "theirs", "ours", "expected"),
    [
        ("missing_here", "deposit", ("confirmed", 5), None, Correction("credit", 5)),
        ("missing_here", "withdrawal", ("confirmed", 5), None, Correction("debit", 5)),
        ("missing_here", "deposit", ("pending", 5), None, None),
        ("missing_there", "deposit", None, ("confirmed", 5), Correction("debit", 5)),
        ("missing_there", "withdrawal", None, ("confirmed", 5), Correction("credit", 5)),
        ("state", "withdrawal", ("void", 5), ("confirmed", 5), Correction("credit", 5)),
        ("state", "deposit", ("confirmed", 5), ("expired", 5), Correction("credit", 5)),
        ("state", "deposit", ("confirmed", 5), ("pending", 5), None),
        ("amount", "deposit", ("confirmed", 3), ("confirmed", 5), Correction("debit", 2)),
        ("time", "deposit", ("confirmed", 5), ("confirmed", 5), None),
        ("duplicate", "deposit", ("confirmed", 5), ("confirmed", 5), None),
        ("amount", "payment", ("confirmed", 3), ("confirmed", 5), None),
    ],
)
def test_correction__is_what_the_file_says_otherwise(
    kind: str, type: str, theirs: Any, ours: Any, expected: Correction | None
) -> None:
    def side(values: Any) -> dict[str, Any]:
        return {"state": values[0], "amount": values[1]} if values else {}

    row = Difference(kind=kind, type=type, player_id=uuid4(), theirs=side(theirs), ours=side(ours))
    assert correction_of(row) == expected


@pytest.mark.parametrize(
    ("theirs", "event"), [("confirmed", "confirmed"), ("void", "rolled_back"), ("pending", None)]
)
def test_settlement__is_as_the_file_says(theirs: str, event: str | None) -> None:
    row = Difference(kind="state", type="deposit", theirs={"state": theirs}, ours={"state": "pending"})
    assert settlement_of(row) == event


def test_difference__waits_for_its_approval(player_session: PlayerSession) -> None:
    row, boss = difference(player_session), operator("wallet.adjust_balance")
    approval = request_approval(
        ADJUSTMENT,
        AdjustmentPayload(player_session.player.pk, "XAG", "debit", 50),
        id=new_id(),
        origin=Origin(operator=boss, username=boss.username),
        reason="as the file says",
        digest=None,
    )
    await_approval(row.pk, approval, actor="operator:a")
    follow_approvals()
    row.refresh_from_db()
    assert row.state == "resolving"
    decline(approval.pk, by=operator("wallet.adjust_balance"), reason="no")
    assert follow_approvals() == 1
    row.refresh_from_db()
    assert (row.state, row.approval) == ("open", approval.pk)


def test_decisions__of_an_exported_file_are_read_back(player_session: PlayerSession) -> None:
    row = difference(player_session)
    [cells] = rows_of(row.file)
    line = dict(zip(HEADERS, map(str, cells), strict=True))
    assert (line["kind"], line["file amount"], line["our amount"]) == ("amount", "2.50", "2.00")
    for mark in (",", ";"):
        content = f"\ufeffdifference{mark}decision{mark}reason\r\n{row.pk}{mark}Accept{mark}rounding\r\n"
        [read] = read_decisions(content.encode())
        assert (read.difference, read.word, read.reason) == (row.pk, "accept", "rounding")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x,accept,why", "Line 2: it names no difference. Nothing was done."),
        (f"{SOME},forget,why", "Line 2: the decision must be accept, explain, resolve or reopen."),
        (f"{SOME},accept,", "Line 2: a decision needs a reason of at most 255 characters."),
    ],
)
def test_decisions__that_cannot_be_read_are_refused_as_a_whole(line: str, problem: str) -> None:
    with pytest.raises(NotReadable) as caught:
        read_decisions(f"difference,decision,reason\n{line}\n".encode())
    assert str(caught.value).startswith(problem)


def test_decisions__of_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_files, "MOST_ROWS", 1)
    lines = "".join(f"{uuid4()},accept,why\n" for _ in range(2))
    with pytest.raises(NotReadable):
        read_decisions(f"difference,decision,reason\n{lines}".encode())
