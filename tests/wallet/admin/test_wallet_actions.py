"""What operators do to wallets: asked first, with a reason, once."""

import uuid

import pytest
from django.test import Client

from lib.ids import new_id
from players.models import Approval, Operator
from tests.support.admin_pages import approved_by, get, hidden_in, page, requested
from tests.support.callers import Callers, PlayerSession
from wallet.models import Transaction, Wallet


def test_freeze__is_one_persons_act_and_lifting_it_is_not(
    client: Client, second: Client, boss: Operator, player_session: PlayerSession
) -> None:
    place = page(Wallet, player_session.wallet(), "freeze")
    get(client, place)
    assert b"This field is required" in client.post(place, {"reason": " "}).content
    assert player_session.wallet().frozen_at is None
    assert client.post(place, {"reason": "Looked at"}).status_code == 302
    assert player_session.wallet().frozen_at is not None
    approval = requested(client, page(Wallet, player_session.wallet(), "unfreeze"), reason="All is well")
    assert player_session.wallet().frozen_at is not None
    approved_by(second, approval)
    assert player_session.wallet().frozen_at is None
    frozen, unfrozen = player_session.wallet().entries.order_by("-seq")[:2][::-1]
    name = f"operator:{boss.username}"
    assert [(entry.event, entry.actor, entry.note) for entry in (frozen, unfrozen)] == [
        ("frozen", name, "Looked at"),
        ("unfrozen", name, "All is well"),
    ]


@pytest.mark.parametrize(("text", "minor"), [("12.50", 1250), ("0.01", 1), ("20.00", 2000), ("", 2000)])
def test_limit__is_set_in_major_units(
    client: Client, player_session: PlayerSession, text: str, minor: int
) -> None:
    place = page(Wallet, player_session.wallet(), "set_limit")
    client.post(place, {"limit": "20", "reason": "first"})
    assert client.post(place, {"limit": text, "reason": "second"}).status_code == (302 if text else 200)
    assert player_session.wallet().withdrawal_limit == minor


def test_adjustment__is_requested_and_done_once_by_a_second_person(
    client: Client, second: Client, boss: Operator, player_session: PlayerSession
) -> None:
    place = page(Wallet, player_session.wallet(), "adjust")
    given = hidden_in(get(client, place)) | {"type": "credit", "amount": "12.34", "reason": "Goodwill"}
    text = client.post(place, given).content.decode()
    assert "Credit 12.34 XAG to" in text
    assert "112.34 XAG" in text
    confirmed = hidden_in(text)
    assert confirmed["approval_id"] == given["approval_id"]
    for _ in range(2):
        response = client.post(place, confirmed, follow=True)
        assert "Requested, not done yet" in response.content.decode()
        assert player_session.holding().spendable == 100_00
    approval = Approval.objects.get(pk=given["approval_id"])
    decision = page(Approval, approval, "approve")
    seen = hidden_in(get(second, decision))
    for _ in range(2):
        assert second.post(decision, seen).status_code == 302
        assert (player_session.holding().spendable, player_session.holding().entries) == (112_34, 3)
    transaction = Transaction.objects.get(pk=given["approval_id"])
    assert (transaction.type, transaction.actor, transaction.reason, transaction.source) == (
        "credit",
        f"operator:{boss.username}",
        "Goodwill",
        "operator",
    )
    other = client.post(place, confirmed | {"amount": "99.00"}, follow=True)
    assert "used before with other content" in other.content.decode()
    assert player_session.holding().spendable == 112_34


def test_debt__is_written_off_by_two(client: Client, second: Client, player_session: PlayerSession) -> None:
    place = page(Wallet, player_session.wallet(), "write_off")
    assert "write_off" not in get(client, page(Wallet, player_session.wallet()))
    assert "owes nothing in this wallet" in client.get(place, follow=True).content.decode()
    player_session.adjust("debit", 130_00, into_debt=True)
    assert 'value="30.00"' in get(client, place)
    given = hidden_in(get(client, place)) | {"amount": "30.01", "reason": "r"}
    text = client.post(place, given).content.decode()
    assert "The player does not owe as much as that. Nothing has changed." in text
    approval = requested(client, place, amount="20.00", reason="Nobody will pay it")
    assert (approval.amount, approval.currency_code) == (20_00, "XAG")
    assert approval.effect == [
        ["Spendable", "0.00 XAG", "0.00 XAG"],
        ["Reserved", "0.00 XAG", "0.00 XAG"],
        ["Debt", "30.00 XAG", "10.00 XAG"],
    ]
    assert player_session.holding().debt == 30_00
    approved_by(second, approval)
    assert player_session.holding()[:4] == (0, 0, 0, 10_00)
    assert approval.result == "20.00 XAG written off; debt after it: 10.00 XAG."
    text = get(client, page(Wallet, player_session.wallet()))
    assert "write-off → <wbr>debt" in text
    transaction = Transaction.objects.get(pk=approval.pk)
    assert (transaction.type, transaction.reason) == ("write_off", "Nobody will pay it")
    assert "debt written off by an operator" in get(client, page(Transaction, transaction))


