"""A request ends once, by a second person who saw its effect, and nothing else can end it."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, transaction

from lib.ids import new_id
from players.approvals.kinds import NotExecutable
from players.approvals.operations import (
    ApprovalRefused,
    PreviewChanged,
    approve,
    decline,
    expire_due,
    request_approval,
    secret_of,
    withdraw,
)
from players.models import Approval, ApprovalEvent, AuditEvent, Operator
from tests.conftest import Clock
from tests.support.admin_pages import operator
from tests.support.approvals import credit_of, origin_of, present_digest, request_credit
from tests.support.callers import Callers, PlayerSession
from tests.support.invariants import problems_of
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload, BalanceAdjustment
from wallet.models import Transaction

State = Approval.State
ADJUST = "wallet.adjust_balance"


@pytest.fixture
def asker(database: None) -> Operator:
    return operator(ADJUST)


@pytest.fixture
def other(database: None) -> Operator:
    return operator(ADJUST)


def events_of(approval: Approval) -> list[tuple[str, str]]:
    found = ApprovalEvent.objects.filter(approval=approval).order_by("pk").select_related("operator")
    return [(event.what, event.operator.username if event.operator else "") for event in found]


def test_request__waits_and_moves_nothing(asker: Operator, player_session: PlayerSession) -> None:
    approval = request_credit(asker, player_session, 5_00)
    assert (approval.state, approval.is_alone, approval.decided_by) == (State.REQUESTED, False, None)
    assert (approval.title, approval.amount, approval.currency_code) == (
        f"Credit 5.00 XAG to {player_session.player.uid}",
        5_00,
        "XAG",
    )
    assert approval.effect == [
        ["Spendable", "100.00 XAG", "105.00 XAG"],
        ["Reserved", "0.00 XAG", "0.00 XAG"],
        ["Debt", "0.00 XAG", "0.00 XAG"],
    ]
    assert approval.expires_at - approval.requested_at == timedelta(hours=72)
    assert events_of(approval) == [("requested", asker.username)]
    assert player_session.holding().spendable == 100_00


def test_approve__executes_once_what_was_seen(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    approval = request_credit(asker, player_session, 5_00)
    done = approve(approval.pk, origin=origin_of(other), digest=present_digest(approval))
    assert (done.state, done.decided_by, player_session.holding().spendable) == (
        State.EXECUTED,
        other,
        105_00,
    )
    assert done.result == "Credit of 5.00 XAG posted; spendable after it: 105.00 XAG."
    assert events_of(approval) == [
        ("requested", asker.username),
        ("approved", other.username),
        ("executed", other.username),
    ]
    with pytest.raises(ApprovalRefused, match="ended already: it is executed"):
        approve(approval.pk, origin=origin_of(other), digest=approval.digest)
    assert player_session.holding().spendable == 105_00
    assert Transaction.objects.get(pk=approval.pk).actor == f"operator:{asker.username}"
    act = AuditEvent.objects.get(approval_id=approval.pk)
    assert (act.action, act.subject_id, act.username, act.reason) == (
        "adjust_balance",
        str(player_session.wallet().pk),
        other.username,
        "Goodwill",
    )
    assert (act.before, act.after) == (
        {"Spendable": "100.00 XAG", "Reserved": "0.00 XAG", "Debt": "0.00 XAG"},
        {"Spendable": "105.00 XAG", "Reserved": "0.00 XAG", "Debt": "0.00 XAG"},
    )
    assert problems_of(player_session.player) == []


def test_approve__never_by_the_requester_nor_without_the_right(
    asker: Operator, player_session: PlayerSession
) -> None:
    approval = request_credit(asker, player_session)
    with pytest.raises(ApprovalRefused, match="a second person"):
        approve(approval.pk, origin=origin_of(asker), digest=approval.digest)
    with pytest.raises(ApprovalRefused, match="may not decide"):
        approve(approval.pk, origin=origin_of(operator("wallet.freeze_wallet")), digest=approval.digest)
    with pytest.raises(ApprovalRefused, match="may not decide"):
        approve(approval.pk, origin=origin_of(operator(ADJUST, is_active=False)), digest=approval.digest)
    approval.refresh_from_db()
    assert (approval.state, player_session.holding().spendable) == (State.REQUESTED, 100_00)


def test_approve__other_effect_than_seen_is_refused_and_waits(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    approval = request_credit(asker, player_session, 5_00)
    player_session.opened("withdraw", "30.00")
    with pytest.raises(PreviewChanged) as caught:
        approve(approval.pk, origin=origin_of(other), digest=approval.digest)
    assert [tuple(change) for change in caught.value.now.changes] == [
        ("Spendable", "70.00 XAG", "75.00 XAG"),
        ("Reserved", "30.00 XAG", "30.00 XAG"),
        ("Debt", "0.00 XAG", "0.00 XAG"),
    ]
    approval.refresh_from_db()
    assert (approval.state, player_session.holding().spendable) == (State.REQUESTED, 70_00)
    assert (
        approve(approval.pk, origin=origin_of(other), digest=caught.value.now.digest).state == State.EXECUTED
    )
    assert player_session.holding().spendable == 75_00


def test_approve__what_became_impossible_ends_not_executable(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    payload = AdjustmentPayload(player_session.player.pk, "XAG", "debit", 80_00)
    with transaction.atomic():
        seen = ADJUSTMENT.preview(payload).digest
    approval = request_approval(
        ADJUSTMENT, payload, id=new_id(), origin=origin_of(asker), reason="r", digest=seen
    )
    player_session.opened("withdraw", "30.00")
    done = approve(approval.pk, origin=origin_of(other), digest=seen)
    assert (done.state, done.result) == (
        State.NOT_EXECUTABLE,
        "Insufficient funds: the wallet holds less than that.",
    )
    assert [what for what, _ in events_of(approval)] == ["requested", "approved", "not_executable"]
    assert player_session.holding()[:2] == (70_00, 30_00)


def test_approve__requester_who_lost_the_right_has_requested_nothing(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    approval = request_credit(asker, player_session)
    Operator.objects.filter(pk=asker.pk).update(is_active=False)
    assert approve(approval.pk, origin=origin_of(other), digest=approval.digest).state == State.NOT_EXECUTABLE
    assert player_session.holding().spendable == 100_00


def test_request__same_form_twice_is_one_request(asker: Operator, player_session: PlayerSession) -> None:
    id = new_id()
    first = request_credit(asker, player_session, id=id)
    assert request_credit(asker, player_session, id=id) == first
    with pytest.raises(ApprovalRefused, match="used before with other content"):
        request_credit(asker, player_session, 2_00, id=id)
    with pytest.raises(ApprovalRefused, match="used before with other content"):
        request_credit(operator(ADJUST), player_session, id=id)
    assert ApprovalEvent.objects.filter(approval=first).count() == 1


def test_request__needs_the_right_and_the_present_effect(
    asker: Operator, player_session: PlayerSession
) -> None:
    with pytest.raises(ApprovalRefused, match="may not request"):
        request_credit(operator(), player_session)
    with pytest.raises(PreviewChanged):
        request_approval(
            ADJUSTMENT,
            credit_of(player_session),
            id=new_id(),
            origin=origin_of(asker),
            reason="r",
            digest="of yesterday",
        )
    assert not Approval.objects.filter(requested_by=asker).exists()


def test_decline_and_withdraw__end_it_and_move_nothing(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    declined, withdrawn = (request_credit(asker, player_session) for _ in range(2))
    with pytest.raises(ApprovalRefused, match="a second person"):
        decline(declined.pk, by=asker, reason="r")
    with pytest.raises(ApprovalRefused, match="Only who has requested it"):
        withdraw(withdrawn.pk, by=other, reason="r")
    assert decline(declined.pk, by=other, reason="No ticket").state == State.DECLINED
    assert withdraw(withdrawn.pk, by=asker, reason="Wrong player").state == State.WITHDRAWN
    for approval in (declined, withdrawn):
        with pytest.raises(ApprovalRefused, match="ended already"):
            approve(approval.pk, origin=origin_of(other), digest=approval.digest)
    assert events_of(declined)[-1] == ("declined", other.username)
    assert player_session.holding().spendable == 100_00


def test_expiry__comes_by_the_sweep_and_by_whoever_is_late(
    asker: Operator, other: Operator, player_session: PlayerSession, clock: Clock
) -> None:
    swept, late = (request_credit(asker, player_session) for _ in range(2))
    clock.go_ahead(timedelta(hours=73))
    assert approve(late.pk, origin=origin_of(other), digest=late.digest).state == State.EXPIRED
    assert expire_due() >= 1
    assert expire_due() == 0
    swept.refresh_from_db()
    assert (swept.state, swept.decided_by, events_of(swept)[-1]) == (State.EXPIRED, None, ("expired", ""))
    assert player_session.holding().spendable == 100_00


def test_expiry__comes_before_a_late_decline_and_a_late_withdrawal(
    asker: Operator, other: Operator, player_session: PlayerSession, clock: Clock
) -> None:
    declined, withdrawn = (request_credit(asker, player_session) for _ in range(2))
    clock.go_ahead(timedelta(hours=73))
    assert decline(declined.pk, by=other, reason="r").state == State.EXPIRED
    assert withdraw(withdrawn.pk, by=asker, reason="r").state == State.EXPIRED
    for late in (declined, withdrawn):
        assert [what for what, _ in events_of(late)] == ["requested", "expired"]


def test_approve__what_proves_impossible_late_is_taken_back_whole(
    asker: Operator, other: Operator, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = BalanceAdjustment.execute

    def begin_and_fail(*given: Any) -> str:
        begin(*given)
        raise NotExecutable("It proves impossible.")

    monkeypatch.setattr(BalanceAdjustment, "execute", begin_and_fail)
    approval = request_credit(asker, player_session, 5_00)
    done = approve(approval.pk, origin=origin_of(other), digest=approval.digest)
    assert (done.state, done.result) == (State.NOT_EXECUTABLE, "It proves impossible.")
    assert player_session.holding().spendable == 100_00
    assert not Transaction.objects.filter(pk=approval.pk).exists()


def request_with_secret(by: Operator, player_session: PlayerSession, secret: str) -> Approval:
    """Any request can have a secret."""
    return request_approval(
        ADJUSTMENT,
        credit_of(player_session),
        id=new_id(),
        origin=origin_of(by),
        reason="r",
        digest=None,
        secret=secret,
    )


def test_secret__is_sealed_for_its_own_request_alone(asker: Operator, player_session: PlayerSession) -> None:
    own, another = (request_with_secret(asker, player_session, secret) for secret in ("this", "that"))
    assert secret_of(own) == "this"
    own.sealed = another.sealed
    with pytest.raises(NotExecutable, match="cannot be opened"):
        secret_of(own)


# --- What the database holds by itself -------------------------------------------------------------------


FORGERIES: list[dict[str, Any]] = [
    {"state": "executed"},
    {"state": "approved"},
    {"state": "executed", "decided_by": "asker"},
    {"state": "declined", "decided_by": "asker"},
    {"state": "withdrawn", "decided_by": "other"},
    {"state": "expired"},
    {"state": "executed", "decided_by": "other", "amount": 9_999_00},
    {"state": "executed", "decided_by": "other", "payload": {}},
    {"state": "executed", "decided_by": "other", "is_alone": True},
    {"state": "executed", "decided_by": "other", "sealed": "still there"},
    {"state": "requested", "expires_at": "later"},
    {"state": "requested", "sealed": "of another"},
    {"state": "requested", "sealed": ""},
    {"state": "requested"},
    {"state": "declined", "decided_by": "other", "ended_at": "later"},
]


@pytest.mark.parametrize("forged", FORGERIES, ids=[" ".join(forgery) for forgery in FORGERIES])
def test_database__takes_no_other_course(
    asker: Operator,
    other: Operator,
    player_session: PlayerSession,
    owner: "psycopg.Connection[Any]",
    forged: dict[str, Any],
) -> None:
    approval = request_credit(asker, player_session)
    people = {"asker": asker.pk, "other": other.pk}
    values = {
        {"decided_by": "decided_by_id"}.get(name, name): people.get(str(value), value)
        for name, value in forged.items()
    }
    ended_at = approval.requested_at + (timedelta(hours=1) if "ended_at" in forged else timedelta())
    values["ended_at"] = None if forged["state"] == "requested" else ended_at
    if "expires_at" in values:
        values["expires_at"] = approval.expires_at + timedelta(hours=1)
    if "payload" in values:
        values["payload"] = "{}"
    columns = ", ".join(f"{name} = %s" for name in values)
    with pytest.raises((psycopg.errors.RestrictViolation, psycopg.errors.CheckViolation)):
        owner.execute(f"UPDATE players_approval SET {columns} WHERE id = %s", [*values.values(), approval.pk])


def test_database__secret_is_sealed_anew_and_nothing_else_changes(
    asker: Operator, player_session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    approval = request_with_secret(asker, player_session, "this")
    change = "UPDATE players_approval SET sealed = 'with a newer key'"
    with pytest.raises(psycopg.errors.RestrictViolation, match="never changes"):
        owner.execute(f"{change}, amount = 9 WHERE id = %s", [approval.pk])
    owner.execute(f"{change} WHERE id = %s", [approval.pk])


def test_database__request_begins_open_ends_once_and_stays(
    asker: Operator, other: Operator, player_session: PlayerSession, owner: "psycopg.Connection[Any]"
) -> None:
    approval = request_credit(asker, player_session)
    decline(approval.pk, by=other, reason="r")
    approval.refresh_from_db()
    with pytest.raises(IntegrityError, match="ends once"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(state="withdrawn", decided_by=asker)
    approval.pk = new_id()
    with pytest.raises(IntegrityError, match="begins as a request"), transaction.atomic():
        approval.save(force_insert=True)
    for table in ("players_approval", "players_approvalevent"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(f"DELETE FROM {table}")
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("UPDATE players_approvalevent SET note = 'other'")
    with pytest.raises(psycopg.errors.RestrictViolation, match="TRUNCATE on players_approvalevent is"):
        owner.execute("TRUNCATE players_approvalevent")
    with pytest.raises(psycopg.errors.RestrictViolation, match="TRUNCATE on players_approval is"):
        owner.execute("TRUNCATE players_approval CASCADE")


def test_credit__pays_debt_first_in_preview_and_effect(
    asker: Operator, other: Operator, callers: Callers
) -> None:
    player_session = callers.player_session(0)
    player_session.adjust("debit", 3_00, into_debt=True)
    approval = request_credit(asker, player_session, 5_00)
    assert ["Debt", "3.00 XAG", "0.00 XAG"] in approval.effect
    assert ["Spendable", "0.00 XAG", "2.00 XAG"] in approval.effect
    approve(approval.pk, origin=origin_of(other), digest=approval.digest)
    assert player_session.holding()[:4] == (2_00, 0, 0, 0)
