"""The statement of a player: all wallets in the order of time, page by page, narrowed."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lib.clock import now
from tests.support.callers import Callers, PlayerSession
from wallet import statement
from wallet.models import Entry, Wallet
from wallet.statement import read_page
from wallet.statement_terms import KINDS, Wanted

Key = tuple[str, int]


def wallets_of(story: PlayerSession) -> list[Wallet]:
    return list(Wallet.objects.filter(player=story.player).order_by("currency_id"))


def all_pages(story: PlayerSession, wanted: Wanted, size: int = 4) -> list[Key]:
    """The entries that turning the pages to the end shows."""
    wallets, shown, place = wallets_of(story), [], ""
    codes = {wallet.pk: wallet.currency_id for wallet in wallets}
    for _ in range(100):
        page = read_page(story.player, wallets, wanted, place, size)
        shown += [(codes[entry.wallet_id], entry.seq) for entry in page.entries]
        assert len(page.entries) <= size
        if not page.following:
            return shown
        place = page.following
    raise AssertionError("the pages have no end")


def expected(story: PlayerSession, **conditions: object) -> list[Key]:
    """The same by sorting everything."""
    rows = Entry.objects.filter(player=story.player, **conditions).select_related("wallet")
    ordered = sorted(rows, key=lambda row: (row.at, row.seq), reverse=True)
    return [(row.wallet.currency_id, row.seq) for row in ordered]


@pytest.fixture
def two_wallets(player_session: PlayerSession) -> PlayerSession:
    """Seven withdrawals and seven deposits, in turns in two currencies."""
    other = player_session.elsewhere("EUR")
    for number in range(1, 8):
        place = player_session if number % 2 else other
        if place is other:
            other.adjust("credit", 10_00)
        place.done("confirmWithdrawal", place.opened("withdraw", f"{number}.00"))
        other.opened("deposit", f"{number}.50")
    return player_session


def test_statement__pages_show_every_entry_once_in_time(two_wallets: PlayerSession) -> None:
    wanted = all_pages(two_wallets, Wanted())
    assert wanted == expected(two_wallets)
    assert {code for code, _ in wanted} == {"EUR", "XAG"}
    assert all_pages(two_wallets, Wanted(), size=25) == wanted


@pytest.mark.parametrize("most", [1, 3, 10_000])
def test_statement__sparse_search_ends_with_the_same(
    two_wallets: PlayerSession, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(statement, "MOST_LOOKED_THROUGH", most)
    found = all_pages(two_wallets, Wanted(kind="withdrawal"))
    assert found == expected(two_wallets, transaction__type="withdrawal")
    assert len(found) == 14


def test_statement__is_narrowed_by_game_currency_and_amount(
    two_wallets: PlayerSession, callers: Callers
) -> None:
    amounts = Wanted(least=Decimal("3"), most=Decimal("4.5"), kind="deposit")
    assert all_pages(two_wallets, amounts) == expected(
        two_wallets, transaction__type="deposit", amount__range=(3_00, 4_50)
    )
    euros = Wanted(currency="EUR", game=two_wallets.game.pk)
    assert all_pages(two_wallets, euros) == expected(
        two_wallets, wallet__currency_id="EUR", transaction__game=two_wallets.game
    )
    assert all_pages(two_wallets, Wanted(game=callers.other_game.game.pk)) == []


def test_statement__is_narrowed_by_time(two_wallets: PlayerSession) -> None:
    times = sorted(Entry.objects.filter(player=two_wallets.player).values_list("at", flat=True))
    since, until = times[5], times[15]
    wanted = Wanted(since=since, until=until)
    assert all_pages(two_wallets, wanted) == expected(two_wallets, at__gte=since, at__lt=until)
    assert all_pages(two_wallets, Wanted(since=now() + timedelta(days=1))) == []
    assert all_pages(two_wallets, Wanted(until=datetime.fromisoformat("2020-01-01T00:00Z"))) == []


def test_statement__every_kind_can_be_asked_for(two_wallets: PlayerSession) -> None:
    found = {kind: len(all_pages(two_wallets, Wanted(kind=kind))) for kind in KINDS}
    assert found == {
        "moved": 11,
        "withdrawal": 14,
        "deposit": 7,
        "paid": 0,
        "by_hand": 4,
        "declined": 0,
        "returned": 0,
        "debt": 0,
        "wallet": 2,
    }


def test_statement__a_place_that_is_none_shows_nothing(two_wallets: PlayerSession) -> None:
    for place in ("nonsense", "XAG-", "xag-5", "XAG-5.", "XAG-5'"):
        assert read_page(two_wallets.player, wallets_of(two_wallets), Wanted(), place).entries == []


def test_statement__wallet_opened_meanwhile_stays_out(two_wallets: PlayerSession) -> None:
    first = read_page(two_wallets.player, wallets_of(two_wallets), Wanted(), "", 4)
    two_wallets.elsewhere("JPY")
    page = read_page(two_wallets.player, wallets_of(two_wallets), Wanted(), first.following, 100)
    assert len(page.entries) == len(expected(two_wallets)) - 4 - 1


def test_statement__takes_as_many_queries_for_many_entries(two_wallets: PlayerSession) -> None:
    wallets = wallets_of(two_wallets)
    with CaptureQueriesContext(connection) as few:
        read_page(two_wallets.player, wallets, Wanted(kind="moved"), size=1)
    with CaptureQueriesContext(connection) as many:
        read_page(two_wallets.player, wallets, Wanted(kind="moved"))
    assert len(few) == len(many) == 3
