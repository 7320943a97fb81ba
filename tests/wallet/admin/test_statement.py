"""The statement on a player's page: its words, its form, and what it leads to."""

from typing import Any

import psycopg
import pytest
from django.test import Client

from payments.models import Order
from players.models import Player
from tests.support.admin_pages import get, page, queries
from tests.support.callers import PlayerSession
from tests.support.shop import ShopSetup
from tests.wallet.sql.test_chart import EVENTS, legs
from wallet.admin.statement_words import MINUS, WORDS, show_change, tell
from wallet.models import Entry, Transaction


def said(story: PlayerSession, **conditions: Any) -> list[str]:
    """The sentences of some entries, the oldest first, with the change of the balance."""
    rows = Entry.objects.filter(player=story.player, wallet__currency=story.currency, **conditions)
    found = rows.select_related("transaction__game").order_by("seq")
    return [f"{tell(row, story.currency)} {show_change(row, story.currency)}".strip() for row in found]


def statement_of(client: Client, player: Player, query: str = "") -> Any:
    context: Any = client.get(page(Player, player) + query).context
    [found] = [section for section in context["sections"] if section.title == "Statement"]
    return found


def test_words__every_posting_of_the_chart_has_some(owner: "psycopg.Connection[Any]", database: None) -> None:
    types = (*Transaction.Type.values, "wallet")
    assert {(type, event) for type in types for event in EVENTS if legs(owner, type, event)} == set(WORDS)


def test_words__tell_what_happened_and_by_how_much(player_session: PlayerSession) -> None:
    name = player_session.game.name
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "30.25"))
    player_session.done("rollbackWithdrawal", player_session.opened("withdraw", "1.00"))
    player_session.done("confirmDeposit", player_session.opened("deposit", "2.00"))
    player_session.resolve(player_session.opened("withdraw", "1.50"), "expired")
    player_session.call("withdraw", "too-much", "5000.00")
    player_session.adjust("debit", 100_00, into_debt=True)
    assert said(player_session) == [
        "The XAG wallet was opened.",
        "Operator test credited 100.00 XAG: test. +100.00 XAG",
        f"{name} took 30.25 XAG. It is reserved until the game confirms it. {MINUS}30.25 XAG",
        f"The 30.25 XAG that {name} took are spent.",
        f"{name} took 1.00 XAG. It is reserved until the game confirms it. {MINUS}1.00 XAG",
        f"The 1.00 XAG that {name} took came back: the game rolled it back. +1.00 XAG",
        f"{name} announced 2.00 XAG. It is paid out when the game confirms it.",
        f"{name} paid out 2.00 XAG. +2.00 XAG",
        f"{name} took 1.50 XAG. It is reserved until the game confirms it. {MINUS}1.50 XAG",
        f"The 1.50 XAG that {name} took came back: nobody confirmed the withdrawal. +1.50 XAG",
        f"{name} asked for 5,000.00 XAG and was refused: there is not enough money.",
        f"Operator test took 71.75 XAG: test. {MINUS}71.75 XAG",
        "The player owes 28.25 XAG more: there was not enough to take.",
    ]


def test_statement__leads_to_orders_and_transactions(client: Client, shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    text = get(client, page(Player, order.player))
    assert page(Order, order) in text
    for transaction in Transaction.objects.filter(player=order.player):
        assert page(Transaction, transaction) in text


def test_statement__form_keeps_and_names_what_it_cannot_read(
    client: Client, player_session: PlayerSession
) -> None:
    player_session.opened("withdraw", "30.25")
    found = statement_of(client, player_session.player, "?kind=withdrawal&least=30&most=lots&game=none")
    assert [len(found.rows), found.form.problem] == [
        1,
        "This was left out, because it could not be read: Game, Amount to.",
    ]
    assert [field.value for field in found.form.fields] == ["withdrawal", "none", "", "", "", "30", "lots"]


def test_statement__is_turned_within_the_conditions(client: Client, player_session: PlayerSession) -> None:
    for _ in range(26):
        player_session.opened("withdraw", "0.01")
    first = statement_of(client, player_session.player, "?kind=withdrawal")
    assert (len(first.rows), first.more[0], first.back) == (25, "Older", None)
    second = statement_of(client, player_session.player, first.more[1].removesuffix("#statement"))
    assert (len(second.rows), second.more) == (1, None)
    assert second.back == ("Newest", "?kind=withdrawal#statement")


def test_player_page__takes_no_more_queries_for_many_entries(
    client: Client, player_session: PlayerSession
) -> None:
    player_session.opened("withdraw", "0.01")
    few = len(queries(client, page(Player, player_session.player)))
    for _ in range(30):
        player_session.opened("withdraw", "0.01")
    assert len(queries(client, page(Player, player_session.player))) <= few


@pytest.mark.parametrize("query", ["?before=XAG-1", "?since=x&until=9999-99-99", "?least=-1"])
def test_statement__odd_addresses_are_no_error(
    client: Client, player_session: PlayerSession, query: str
) -> None:
    assert client.get(page(Player, player_session.player) + query).status_code == 200
