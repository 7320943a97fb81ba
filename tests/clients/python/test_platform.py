"""The client at the real platform, over a real socket."""

import asyncio
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from quantum_wallet import (
    AlreadyConfirmed,
    AlreadyRolledBack,
    AsyncEntryClient,
    AsyncWalletClient,
    Credential,
    Deposit,
    EntryClient,
    InsufficientFunds,
    InvalidRequest,
    Money,
    NotAccepted,
    OtherContent,
    TransactionNotFound,
    UnknownSession,
    WalletClient,
    Withdrawal,
)
from quantum_wallet.shapes import (
    InitiateRequest,
    LaunchRequest,
    PutPlayerRequest,
    StatementRequest,
)
from tests.documents.commands import DOCS
from tests.documents.examples import blocks
from tests.faults.platform_processes import eventually
from tests.support.callers import Caller, Callers, PlayerSession, unique
from tests.support.event_feed import feed_end
from tests.support.shop import make_shop_setup

EXACT = Decimal("90071992547409.93")


def xag(amount: object) -> Money:
    return Money.of(str(amount), "XAG")


def credential(caller: Caller) -> Credential:
    """The credential that a test's caller has."""
    encoded = (caller.authorization or "").removeprefix("Basic ")
    username, _, password = b64decode(encoded).decode().partition(":")
    return Credential(username, password)


@pytest.fixture
def wallet(server: str, callers: Callers) -> Iterator[WalletClient]:
    with WalletClient(server, credential(callers.game.caller)) as client:
        yield client


@pytest.fixture
def entry(server: str, callers: Callers) -> Iterator[EntryClient]:
    with EntryClient(server, credential(callers.front)) as client:
        yield client


def test_events__are_followed_as_the_document_says(entry: EntryClient, player_session: PlayerSession) -> None:
    """The reader in docs/events.md, twice: what it stored is where it goes on."""
    [(_, code)] = [block for block in blocks(DOCS / "events.md") if block[0] == "python"]
    names: dict[str, Any] = {}
    exec(compile(code, "docs/events.md", "exec"), names)
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE place (next TEXT)")
    database.execute(
        "CREATE TABLE balances (player TEXT, currency TEXT, amount TEXT, UNIQUE (player, currency))"
    )
    database.execute("INSERT INTO place VALUES (?)", (feed_end(),))
    player_session.opened("withdraw", "15.00")
    assert names["follow"](entry, database) == 1
    assert names["follow"](entry, database) == 0
    player_session.opened("withdraw", "1.00")
    assert names["follow"](entry, database) == 1
    told = database.execute("SELECT * FROM balances").fetchall()
    assert told == [(player_session.player.uid, "XAG", "84.00")]


def test_session__is_verified(wallet: WalletClient, player_session: PlayerSession) -> None:
    told = wallet.verify_session(player_session.token)
    assert (told.player_id, told.balance) == (player_session.player.uid, xag("100.00"))
    assert str(wallet.get_balance(player_session.token).balance.amount) == "100.00"


def test_withdrawal__is_opened_and_confirmed_once(
    wallet: WalletClient, player_session: PlayerSession
) -> None:
    one = Withdrawal(token=player_session.token, amount=xag("15.00"))
    opened = wallet.open(one)
    assert (wallet.open(one), opened.balance) == (opened, xag("85.00"))
    settled = wallet.settle(one.confirming())
    assert wallet.settle(one.confirming()) == settled
    assert player_session.holding()[:2] == (85_00, 0)
    told = wallet.query_transaction(one)
    assert (told.state, told.amount, told.qw_transaction_id) == (
        "confirmed",
        xag("15.00"),
        opened.qw_transaction_id,
    )
    assert told.settled_at is not None
    assert told.opened_at <= told.settled_at
    with pytest.raises(AlreadyConfirmed) as refusal:
        wallet.settle(one.rolling_back())
    assert refusal.value.balance == xag("85.00")


def test_withdrawal__is_rolled_back_even_before_it_comes(
    wallet: WalletClient, player_session: PlayerSession
) -> None:
    one = Withdrawal(token=player_session.token, amount=xag("15.00"))
    wallet.settle(one.rolling_back("It was never sent."))
    with pytest.raises(AlreadyRolledBack):
        wallet.open(one)
    assert wallet.query_transaction(one).amount is None


def test_deposit__is_paid_out(wallet: WalletClient, player_session: PlayerSession) -> None:
    saved: list[str] = []
    one = Deposit(token=player_session.token, amount=xag("0.01"))
    assert wallet.pay_out(one, lambda each: saved.append(each.step)).balance == xag("100.01")
    assert saved == ["open", "confirm"]


def test_amount__survives_both_ways(callers: Callers, server: str, wallet: WalletClient) -> None:
    player_session = callers.player_session(funds=int(EXACT * 100))
    one = Withdrawal(token=player_session.token, amount=Money(EXACT, "XAG"))
    assert wallet.get_balance(one.token).balance == one.amount
    assert wallet.open(one).balance == xag("0.00")
    told = wallet.settle(one.rolling_back()).balance
    assert (told, str(told.amount)) == (one.amount, "90071992547409.93")
    assert wallet.query_transaction(one).amount == one.amount


