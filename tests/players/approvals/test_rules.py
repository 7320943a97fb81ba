"""What one person may do alone, and when a second one is needed after all."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import transaction

from players.admin.operator_actions import Deactivate
from players.approvals.operations import PreviewChanged, approve, decline
from players.approvals.rules import able, lost_with
from players.models import Approval, ApprovalRule, AuditEvent, Operator
from tests.conftest import Clock
from tests.support.admin_pages import operator
from tests.support.approvals import at_once, origin_of, present_digest, request_credit
from tests.support.callers import Callers, PlayerSession
from tests.support.doors import with_password
from wallet.approvals.adjustment import BalanceAdjustment

State = Approval.State
ADJUST, FREEZE = "wallet.adjust_balance", "wallet.freeze_wallet"


@pytest.fixture
def asker(database: None) -> Operator:
    return operator(ADJUST)


@pytest.fixture
def rule(database: None) -> Iterator[ApprovalRule]:
    """Alone up to 10.0 MRU for one wallet, and 25.0 MRU in all."""
    ApprovalRule.objects.all().delete()
    yield ApprovalRule.objects.create(
        kind="adjust_balance", currency_code="MRU", alone_up_to=10_0, alone_per_day=25_0, hours=5
    )
    ApprovalRule.objects.all().delete()


@pytest.fixture
def player_session(callers: Callers) -> PlayerSession:
    return callers.player_session(0, "MRU")


def test_rule__lets_one_person_act_alone_up_to_the_amount(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession
) -> None:
    done = request_credit(asker, player_session, 10_0)
    assert (done.state, done.is_alone, done.decided_by) == (State.EXECUTED, True, None)
    assert player_session.holding().spendable == 10_0
    again = request_credit(asker, player_session, 10_0, id=done.pk)
    assert (again, player_session.holding().spendable) == (done, 10_0)


def test_rule__one_unit_more_waits(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession
) -> None:
    waits = request_credit(asker, player_session, 10_1)
    assert (waits.state, waits.expires_at - waits.requested_at) == (State.REQUESTED, timedelta(hours=5))
    assert player_session.holding().spendable == 0


def test_rule__split_amounts_count_together(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession, clock: Clock
) -> None:
    states = [request_credit(asker, player_session, 4_0).state for _ in range(3)]
    assert states == [State.EXECUTED, State.EXECUTED, State.REQUESTED]
    assert request_credit(operator(ADJUST), player_session, 4_0).state == State.EXECUTED
    clock.go_ahead(timedelta(hours=24, seconds=1))
    assert request_credit(asker, player_session, 10_0).state == State.EXECUTED


def test_rule__total_of_a_day_counts_all_wallets(
    asker: Operator, rule: ApprovalRule, callers: Callers
) -> None:
    states = [request_credit(asker, callers.player_session(0, "MRU"), 10_0).state for _ in range(3)]
    assert states == [State.EXECUTED, State.EXECUTED, State.REQUESTED]


def test_rule__of_one_currency_says_nothing_of_another(
    asker: Operator, rule: ApprovalRule, callers: Callers
) -> None:
    euros = callers.player_session(0, "EUR")
    assert request_credit(asker, euros, 1).state == State.REQUESTED
    other = ApprovalRule.objects.create(
        kind=rule.kind, currency_code="EUR", alone_up_to=10_00, alone_per_day=10_00
    )
    # What was done alone in one currency leaves the room in the other as it was.
    for amounts in ((euros, 10_00), (callers.player_session(0, "MRU"), 10_0)):
        assert request_credit(asker, *amounts).state == State.EXECUTED
    other.delete()


def test_rule__counts_only_what_was_done_alone(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession
) -> None:
    other = operator(ADJUST)
    by_two, declined, waits = (request_credit(asker, player_session, 10_0, alone=False) for _ in range(3))
    approve(by_two.pk, origin=origin_of(other), digest=present_digest(by_two))
    decline(declined.pk, by=other, reason="r")
    assert (waits.state, player_session.holding().spendable) == (State.REQUESTED, 10_0)
    assert request_credit(asker, player_session, 10_0).is_alone
    assert request_credit(asker, player_session, 1).state == State.REQUESTED


def test_rule__leaves_room_for_one_of_those_at_the_same_instant(
    asker: Operator, rule: ApprovalRule, callers: Callers
) -> None:
    wallets = [callers.player_session(0, "MRU") for _ in range(4)]
    said = at_once(*(partial(request_credit, asker, wallet, 10_0, alone=True) for wallet in wallets))
    assert said == ["PreviewChanged", "PreviewChanged", "executed", "executed"]
    assert sum(wallet.holding().spendable for wallet in wallets) == 20_0


def test_rule__does_nothing_alone_of_which_the_page_did_not_say_so(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession
) -> None:
    assert request_credit(asker, player_session, 1, alone=False).state == State.REQUESTED
    with pytest.raises(PreviewChanged):
        request_credit(asker, player_session, 10_1, alone=True)
    rule.delete()
    with pytest.raises(PreviewChanged):
        request_credit(asker, player_session, 1, alone=True)
    assert player_session.holding().spendable == 0


def test_rule__of_a_kind_that_moves_no_money_lets_nobody_act_alone(
    rule: ApprovalRule, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BalanceAdjustment, "moves_money", False)
    assert request_credit(operator(ADJUST), player_session, 1).state == State.REQUESTED


def test_act_alone__is_recorded_as_such(
    asker: Operator, rule: ApprovalRule, player_session: PlayerSession
) -> None:
    done = request_credit(asker, player_session, 5_0)
    assert done.result == "Executed alone. Credit of 5.0 MRU posted; spendable after it: 5.0 MRU."
    events = done.events.order_by("pk").values_list("what", "operator__username", "note")
    assert list(events) == [
        ("requested", asker.username, "Goodwill"),
        ("executed", asker.username, done.result),
    ]
    act = AuditEvent.objects.get(approval_id=done.pk)
    assert (act.action, act.username, act.note) == ("adjust_balance", asker.username, done.result)
    assert (act.before or {})["Spendable"] == "0.0 MRU"


def test_rule__none_means_two_people(asker: Operator, callers: Callers) -> None:
    assert request_credit(asker, callers.player_session(0, "CLF"), 1).state == State.REQUESTED


def test_deactivation__says_what_nobody_could_approve_any_more(database: None) -> None:
    with transaction.atomic():
        Operator.objects.update(is_active=False)
        clerk, third = operator(FREEZE), operator("players.manage_operators")
        words = "Nobody can approve any more, for want of a second person: lifting of a freeze."

        def asked() -> str:
            return Deactivate().page(clerk).says[-1]

        assert asked() != words
        other = operator(FREEZE)
        assert (asked(), lost_with(third)) == (words, [])
        operator(FREEZE)
        assert (asked() == words, lost_with(other)) == (False, [])
        transaction.set_rollback(True)


def test_able__are_the_active_who_hold_it_by_role_singly_or_as_superuser() -> None:
    singly, by_role, boss = operator(ADJUST), with_password("finance"), operator(is_superuser=True)
    others = [operator("wallet.view_wallet"), with_password("support"), operator(ADJUST, is_active=False)]
    no_password = with_password("finance")
    no_password.set_unusable_password()
    no_password.save()
    names = set(able(ADJUST).values_list("username", flat=True))
    assert {singly.username, by_role.username, boss.username} <= names
    assert not names & {who.username for who in (*others, no_password)}
