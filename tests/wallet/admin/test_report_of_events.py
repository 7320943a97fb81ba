"""Significant events: what is one, from which amount on, and who did it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from lib.clock import now
from players.audit_trail.names import name_of
from players.audit_trail.record import Origin, Outcome, record_act
from players.audit_trail.recorder import LOOK
from players.models import Operator, Player
from tests.support.admin_pages import by_two, page, saved
from tests.support.callers import PlayerSession, open_session, unique
from tests.support.owned import owned
from tests.support.payout import bounded
from tests.support.shop import ShopSetup
from tests.wallet.admin.test_reports import filed
from wallet.models import Outage, PayoutLimit, Transaction, Wallet
from wallet.reports.period import read_period
from wallet.reports.report import Asked, Thing, rows_of
from wallet.reports.significant_events import REPORT

Said = tuple[Any, ...]


@pytest.fixture(autouse=True)
def amounts(settings: Any) -> None:
    settings.REPORT_AMOUNT = {"": Decimal(20), "JPY": Decimal(2)}
    settings.REPORT_AMOUNT_PER_DAY = {"": Decimal(50)}


def events(about: str, day: str = "", **narrowed: Any) -> list[Said]:
    """What the report of a day says about somebody: what, amount, before, after, by, approved by, reason."""
    rows = rows_of(REPORT, Asked(read_period("", day, now()), **narrowed))
    own = [row.values for row in rows if in_text(row.values[2]) == about]
    return [(str(values[1]), values[4], *map(in_text, values[5:10])) for values in own]


def in_text(value: Any) -> str:
    return str(value.text if isinstance(value, Thing) else value)


def money(session: PlayerSession, **narrowed: Any) -> list[tuple[str, int]]:
    """The same of a player's money, but for the credit that each begins with."""
    return [one[:2] for one in events(session.player.uid, **narrowed)][1:]


def spends(session: PlayerSession, amount: str) -> None:
    session.done("confirmWithdrawal", session.opened("withdraw", amount))


def wins(session: PlayerSession, amount: str) -> None:
    session.done("confirmDeposit", session.opened("deposit", amount))


def test_money__is_told_from_its_amount_on(player_session: PlayerSession) -> None:
    spends(player_session, "19.99")
    spends(player_session, "20.00")
    wins(player_session, "19.99")
    wins(player_session, "20.01")
    assert money(player_session) == [("large withdrawal", 20_00), ("large win", 20_01)]
    assert money(player_session, currency="EUR") == []


def test_money__of_a_day_is_told_from_its_sum_on(player_session: PlayerSession) -> None:
    for _number in range(4):
        spends(player_session, "12.00")
        wins(player_session, "15.00")
    assert money(player_session) == [("4 wins of a day", 60_00)]
    spends(player_session, "2.00")
    assert money(player_session) == [("4 wins of a day", 60_00), ("5 withdrawals of a day", 50_00)]


def test_money__that_is_one_single_amount_is_told_once(player_session: PlayerSession) -> None:
    wins(player_session, "70.00")
    player_session.opened("withdraw", "60.00")
    assert money(player_session) == [("large win", 70_00)]


def test_payments__are_told_single_and_summed(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    player = order.player.uid
    assert [one[:2] for one in events(player)] == [("large payment", 500_00)]
    shop_setup.paid(open_session(shop_setup.party, order.player))
    assert [one[:2] for one in events(player)] == [
        *(("large payment", 500_00), ("large payment", 500_00)),
        ("2 payments of a day", 1000_00),
    ]


def test_debt__is_told_whatever_the_amount(player_session: PlayerSession) -> None:
    player_session.adjust("debit", 100_01, into_debt=True)
    assert money(player_session) == [("debit by an operator", -100_01), ("debt", -1)]


def test_adjustments__are_told_with_both_persons(
    client: Client, second: Client, boss: Operator, player_session: PlayerSession
) -> None:
    place = page(Wallet, player_session.wallet(), "adjust")
    approval = by_two(client, second, place, type="credit", amount="0.01", reason="Ticket 9")
    assert approval.decided_by is not None
    assert events(player_session.player.uid)[-1] == (
        *("credit by an operator", 1, "", "", boss.username, approval.decided_by.username, "Ticket 9"),
    )


def test_test_players__are_left_out(player_session: PlayerSession) -> None:
    wins(player_session, "70.00")
    player_session.adjust("debit", 200_00, into_debt=True)
    owned(Player).filter(pk=player_session.player.pk).update(is_test=True)
    assert events(player_session.player.uid) == []


def test_failed_logins__are_summed_up_by_name_and_address(database: None) -> None:
    name = unique("nobody")
    for address in ("192.0.2.7", "192.0.2.7", "192.0.2.8"):
        origin = Origin(None, name, address=address)
        record_act(origin, action="log_in", subject=None, outcome=Outcome.FAILED)
    record_act(Origin(None, name, address="192.0.2.7"), action="log_in", subject=None)
    two, one = sorted(events(name), key=lambda said: said[0], reverse=True)
    assert (two[0], two[4], one[0], one[4]) == (
        "2 failed log-ins",
        "192.0.2.7",
        "1 failed log-in",
        "192.0.2.8",
    )
    assert two[2].startswith("the first 20")
    assert events(name, currency="XAG") == []


def test_outages__are_told_when_they_end(database: None) -> None:
    # Of long ago: nothing is due for two hours after one.
    Outage.objects.create(
        began_at=datetime(2021, 5, 4, 23, 58, tzinfo=UTC), ended_at=datetime(2021, 5, 5, 0, 7, tzinfo=UTC)
    )
    said = ("outage", None, "2021-05-04 23:58:00 UTC", "2021-05-05 00:07:00 UTC", "", "", "")
    assert events("no web process answered", "2021-05-04") == []
    assert events("no web process answered", "2021-05-05") == [said]


def test_parameters__are_told_with_before_after_and_both_persons(
    client: Client, second: Client, boss: Operator
) -> None:
    limit = bounded()
    approval = saved(
        client, second, page(PayoutLimit, limit), {"largest_deposit": "60.00", "daily_payout": "1000"}
    )
    assert approval is not None
    assert approval.decided_by is not None
    assert events(f"payoutlimit {limit}") == [
        (
            *(name_of(approval.kind), None),
            *("Largest deposit: 50.00 XAG", "Largest deposit: 60.00 XAG"),
            *(boss.username, approval.decided_by.username, "Ticket 7"),
        )
    ]


def test_parameters__of_acts_that_change_none_are_not_told(boss: Operator) -> None:
    limit, origin = bounded(), Origin(boss, boss.username)
    state = {"name": "The same"}
    record_act(origin, action="change_game_limits", subject=limit, before=state, after=dict(state))
    record_act(origin, action=LOOK, subject=limit, after=state)
    record_act(origin, action="change_game_limits", subject=limit, after=state, outcome=Outcome.REFUSED)
    assert events(f"payoutlimit {limit}") == []
    record_act(origin, action="retire_secret", subject=limit, before=state, reason="Ticket 8")
    assert events(f"payoutlimit {limit}") == [
        ("Retire secret", None, "name: The same", "", boss.username, "", "Ticket 8")
    ]


def test_file__leads_to_the_transaction(client: Client, player_session: PlayerSession) -> None:
    wins(player_session, "70.00")
    [own] = [
        row
        for row in filed(client, "significant-events")
        if row[1:3] == ["large win", player_session.player.uid]
    ]
    win = Transaction.objects.get(player=player_session.player, type="deposit")
    assert (own[3:5], own[-1]) == (["XAG", "70.00"], str(win.pk))
