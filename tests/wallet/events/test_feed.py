"""The feed of events: everything once, in an order that skips nothing (contract 3)."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.db import transaction

from lib.clock import now, timestamp
from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession
from tests.support.event_feed import Reader, feed_end, rebuilt
from tests.support.limits import change, limit
from wallet.events.cursor import Cursor
from wallet.events.positions import number_events
from wallet.models import Entry, Event, EventHead, LimitChange, NewEvent, Wallet
from wallet.operations import freeze_wallet, unfreeze_wallet

Owner = psycopg.Connection[Any]
NOTE = "SELECT event_note('status', %s, %s, NULL, wallet_now())"


@pytest.fixture
def reader(callers: Callers) -> Reader:
    """One who has read all that is there."""
    return Reader(callers.front, feed_end())


def of(player_session: PlayerSession, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["playerId"] == player_session.player.uid]


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


# --- What is told -----------------------------------------------------------------------------------


def test_feed__tells_a_player_from_the_beginning(callers: Callers, reader: Reader) -> None:
    player_session = callers.player_session()
    mm = player_session.opened("withdraw", "30.00")
    player_session.done("confirmWithdrawal", mm)
    player_session.block()
    assert types(reader.read()) == [
        "player.created",
        "wallet.opened",
        "credit.adjusted",
        "withdrawal.opened",
        "withdrawal.confirmed",
        "player.status_changed",
    ]


def test_feed__tells_what_moved_and_what_the_wallet_holds(
    player_session: PlayerSession, reader: Reader
) -> None:
    reader.after = feed_end()
    mm = player_session.opened("withdraw", "30.05")
    [event] = reader.read()
    entry = Entry.objects.filter(wallet=player_session.wallet()).order_by("-seq")[0]
    zero = {"amount": Decimal("0.00"), "currencyCode": "XAG"}
    moved = {"amount": Decimal("30.05"), "currencyCode": "XAG"}
    assert event == {
        "id": f"{entry.wallet_id}-3",
        "type": "withdrawal.opened",
        "time": event["time"],
        "playerId": player_session.player.uid,
        "isTest": False,
        "line": 3,
        "amount": moved,
        "debit": "spendable",
        "credit": "reserved",
        "balance": {"amount": Decimal("69.95"), "currencyCode": "XAG"},
        "reserved": moved,
        "announced": zero,
        "debt": zero,
        "game": player_session.game.slug,
        "mmTransactionId": mm,
        "qwTransactionId": str(entry.transaction_id),
    }
    assert str(event["balance"]["amount"]) == "69.95"


def test_feed__tells_a_status(player_session: PlayerSession) -> None:
    reader = Reader(player_session.caller, feed_end())
    player_session.block("self_excluded")
    number_events()
    [told] = Event.objects.order_by("-position")[:1]
    assert told.kind == "status"
    assert reader.get().status == 401


def test_feed__tells_every_change_of_a_limit(player_session: PlayerSession, reader: Reader) -> None:
    reader.after = feed_end()
    limit(player_session, "spend", "day", 50_00)
    change(player_session, "spend", "day", "set", 80_00)
    change(player_session, "spend", "day", "cancel")
    limit(player_session, "time", "day", 90, game=player_session.game, set_by="operator")
    by_two = {"set_by": "operator", "is_approved": True, "game": player_session.game}
    change(player_session, "time", "day", "remove", **by_two)  # type: ignore[arg-type]
    events = reader.read()
    assert types(events) == [f"limit.{what}" for what in ("set", "requested", "cancelled", "set", "removed")]
    rows = list(LimitChange.objects.filter(player=player_session.player).order_by("at"))
    assert [event["id"] for event in events] == [str(row.pk) for row in rows]
    assert {event["playerId"] for event in events} == {player_session.player.uid}
    named = {"kind": "spend", "setBy": "player", "currencyCode": "XAG", "window": "day"}
    low, high = ({"amount": Decimal(text), "currencyCode": "XAG"} for text in ("50.00", "80.00"))
    assert (later := rows[1].counts_at) is not None
    assert [event["limit"] for event in events[:3]] == [
        {**named, "amount": low},
        {**named, "oldAmount": low, "amount": high, "countsAt": timestamp(later)},
        {**named, "oldAmount": high, "amount": low},
    ]
    named |= {"kind": "time", "setBy": "operator"}
    assert [event["limit"] for event in events[3:]] == [{**named, "minutes": 90}, {**named, "oldMinutes": 90}]
    assert [event.get("game") for event in events] == [None, None, None, *[player_session.game.slug] * 2]


def test_feed__tells_no_change_of_a_limit_that_is_rolled_back(
    player_session: PlayerSession, reader: Reader
) -> None:
    reader.after = feed_end()
    with transaction.atomic():
        limit(player_session, "spend", "day", 50_00)
        assert NewEvent.objects.filter(player=player_session.player, kind="limit").exists()
        transaction.set_rollback(True)
    assert reader.read() == []


def test_feed__rebuilds_every_balance(callers: Callers, reader: Reader) -> None:
    sessions = [callers.player_session() for _ in range(3)]
    for number, one in enumerate(sessions):
        mm = one.opened("withdraw", "40.00")
        one.done(("confirmWithdrawal", "rollbackWithdrawal", "confirmWithdrawal")[number], mm)
        one.done("confirmDeposit", one.opened("deposit", "7.00"))
        one.adjust("debit", 90_00, into_debt=True)
        one.adjust("credit", 20_00)
    held = rebuilt(reader.read())
    wallets = {(one.player.uid, "XAG"): one.wallet() for one in sessions}
    assert set(held) == set(wallets)
    for key, wallet in wallets.items():
        found = [int(held[key][name] * 100) for name in ("spendable", "reserved", "debt")]
        assert found == [wallet.spendable, wallet.reserved, wallet.debt]
        assert held[key]["line"] == wallet.entry_count


# --- Pages ------------------------------------------------------------------------------------------


def test_feed__tells_each_event_once_page_by_page(player_session: PlayerSession, reader: Reader) -> None:
    reader.after = feed_end()
    for _ in range(5):
        player_session.opened("withdraw", "1.00")
    pages = [reader.read(limit=2) for _ in range(4)]
    assert [[event["line"] for event in page] for page in pages] == [[3, 4], [5, 6], [7], []]


def test_feed__without_news_gives_the_same_next(reader: Reader) -> None:
    before = reader.after
    assert (reader.read(), reader.after) == ([], before)


def test_feed__without_after_begins_with_what_is_kept(
    player_session: PlayerSession, callers: Callers
) -> None:
    feed_end()
    answer = Reader(callers.front, "").get(limit=1)
    first = Event.objects.order_by("position")[0]
    assert answer.body["next"].split("-")[1] == str(first.position)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1.5", "ten", "1e2", "9" * 40, "\u0661"])
def test_feed__refuses_a_limit(callers: Callers, limit: str) -> None:
    assert Reader(callers.front, "").get(limit=limit).error == 101


@pytest.mark.parametrize(
    "after",
    ["nonsense", "20261301-1-00000000", "20261130-1", "0", "20261130--1-00000000", "20261130-1-0000000G"],
)
def test_feed__refuses_what_is_no_cursor(callers: Callers, after: str) -> None:
    answer = Reader(callers.front, "").get(after=after)
    assert (answer.status, answer.error) == (200, 101)
    assert answer.body["errorDescription"] == "after must be the next of an earlier answer."


def test_feed__refuses_a_cursor_of_another_history(player_session: PlayerSession, callers: Callers) -> None:
    feed_end()
    last = Event.objects.order_by("-position")[0]
    for position, mark in ((last.position, "00000000"), (last.position + 10**6, "0a0b0c0d")):
        answer = Reader(callers.front, "").get(after=Cursor(last.day, position, mark))
        assert answer.error == 101
        assert "not this database's any more" in answer.body["errorDescription"]


def test_feed__refuses_another_method(callers: Callers) -> None:
    assert callers.front.post("/entry/events", {}).status == 405


# --- Order under concurrency ------------------------------------------------------------------------


def test_order__holds_in_a_wallet_that_an_older_transaction_writes_later(
    player_session: PlayerSession, reader: Reader, owner: Owner
) -> None:
    """It got its number (xid) before the other one, and waited for the wallet."""
    reader.after = feed_end()
    with psycopg.connect(owner.info.dsn, password=owner.info.password) as early:
        early.execute("SELECT pg_current_xact_id()")
        player_session.opened("withdraw", "1.00")
        early.execute("SELECT ledger_gate(%s, 'XAG', 'frozen', NULL, 'test', '')", [player_session.player.pk])
        assert types(reader.read()) == ["withdrawal.opened"]
    assert types(reader.read()) == ["wallet.frozen"]


def test_order__waits_for_nobody_and_skips_nobody(
    callers: Callers, player_session: PlayerSession, reader: Reader, owner: Owner
) -> None:
    """What was written first and committed last comes last, however often the others were numbered."""
    reader.after = feed_end()
    slow = callers.player_session()
    reader.after = feed_end()
    with psycopg.connect(owner.info.dsn, password=owner.info.password) as late:
        late.execute("SELECT ledger_gate(%s, 'XAG', 'frozen', NULL, 'test', '')", [slow.player.pk])
        for _ in range(4):
            player_session.opened("withdraw", "1.00")
            assert types(reader.read()) == ["withdrawal.opened"]
            assert reader.read() == []
    assert types(of(slow, reader.read())) == ["wallet.frozen"]
    assert reader.read() == []


def test_order__leaves_out_what_was_rolled_back(
    player_session: PlayerSession, reader: Reader, owner: Owner
) -> None:
    reader.after = feed_end()
    with psycopg.connect(owner.info.dsn, password=owner.info.password) as undone:
        undone.execute(
            "SELECT ledger_gate(%s, 'XAG', 'frozen', NULL, 'test', '')", [player_session.player.pk]
        )
        undone.rollback()
    freeze_wallet(player_session.wallet(), actor="test", reason="")
    unfreeze_wallet(player_session.wallet(), actor="test", reason="")
    assert types(reader.read()) == ["wallet.frozen", "wallet.unfrozen"]


def test_numbering__is_one_processs_at_a_time(player_session: PlayerSession, owner: Owner) -> None:
    feed_end()
    player_session.opened("withdraw", "1.00")
    with psycopg.connect(owner.info.dsn, password=owner.info.password) as other:
        other.execute("SELECT FROM wallet_eventhead FOR UPDATE")
        assert number_events() == 0
    assert number_events() == 1


def test_numbering__takes_the_oldest_first(player_session: PlayerSession) -> None:
    feed_end()
    before = EventHead.objects.get().position
    for _ in range(3):
        player_session.opened("withdraw", "1.00")
    assert [number_events(2), number_events(2), number_events(2)] == [2, 1, 0]
    told = Event.objects.filter(position__gt=before).order_by("position")
    assert list(told.values_list("position", "seq")) == [(before + 1, 3), (before + 2, 4), (before + 3, 5)]


def test_numbering__scans_no_more_what_is_over(player_session: PlayerSession, owner: Owner) -> None:
    feed_end()
    # What is under way in any database of the server, such as that of other tests, may hold it up.
    for _ in range(100):
        player_session.opened("withdraw", "1.00")
        number_events()
        [(settled, drawn)] = owner.execute("SELECT settled, drawn FROM wallet_eventhead").fetchall()
        [(last,)] = owner.execute("SELECT last_value FROM wallet_newevent_n_seq").fetchall()
        assert 0 <= settled <= drawn <= last
        if settled >= last - 3:
            return
        time.sleep(0.1)
    pytest.fail(f"{last} events were noted, and only the first {settled} are known to be over")


# --- What is kept -----------------------------------------------------------------------------------


def test_days__go_up_with_positions_though_the_clock_goes_back(
    player_session: PlayerSession, clock: Clock
) -> None:
    feed_end()
    player_session.opened("withdraw", "1.00")
    number_events()
    first = Event.objects.order_by("-position")[0]
    clock.stand(now() - timedelta(days=2))
    player_session.opened("withdraw", "1.00")
    number_events()
    second = Event.objects.order_by("-position")[0]
    assert (second.position, second.day) == (first.position + 1, first.day)


def test_wallets__are_all_told(callers: Callers, reader: Reader) -> None:
    """Of every line of a journal there is an event."""
    player_session = callers.player_session(currency="EUR")
    events = of(player_session, reader.read())
    wallet = Wallet.objects.get(player=player_session.player)
    assert [event["line"] for event in events if "line" in event] == list(range(1, wallet.entry_count + 1))
