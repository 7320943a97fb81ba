"""The report of adjustments: what, by whom, approved by whom, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.test import Client

from lib.clock import now
from players.models import Operator, Player
from tests.conftest import Clock
from tests.support.admin_pages import by_two, get, page
from tests.support.callers import PlayerSession
from tests.support.owned import owned
from tests.wallet.admin.test_reports import ALL, filed
from tests.wallet.sql.test_chart import legs
from wallet.models import Transaction, Wallet
from wallet.reports.adjustments import REPORT, TAKES
from wallet.reports.period import read_period
from wallet.reports.report import Asked, Row, rows_of


def asked(**narrowed: Any) -> Asked:
    return Asked(read_period("", "", now()), **narrowed)


def of_player(rows: list[list[str]], session: PlayerSession) -> list[list[str]]:
    return [row[2:8] for row in rows if row[1:2] == [session.player.uid]]


def test_adjustments__name_both_persons_and_the_reason(
    client: Client, second: Client, boss: Operator, player_session: PlayerSession
) -> None:
    place = page(Wallet, player_session.wallet(), "adjust")
    approval = by_two(client, second, place, type="debit", amount="12.34", reason="=Ticket 9")
    player_session.adjust("credit", 1_00)
    rows = filed(client, "adjustments")
    assert rows[0] == [
        *("When (UTC)", "Player", "What", "Currency", "Amount", "Requested by", "Approved by", "Reason"),
        "Transaction",
    ]
    assert approval.decided_by is not None
    assert of_player(rows, player_session) == [
        ["credit by an operator", "XAG", "100.00", "test", "", "test"],
        [
            *("debit by an operator", "XAG", "-12.34", boss.username, approval.decided_by.username),
            "'=Ticket 9",
        ],
        ["credit by an operator", "XAG", "1.00", "test", "", "test"],
    ]
    assert str(approval.pk) in {row[-1] for row in rows}
    assert f"/admin/wallet/transaction/{approval.pk}/change/" in every_page(client)


def every_page(client: Client) -> str:
    """All pages of the report of today, in one text."""
    texts, following = [], ""
    while True:
        text = get(client, f"{ALL}adjustments/?after={following}")
        texts.append(text)
        _before, found, rest = text.partition('rel="next" href="')
        if not found:
            return "".join(texts)
        following = rest.partition("after=")[2].partition('"')[0]


def test_adjustments__take_and_give_by_their_type(player_session: PlayerSession) -> None:
    player_session.adjust("debit", 130_00, into_debt=True)
    player_session.adjust("write_off", 30_00)
    rows = [row for row in rows_of(REPORT, asked()) if row.values[1].text == player_session.player.uid]
    assert [row.values[4] for row in rows] == [100_00, -130_00, 30_00]


def test_adjustments__come_in_order_each_once_in_any_size(player_session: PlayerSession) -> None:
    for _number in range(5):
        player_session.adjust("credit", 1_00)

    def keys(rows: list[Row]) -> list[Any]:
        return [row.values[-1].id for row in rows]

    whole = keys(list(rows_of(REPORT, asked(), 10_000)))
    assert len(whole) == len(set(whole)) >= 6
    assert keys(list(rows_of(REPORT, asked(), 2))) == whole
    assert keys(list(rows_of(REPORT, asked(currency="BHD")))) == []


def test_adjustments__of_another_day_or_of_test_players_are_left_out(player_session: PlayerSession) -> None:
    yesterday = read_period("day", str(now().date() - timedelta(days=1)), now())
    uids = [row.values[1].text for row in rows_of(REPORT, Asked(yesterday))]
    assert player_session.player.uid not in uids
    owned(Player).filter(pk=player_session.player.pk).update(is_test=True)
    assert player_session.player.uid not in [row.values[1].text for row in rows_of(REPORT, asked())]


def test_adjustments__of_one_moment_come_each_once(player_session: PlayerSession, clock: Clock) -> None:
    clock.stand(datetime(2026, 3, 2, 12, tzinfo=UTC))
    for _number in range(3):
        player_session.adjust("credit", 1_00)
    clock.stand(datetime(2026, 3, 2, 13, tzinfo=UTC))
    found, uid = Asked(read_period("day", "2026-03-02", now())), player_session.player.uid
    for size in (1, 2, 50):
        assert [row.values[1].text for row in rows_of(REPORT, found, size)].count(uid) == 3


def test_adjustments__take_what_the_chart_debits(owner: "psycopg.Connection[Any]", database: None) -> None:
    known = {type: legs(owner, type, "adjusted") for type in Transaction.BY_HAND}
    assert {type for type, found in known.items() if found and found.debit == "spendable"} == TAKES


@pytest.mark.parametrize("place", ["x", "2026-01-01/x", "x/01a22123-6fb6-7000-80a3-1349b36b01e0"])
def test_adjustments__behind_no_place_are_not_there(client: Client, place: str) -> None:
    assert client.get(f"{ALL}adjustments/?after={place}").status_code == 404
