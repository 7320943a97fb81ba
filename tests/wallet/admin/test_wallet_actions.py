"""What operators do to wallets: asked first, with a reason, once."""

import re
import uuid

import pytest
from django.test import Client

from lib.ids import new_id
from players.models import Operator
from tests.support.admin_pages import get, page
from tests.support.callers import Callers, PlayerSession
from wallet.models import Transaction, Wallet


def test_freeze__and_unfreeze_ask_first_and_need_a_reason(
    client: Client, boss: Operator, player_session: PlayerSession
) -> None:
    for action, frozen, event in (("freeze", True, "frozen"), ("unfreeze", False, "unfrozen")):
        place = page(Wallet, player_session.wallet(), action)
        get(client, place)
        assert b"This field is required" in client.post(place, {"reason": " "}).content
        assert (player_session.wallet().frozen_at is None) == frozen
        assert client.post(place, {"reason": "Looked at"}).status_code == 302
        assert (player_session.wallet().frozen_at is not None) == frozen
        entry = player_session.wallet().entries.latest("seq")
        assert (entry.event, entry.actor, entry.note) == (event, f"operator:{boss.username}", "Looked at")
        before = player_session.wallet().entry_count
        assert client.post(place, {"reason": "Looked at"}).status_code == 302
        assert player_session.wallet().entry_count == before


@pytest.mark.parametrize(("text", "minor"), [("12.50", 1250), ("0.01", 1), ("", None)])
def test_limit__is_set_in_major_units(
    client: Client, player_session: PlayerSession, text: str, minor: int | None
) -> None:
    place = page(Wallet, player_session.wallet(), "set_limit")
    client.post(place, {"limit": "3", "reason": "first"})
    assert client.post(place, {"limit": text, "reason": "second"}).status_code == 302
    assert player_session.wallet().withdrawal_limit == minor


def form_id(text: str) -> str:
    found = re.search(r'name="transaction_id" value="([^"]+)"', text)
    assert found
    return found[1]


def test_adjustment__is_confirmed_and_done_once_if_sent_again(
    client: Client, boss: Operator, player_session: PlayerSession
) -> None:
    place = page(Wallet, player_session.wallet(), "adjust")
    given = {
        "type": "credit",
        "amount": "12.34",
        "reason": "Goodwill",
        "transaction_id": form_id(get(client, place)),
    }
    second = client.post(place, given).content.decode()
    assert "12.34 XAG" in second
    assert "Goodwill" in second
    assert player_session.holding().spendable == 100_00
    assert form_id(second) == given["transaction_id"]
    for _ in range(2):
        assert client.post(place, given | {"confirmed": "1"}).status_code == 302
        assert (player_session.holding().spendable, player_session.holding().entries) == (112_34, 3)
    transaction = Transaction.objects.get(pk=given["transaction_id"])
    assert (transaction.type, transaction.actor, transaction.reason, transaction.source) == (
        "credit",
        f"operator:{boss.username}",
        "Goodwill",
        "operator",
    )
    other = client.post(place, given | {"confirmed": "1", "amount": "99.00"})
    assert b"used before with other content" in other.content
    assert player_session.holding().spendable == 112_34


def test_adjustment__overdraft_moves_nothing_and_asks_again(
    client: Client, player_session: PlayerSession
) -> None:
    place = page(Wallet, player_session.wallet(), "adjust")
    given = {
        "type": "debit",
        "amount": "100.01",
        "reason": "r",
        "transaction_id": form_id(get(client, place)),
        "confirmed": "1",
    }
    text = client.post(place, given).content.decode()
    assert "Insufficient funds: the wallet holds less than that. Nothing has moved." in text
    assert 'name="confirmed" value="1"' not in text
    assert player_session.holding().spendable == 100_00


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
        "transaction_id": str(new_id()),
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
    client: Client, callers: Callers, currency: str, amount: str, minor: int
) -> None:
    player_session = callers.player_session(0, currency)
    given = {
        "type": "credit",
        "amount": amount,
        "reason": "r",
        "transaction_id": str(new_id()),
        "confirmed": "1",
    }
    assert client.post(page(Wallet, player_session.wallet(), "adjust"), given).status_code == 302
    assert player_session.holding().spendable == minor
    integer, point, rest = amount.partition(".")
    assert f"{int(integer):,}{point}{rest} {currency}" in get(client, page(Wallet, player_session.wallet()))


def test_adjustment__needs_an_id_made_by_this_platform(client: Client, player_session: PlayerSession) -> None:
    given = {
        "type": "credit",
        "amount": "1",
        "reason": "r",
        "transaction_id": str(uuid.uuid4()),
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