def test_refusals__are_typed(wallet: WalletClient, player_session: PlayerSession) -> None:
    token = player_session.token
    one = Withdrawal(token=token, amount=xag("15.00"), id=unique("w"))
    wallet.open(one)
    with pytest.raises(OtherContent):
        wallet.open(Withdrawal(token=token, amount=xag("16.00"), id=one.id))
    with pytest.raises(InsufficientFunds) as refusal:
        wallet.open(Withdrawal(token=token, amount=xag("85.01")))
    assert refusal.value.balance == xag("85.00")
    with pytest.raises(TransactionNotFound):
        wallet.settle(Withdrawal(token=token, amount=xag(1)).confirming())
    with pytest.raises(InvalidRequest, match="amount"):
        wallet.open(Withdrawal(token=token, amount=xag("0.001")))
    with pytest.raises(UnknownSession):
        wallet.get_balance("0fabcdc4-fe07-44f2-b968-93da3b324898")


def test_credential__wrong_one_is_not_accepted(server: str, player_session: PlayerSession) -> None:
    with (
        WalletClient(server, Credential("nobody", "nothing")) as wallet,
        pytest.raises(NotAccepted) as problem,
    ):
        wallet.get_balance(player_session.token)
    assert problem.value.status == 401


def test_loop__does_the_same(server: str, callers: Callers, player_session: PlayerSession) -> None:
    one = Withdrawal(token=player_session.token, amount=xag("15.00"))

    async def play() -> list[Money]:
        async with AsyncWalletClient(server, credential(callers.game.caller)) as wallet:
            opened = await asyncio.gather(*(wallet.open(one) for _ in range(5)))
            assert len(set(opened)) == 1
            settled = await wallet.settle(one.confirming())
            balance = (await wallet.get_balance(one.token)).balance
            assert (await wallet.query_transaction(one)).state == "confirmed"
            return [settled.balance, balance, (await wallet.verify_session(one.token)).balance]

    assert asyncio.run(play()) == [xag("85.00")] * 3
    assert player_session.holding()[:2] == (85_00, 0)


def test_entry__players_sessions_and_statements(
    server: str, callers: Callers, entry: EntryClient, wallet: WalletClient
) -> None:
    uid, game = unique("p:@."), callers.game.game.slug
    player = entry.put_player(uid, PutPlayerRequest(nickname="Änna", country="AT"))
    assert (player.uid, player.nickname, player.status) == (uid, "Änna", "active")
    launched = entry.launch(LaunchRequest(uid=uid, game=game, currency_code="XAG"))
    assert launched.token in launched.launch_url
    wallet.pay_out(Deposit(token=launched.token, amount=xag("5.00")), lambda _: None)
    assert entry.balance(uid, "XAG").balance == xag("5.00")
    lines = entry.statement(StatementRequest(uid=uid, currency_code="XAG", limit=5)).lines
    assert [(line.what, line.amount) for line in lines] == [("deposit_confirmed", xag("5.00"))]
    entry.end_session(launched.token)
    with pytest.raises(UnknownSession):
        wallet.get_balance(launched.token)

    async def ask() -> Money:
        async with AsyncEntryClient(server, credential(callers.front)) as other:
            await other.put_player(uid, PutPlayerRequest(language="de"))
            again = await other.launch(LaunchRequest(uid=uid, game=game, currency_code="XAG"))
            await other.end_session(again.token)
            told = await other.statement(StatementRequest(uid=uid, currency_code="XAG"))
            assert told.lines == lines
            return (await other.balance(uid, "XAG")).reserved

    assert asyncio.run(ask()) == xag("0.00")


def test_order__is_started_once_and_asked_after(server: str, callers: Callers) -> None:
    shop = make_shop_setup(callers)
    asked = InitiateRequest(
        token=shop.player_session().token,
        cp_order_id=unique("cp"),
        product_id="gold",
        product_price=Decimal("4.99"),
        currency_code="EUR",
        server_id=10001,
    )

    async def ask(login: Credential) -> str:
        async with AsyncWalletClient(server, login) as wallet:
            return (await wallet.initiate_order(asked)).order_id

    login = credential(shop.party.caller)
    # A server looks for a new credential once a second at most.
    caller = shop.party.caller.at(server)
    eventually(lambda: caller.post("/payments/query", {"cpOrderId": "none"}).status == 200, "it is known", 20)
    with WalletClient(server, login) as wallet:
        order = wallet.initiate_order(asked)
        told = wallet.query_order(asked.cp_order_id)
    assert (told.order_id, told.state, told.delivered_at) == (order.order_id, "created", None)
    assert (str(told.product_price), str(told.refunded)) == ("4.99", "0.00")
    assert asyncio.run(ask(login)) == order.order_id
