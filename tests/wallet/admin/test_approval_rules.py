"""Approval rules: made by two people, in the currency's units, and only where two can satisfy them."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from players.models import Approval, ApprovalRule, AuditEvent, Operator
from tests.support.admin_pages import (
    address,
    by_two,
    get,
    hidden_in,
    operator,
    page,
    saved,
    sent,
    signed_in,
    with_reason,
)
from tests.support.callers import Callers, PlayerSession
from wallet.admin.approval_rules import WITHOUT_A_RULE
from wallet.models import Wallet

MAY = ("players.view_approvalrule", "players.manage_approval_rules", "players.view_approval")
RULE = {
    "kind": "adjust_balance",
    "currency_code": "JPY",
    "alone_up_to": "500",
    "alone_per_day": "2000",
    "hours": "24",
}


@pytest.fixture(autouse=True)
def no_rules(callers: Callers) -> Iterator[None]:
    """What one test makes holds for no other."""
    ApprovalRule.objects.all().delete()
    yield
    ApprovalRule.objects.all().delete()


def complaint(client: Client, place: str, **given: str) -> str:
    """The page that comes back where a form is not taken."""
    response = client.post(place, with_reason(given))
    assert response.status_code == 200, response["Location"]
    return response.content.decode()


def numbers(rule: ApprovalRule) -> tuple[int, int, int]:
    rule.refresh_from_db()
    return rule.alone_up_to, rule.alone_per_day, rule.hours


def test_rule__is_typed_in_the_currencys_units_and_counts_once_approved(
    client: Client, second: Client
) -> None:
    saved(client, second, address(ApprovalRule, "add"), {**RULE, "currency_code": "XAG"})
    rule = ApprovalRule.objects.get()
    assert (rule.kind, rule.currency_code, *numbers(rule)) == ("adjust_balance", "XAG", 500_00, 2000_00, 24)
    place = page(ApprovalRule, rule)
    assert 'value="500.00"' in get(client, place)
    change = with_reason({"alone_up_to": "7.5", "alone_per_day": "2000.00", "hours": "24"})
    assert client.post(place, change).status_code == 302
    assert numbers(rule) == (500_00, 2000_00, 24)
    saved(client, second, place, {"alone_up_to": "7.5", "alone_per_day": "2000.00", "hours": "24"})
    assert numbers(rule) == (7_50, 2000_00, 24)
    act = AuditEvent.objects.filter(subject_id=str(rule.pk), approval_id__isnull=False).latest("pk")
    label = "Alone on one object"
    assert (act.before, act.after) == ({label: "500.00 XAG"}, {label: "7.50 XAG"})


def test_rule__is_removed_by_two_and_its_history_stays(client: Client, second: Client) -> None:
    ApprovalRule.objects.create(kind="adjust_balance", hours=48)
    rule = ApprovalRule.objects.create(
        kind="adjust_balance", currency_code="JPY", alone_up_to=5, alone_per_day=9, hours=3
    )
    approval = by_two(client, second, page(ApprovalRule, rule, "remove"))
    assert approval.effect == [
        ["Alone on one object", "5 JPY", "nothing: two people always"],
        ["Alone in total", "9 JPY", "nothing: two people always"],
        ["Hours to decide", "3", "48"],
    ]
    assert not ApprovalRule.objects.filter(pk=rule.pk).exists()
    act = AuditEvent.objects.get(approval_id=approval.pk, action="remove_approval_rule")
    assert (act.subject_id, act.subject_name) == (str(rule.pk), "adjust balance, JPY")
    assert "adjust balance, JPY (removed)" in get(client, page(Approval, approval))


def test_rule__that_is_removed_meanwhile_is_not_changed(client: Client, second: Client) -> None:
    rule = ApprovalRule.objects.create(kind="change_shop", hours=3)
    given = with_reason({"hours": "9"})
    client.post(page(ApprovalRule, rule), given)
    rule.delete()
    place = page(Approval, Approval.objects.get(pk=given["approval_id"]), "approve")
    assert "not there any more" in second.get(place, follow=True).content.decode()


REFUSED = [
    ({"kind": "change_shop"}, "moves no money"),
    ({"kind": "change_shop", "currency_code": ""}, "Only acts that move money have amounts"),
    ({"currency_code": ""}, "Choose the currency of the amounts"),
    ({"alone_per_day": "499"}, "at least the amount above"),
    ({"alone_per_day": ""}, "at least the amount above"),
    ({"alone_up_to": ""}, "nobody acts alone: enter it, too"),
    ({"alone_up_to": "5.5"}, "Enter an amount of JPY"),
    ({"alone_up_to": "-5"}, "Enter an amount of JPY"),
    ({"hours": "0"}, "Enter 1 to 720 hours"),
    ({"hours": "721"}, "Enter 1 to 720 hours"),
    ({"kind": "no_such_kind"}, "Select a valid choice"),
    ({"currency_code": "NON"}, "Select a valid choice"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED, ids=[str(given) for given, _ in REFUSED])
def test_rule__that_says_nothing_sensible_is_refused(
    client: Client, given: dict[str, str], words: str
) -> None:
    text = complaint(client, address(ApprovalRule, "add"), **{**RULE, **given})
    assert words in text
    assert "is violated" not in text


def test_rule__second_one_for_a_kind_and_currency_is_refused(client: Client) -> None:
    ApprovalRule.objects.create(kind="adjust_balance", currency_code="JPY")
    assert "already exists" in complaint(client, address(ApprovalRule, "add"), **RULE)


# --- Whom it takes --------------------------------------------------------------------------------------


@pytest.fixture
def lonely(database: None) -> Iterator[Operator]:
    """The only one who may adjust balances, beside two who make rules."""
    everybody = list(Operator.objects.filter(is_active=True).values_list("pk", flat=True))
    Operator.objects.update(is_active=False)
    yield operator("wallet.adjust_balance")
    Operator.objects.filter(pk__in=everybody).update(is_active=True)


def test_rule__that_fewer_than_two_could_satisfy_is_refused(lonely: Operator) -> None:
    clerk, place = signed_in(operator(*MAY)), address(ApprovalRule, "add")
    words = f"only {lonely.username} may (wallet.adjust_balance), and it takes two"
    assert words in complaint(clerk, place, **RULE)
    # Neither of them can log in.
    operator("wallet.adjust_balance", is_active=False)
    operator("wallet.adjust_balance", password="!link")
    assert words in complaint(clerk, place, **RULE)
    operator().groups.set(Group.objects.filter(name="finance"))
    assert clerk.post(place, with_reason(RULE)).status_code == 302


def test_rule__is_not_executed_if_one_of_the_two_has_left(lonely: Operator) -> None:
    clerk, other, leaves = (
        signed_in(operator(*MAY)),
        signed_in(operator(*MAY)),
        operator("wallet.adjust_balance"),
    )
    given = with_reason(RULE)
    assert clerk.post(address(ApprovalRule, "add"), given).status_code == 302
    approval = Approval.objects.get(pk=given["approval_id"])
    Operator.objects.filter(pk=leaves.pk).update(is_active=False)
    text = other.get(page(Approval, approval, "approve"), follow=True).content.decode()
    assert f"only {lonely.username} may" in text
    assert not ApprovalRule.objects.exists()


# --- Pages ----------------------------------------------------------------------------------------------


def test_pages__say_what_holds_without_a_rule_and_with_one(client: Client) -> None:
    assert str(WITHOUT_A_RULE) in get(client, address(ApprovalRule))
    assert str(WITHOUT_A_RULE) in get(client, address(ApprovalRule, "add"))
    rule = ApprovalRule.objects.create(
        kind="refund_order", currency_code="JPY", alone_up_to=5, alone_per_day=9, hours=3
    )
    text = get(client, address(ApprovalRule))
    assert "5 JPY on one object, 9 JPY in total" in text
    assert "JPY: 3 hours, others: 72 hours" in text
    auditor = signed_in(operator("players.view_approvalrule"))
    assert "5 JPY" in get(auditor, page(ApprovalRule, rule))
    assert auditor.post(page(ApprovalRule, rule), {"hours": "9"}).status_code == 403
    assert sent(client, page(ApprovalRule, rule, "remove"), reason="r")[0].status_code == 302
    assert ApprovalRule.objects.filter(pk=rule.pk).exists()


# --- Acting alone ---------------------------------------------------------------------------------------


def test_act_alone__is_announced_before_the_click_and_done_at_once(
    client: Client, player_session: PlayerSession
) -> None:
    ApprovalRule.objects.create(
        kind="adjust_balance", currency_code="XAG", alone_up_to=10_00, alone_per_day=10_00
    )
    place = page(Wallet, player_session.wallet(), "adjust")
    given = {"type": "credit", "amount": "10.00", "reason": "Goodwill"}
    shown = client.post(place, hidden_in(get(client, place)) | given).content.decode()
    assert "it is done at once, and recorded as executed alone" in shown
    assert "A second person has to approve it" not in shown
    done = client.post(place, hidden_in(shown), follow=True).content.decode()
    assert "Executed alone. Credit of 10.00 XAG posted" in done
    assert player_session.holding().spendable == 110_00
    approval = Approval.objects.get(pk=hidden_in(shown)["approval_id"])
    text = get(client, page(Approval, approval))
    assert "executed alone" in text
    assert "nobody: the approval rules let one person act alone" in text
    # There is no room for more.
    shown = client.post(place, hidden_in(get(client, place)) | given).content.decode()
    assert "A second person has to approve it" in shown
    assert "done at once" not in shown
    answer = client.post(place, hidden_in(shown), follow=True).content.decode()
    assert "Requested, not done yet" in answer
    assert player_session.holding().spendable == 110_00


def test_act_alone__waits_for_another_click_if_the_room_is_gone(
    client: Client, player_session: PlayerSession
) -> None:
    rule = ApprovalRule.objects.create(
        kind="adjust_balance", currency_code="XAG", alone_up_to=10_00, alone_per_day=10_00
    )
    place = page(Wallet, player_session.wallet(), "adjust")
    given = {"type": "credit", "amount": "10.00", "reason": "Goodwill"}
    shown = client.post(place, hidden_in(get(client, place)) | given).content.decode()
    rule.delete()
    again = client.post(place, hidden_in(shown)).content.decode()
    assert "Something has changed since this page was opened" in again
    shown = client.post(place, hidden_in(again) | given).content.decode()
    assert "A second person has to approve it" in shown
    assert player_session.holding().spendable == 100_00
