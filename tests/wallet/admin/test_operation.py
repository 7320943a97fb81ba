"""Job runs, checkpoints, daily totals and frozen wallets, as operators see them."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client

from lib.clock import now
from players.models import Operator
from tests.conftest import Clock
from tests.support.admin_pages import address, alert, by_two, checkpoint, closed, get, page, queries, run
from tests.support.callers import Callers, PlayerSession
from wallet.models import Alert, Checkpoint, ClosedDay, DailyTotal, Discrepancy, JobRun, Wallet
from wallet.operations import freeze_wallet

MINUTE = timedelta(minutes=1)


def listed(text: str, model: str = "jobrun") -> list[str]:
    return list(dict.fromkeys(re.findall(rf"/admin/wallet/{model}/([^/\"]+)/change/", text)))


# --- Job runs -------------------------------------------------------------------------------------------


def test_job_run__list_newest_first_filtered_by_task_and_outcome(client: Client) -> None:
    at = now()
    first = run(began_at=at - 3 * MINUTE)
    busy = run(began_at=at - 2 * MINUTE, looked_at=4000, done=3999, failed=1)
    broken = run("audit_all", began_at=at - 4 * MINUTE, error="OperationalError: gone")
    open_one = run(began_at=at - MINUTE, ended_at=None)
    views = {
        "": [open_one, busy, first, broken],
        "?task=audit_all": [broken],
        "?outcome=busy": [busy],
        "?outcome=failed": [busy, broken],
        "?outcome=unfinished": [open_one],
        "?outcome=failed&task=settle_due": [busy],
    }
    for view, rows in views.items():
        assert listed(get(client, address(JobRun) + view)) == [str(row.pk) for row in rows], view
    text = get(client, address(JobRun))
    for words in ("4,000", "3,999", "1 failed", "OperationalError: gone", "worker:7"):
        assert words in text, words
    assert client.get(f"{address(JobRun)}?worker=x").status_code == 400


def test_job_run__empty_list_says_what_fills_it(client: Client) -> None:
    assert "Runs are recorded once a worker and beat are started." in get(client, address(JobRun))
    assert "No run has failed." in get(client, f"{address(JobRun)}?outcome=failed")


CHECK_MINUTES = configured.CHECK_TIME_LIMIT // 60
ENDS: list[tuple[str, dict[str, Any], int, str]] = [
    ("settle_due", {}, 0, "finished"),
    ("settle_due", {"failed": 3}, 0, "3 failed"),
    ("settle_due", {"error": "Killed"}, 0, "aborted"),
    ("settle_due", {"ended_at": None, "error": "Killed"}, 99, "aborted"),
    ("settle_due", {"ended_at": None}, 10, "running"),
    ("settle_due", {"ended_at": None}, 11, "lost"),
    ("audit_all", {"ended_at": None}, CHECK_MINUTES, "running"),
    ("audit_all", {"ended_at": None}, CHECK_MINUTES + 1, "lost"),
]


@pytest.mark.parametrize(("task", "attributes", "minutes", "word"), ENDS)
def test_job_run__shows_how_it_ended(
    client: Client, clock: Clock, task: str, attributes: dict[str, Any], minutes: int, word: str
) -> None:
    at = now()
    clock.stand(at)
    row = run(task, **({"began_at": at - minutes * MINUTE} | attributes))
    for place in (address(JobRun), page(JobRun, row)):
        assert re.search(rf">\s*{word}\s*<", get(client, place)), place


# --- Checkpoints ----------------------------------------------------------------------------------------


def test_checkpoint__list_says_what_is_stated_and_what_was_found(client: Client) -> None:
    at = now()
    rows = [
        checkpoint(1, verified_at=at, differences=0),
        checkpoint(2, verified_at=at, differences=2, note="accepted: a repair"),
        checkpoint(3),
    ]
    assert listed(get(client, address(Checkpoint)), "checkpoint") == ["3", "2", "1"]
    for row, verdict in zip(rows, ("matches the ledger", "2 differences", "not verified yet"), strict=True):
        text = get(client, page(Checkpoint, row))
        for words in (verdict, "0a" * 32, "0b" * 32, "0c" * 32, "0123456789abcdef", row.file, "1,234"):
            assert words in text, words
    assert "accepted: a repair" in get(client, page(Checkpoint, rows[1]))
    assert "CHECKPOINT_KEY" not in get(client, address(Checkpoint))


def test_checkpoint__empty_list_says_what_makes_them(client: Client) -> None:
    assert "if CHECKPOINT_KEY is set" in get(client, address(Checkpoint))
    assert "The totals of each day are computed the night after" in get(client, address(ClosedDay))


# --- Daily totals -------------------------------------------------------------------------------------------


def moved(day: ClosedDay, account: str, debits: int, credits: int) -> None:
    DailyTotal.objects.create(
        day=day, currency_id="XAG", account=account, debits=debits, credits=credits, entries=5
    )


def test_closed_day__shows_movement_and_balance_of_each_account(client: Client, callers: Callers) -> None:
    # Before the journal of any test begins.
    before, day = (
        ClosedDay.objects.create(
            day=date(1901, 1, number), entries=9, closed_at=datetime(1901, 1, 5, tzinfo=UTC)
        )
        for number in (1, 2)
    )
    for closed_day in (before, day):
        moved(closed_day, "adjustments", 1_000_00, 0)
        moved(closed_day, "spendable", 250_50, 1_000_00)
        moved(closed_day, "game_revenue", 0, 250_50)
    text = get(client, page(ClosedDay, day))
    assert "Accounts in XAG" in text
    found = re.findall(r"wallet-amount\">(-?[\d,]+\.\d\d)<", text)
    assert found == [
        "250.50",
        "1,000.00",
        "1,499.00",
        "0.00",
        "250.50",
        "501.00",
        "1,000.00",
        "0.00",
        "-2,000.00",
        "1,250.50",
        "1,250.50",
        "0.00",
    ]
    assert "total" in text


def test_closed_day__money_made_of_nothing_shows_in_the_sum(client: Client, callers: Callers) -> None:
    day = ClosedDay.objects.create(
        day=date(1901, 1, 1), entries=5, closed_at=datetime(1901, 1, 5, tzinfo=UTC)
    )
    moved(day, "adjustments", 1_00, 0)
    moved(day, "spendable", 0, 1_01)
    text = get(client, page(ClosedDay, day))
    assert re.findall(r"wallet-amount\">(-?[\d,]+\.\d\d)<", text)[-3:] == ["1.00", "1.01", "0.01"]


def test_closed_day__list_is_newest_first(client: Client) -> None:
    days = [closed(number) for number in (3, 1, 2)]
    assert listed(get(client, address(ClosedDay)), "closedday") == [
        str(days[number].day) for number in (1, 2, 0)
    ]


# --- What the lists cost --------------------------------------------------------------------------------


def test_operation_lists__cost_the_same_however_much_is_on_them(client: Client, callers: Callers) -> None:
    places = [
        address(Alert),
        # What alerts lead to is looked up once for each kind among them.
        f"{address(Alert)}?state=all&kind=wallet_difference",
        address(Discrepancy),
        address(JobRun),
        address(Checkpoint),
        address(ClosedDay),
    ]
    places.append(f"{address(Wallet)}?withdrawals=frozen")

    def fill(numbers: range) -> None:
        for number in numbers:
            player_session = callers.player_session()
            freeze_wallet(player_session.wallet(), actor="test", reason="test")
            wallet = player_session.wallet()
            alert("wallet_difference", subject=str(wallet.pk), wallet=wallet)
            mm = player_session.opened("deposit", "0.01")
            player_session.resolve(mm, "expired", "deposit")
            player_session.call("confirmDeposit", mm)
            run(began_at=now() - number * MINUTE)
            checkpoint(number)
            closed(number)

    fill(range(1, 2))
    before = {place: len(queries(client, place)) for place in places}
    fill(range(2, 30))
    assert {place: len(queries(client, place)) for place in places} == before
    assert max(before.values()) <= 19, before
    for place in places:
        assert not [sql for sql in queries(client, place) if "COUNT(" in sql.upper()], place


# --- Frozen wallets -------------------------------------------------------------------------------------


def test_frozen_wallets__are_listed_with_since_when_who_and_why(
    client: Client, second: Client, boss: Operator, callers: Callers
) -> None:
    one, other, free = callers.player_session(), callers.player_session(), callers.player_session()
    for player_session in (one, other):
        client.post(
            page(Wallet, player_session.wallet(), "freeze"),
            {"reason": f"Case of {player_session.player.uid}"},
        )
    text = get(client, f"{address(Wallet)}?withdrawals=frozen")
    found = listed(text, "wallet")
    assert found.index(str(other.wallet().pk)) < found.index(str(one.wallet().pk))
    assert str(free.wallet().pk) not in found
    assert "Frozen since" in text
    shown = get(client, page(Wallet, one.wallet()))
    assert f"by operator:{boss.username}: Case of {one.player.uid}" in shown
    by_two(client, second, page(Wallet, one.wallet(), "unfreeze"))
    assert "Frozen at" not in get(client, page(Wallet, one.wallet()))
    assert str(one.wallet().pk) not in listed(get(client, f"{address(Wallet)}?withdrawals=frozen"), "wallet")


def test_frozen_wallets__show_the_reason_of_the_last_freeze(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    for reason in ("First", "Second"):
        client.post(page(Wallet, player_session.wallet(), "freeze"), {"reason": reason})
        by_two(client, second, page(Wallet, player_session.wallet(), "unfreeze"), reason="back")
    client.post(page(Wallet, player_session.wallet(), "freeze"), {"reason": "Third"})
    player_session.opened("deposit", "1.00")
    assert re.search(
        r"Frozen at [^<]{0,100}: Third",
        get(client, page(Wallet, player_session.wallet())),
        re.DOTALL,
    )