def test_debt__paid_meanwhile_is_not_written_off(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    player_session.adjust("debit", 130_00, into_debt=True)
    approval = requested(client, page(Wallet, player_session.wallet(), "write_off"), amount="30.00")
    player_session.adjust("credit", 10_00)
    text = second.get(page(Approval, approval, "approve"), follow=True).content.decode()
    assert "Nothing was done. The player does not owe as much as that." in text
    assert player_session.holding()[:4] == (0, 0, 0, 20_00)


def test_adjustment__overdraft_is_not_even_requested(client: Client, player_session: PlayerSession) -> None:
    place = page(Wallet, player_session.wallet(), "adjust")
    given = hidden_in(get(client, place)) | {"type": "debit", "amount": "100.01", "reason": "r"}
    text = client.post(place, given).content.decode()
    assert "Insufficient funds: the wallet holds less than that. Nothing has changed." in text
    assert 'name="confirmed" value="1"' not in text
    assert not Approval.objects.filter(pk=given["approval_id"]).exists()


@pytest.mark.parametrize(
    "amount",
    ["", "0", "0.001", "-1", "1e2", "1,5", "NaN", "Infinity", "٣", "1_0", "9" * 18, "1.", ".5", "+1"],
)
def test_adjustment__refuses_an_amount_that_is_none(
    client: Client, player_session: PlayerSession, amount: str
) -> None:
    place = page(Wallet, player_session.wallet(), "adjust")
    given = {
        "type": "credit",
        "amount": amount,
        "reason": "r",
        "approval_id": str(new_id()),
        "confirmed": "1",
    }
    assert client.post(place, given).status_code == 200
    assert player_session.holding().spendable == 100_00


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("JPY", "7", 7),
        ("BHD", "0.125", 125),
        ("CLF", "1.0001", 10001),
        ("XAG", "90071992547409.93", 9007199254740993),
    ],
)
def test_adjustment__amounts_are_exact_in_every_currency(
    client: Client, second: Client, callers: Callers, currency: str, amount: str, minor: int
) -> None:
    player_session = callers.player_session(0, currency)
    place = page(Wallet, player_session.wallet(), "adjust")
    approved_by(second, requested(client, place, type="credit", amount=amount, reason="r"))
    assert player_session.holding().spendable == minor
    integer, point, rest = amount.partition(".")
    assert f"{int(integer):,}{point}{rest} {currency}" in get(client, page(Wallet, player_session.wallet()))


def test_adjustment__needs_an_id_made_by_this_platform(client: Client, player_session: PlayerSession) -> None:
    given = {
        "type": "credit",
        "amount": "1",
        "reason": "r",
        "approval_id": str(uuid.uuid4()),
        "confirmed": "1",
    }
    assert b"Open it again" in client.post(page(Wallet, player_session.wallet(), "adjust"), given).content
    assert player_session.holding().spendable == 100_00


def test_action__is_never_stored_and_hides_no_missing_row(
    client: Client, player_session: PlayerSession
) -> None:
    for action in ("freeze", "adjust"):
        response = client.get(page(Wallet, player_session.wallet(), action))
        assert response["Cache-Control"].startswith("no-store")
        assert client.post(page(Wallet, Wallet(pk=new_id()), action), {"reason": "r"}).status_code == 404


def test_action__without_a_csrf_token_does_nothing(boss: Operator, player_session: PlayerSession) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)
    assert strict.post(page(Wallet, player_session.wallet(), "freeze"), {"reason": "r"}).status_code == 403
    assert player_session.wallet().frozen_at is None
