"""What operators see of the standby: lists, their own changes at once, and never an error for its sake."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import DataError, OperationalError, connections
from django.db.models import QuerySet
from django.test import Client, override_settings
from prometheus_client.core import Metric

from config.gauges import Gauges
from lib.backoffice.own_changes import COOKIE
from lib.backoffice.standby_words import REASONS
from lib.standby import ALIAS, STANDBY, Reason
from tests.support.admin_pages import address, get, operator, signed_in
from tests.support.callers import PlayerSession
from tests.support.launcher import eventually
from tests.support.standby import OwnStandby, named
from wallet.models import Transaction, Wallet

SEES = ("wallet.view_wallet", "wallet.view_transaction", "wallet.view_jobrun", "wallet.view_closedday")
EXPORTS = (*SEES, "players.export")
THERE, HERE = "Read from a standby, ", "Read from the primary database: "
LISTED = re.compile(r"Read from (?:a standby, [\d.,]+ s behind|the primary database: [^.<]*)\.")


@pytest.fixture
def standby(own_standby: OwnStandby) -> Iterator[OwnStandby]:
    own_standby.follow()
    with own_standby.used():
        yield own_standby


@pytest.fixture
def client(database: None) -> Client:
    return signed_in(operator(*EXPORTS))


def listed(client: Client, player_session: PlayerSession) -> tuple[int, str]:
    """How many transactions of the player a list shows, and where it says that it was read."""
    ours = Transaction.objects.using("default").filter(player=player_session.player)
    rows = ours.filter(type="withdrawal")
    text = get(client, f"{address(Transaction)}?q={player_session.player.uid}")
    return sum(str(row.pk) in text for row in rows), " ".join(LISTED.findall(text))


def test_list__is_read_from_the_standby(
    standby: OwnStandby, client: Client, player_session: PlayerSession
) -> None:
    with standby.standing_still():
        player_session.opened("withdraw", "1.00")
        number, said = listed(client, player_session)
        assert (number, said.startswith(THERE)) == (0, True)
        # A page of one thing is not.
        page = get(client, address(Wallet, "change", player_session.wallet().pk))
        assert "99.00" in page
        assert not LISTED.search(page)
    standby.follow()
    assert listed(client, player_session)[0] == 1


def test_list__shows_ones_own_change_at_once(
    standby: OwnStandby, client: Client, player_session: PlayerSession
) -> None:
    with standby.standing_still():
        player_session.opened("withdraw", "1.00")
        standby.write()
        client.post(address(Wallet, "export"), {"query": "q=nobody"})
        assert client.cookies[COOKIE]["path"] == "/admin/"
        assert client.cookies[COOKIE]["httponly"]
        number, said = listed(client, player_session)
        assert (number, said) == (1, f"{HERE}the standby does not have your last change yet.")
        # To others it is not there yet.
        assert listed(signed_in(operator(*SEES)), player_session)[0] == 0
    standby.follow()
    number, said = listed(client, player_session)
    assert (number, said.startswith(THERE)) == (1, True)


def test_list__of_a_standby_that_is_away_is_the_primary_s(
    client: Client, player_session: PlayerSession, tmp_path: Path
) -> None:
    player_session.opened("withdraw", "1.00")
    with named(str(tmp_path)):
        assert listed(client, player_session) == (1, f"{HERE}the standby does not answer.")
        assert f"Standby of lists and reports look here {HERE}the standby does not answer." in words(client)
    assert listed(client, player_session) == (1, "")
    assert "Standby of lists and reports" not in words(client)


def test_list__that_the_standby_fails_to_answer_is_read_again(
    standby: OwnStandby, client: Client, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails when the first row is asked for."""
    player_session.opened("withdraw", "1.00")
    standby.follow()
    failed: list[str] = []

    def fail(run: Any, statement: str, *rest: Any) -> Any:
        if "wallet_transaction" in statement:
            failed.append(statement)
            raise DataError("canceling statement due to conflict with recovery")
        return run(statement, *rest)

    with connections[ALIAS].execute_wrapper(fail):
        assert listed(client, player_session) == (1, f"{HERE}the standby could not answer.")
    assert len(failed) == 1


def words(client: Client) -> str:
    """What the first page says."""
    return " ".join(re.sub(r"<[^>]*>", " ", get(client, "/admin/")).split())


def test_home__says_how_far_the_standby_is(standby: OwnStandby, client: Client) -> None:
    assert re.search(
        r"Standby of lists and reports well Read from a standby, \d+\.\d s behind\.", words(client)
    )


def numbers() -> dict[tuple[str, str], float]:
    """What /metrics says of the standby."""
    families: list[Metric] = list(Gauges().collect())
    return {
        (sample.name, sample.labels.get("part", "")): sample.value
        for family in families
        for sample in family.samples
        if "standby" in sample.name or sample.labels.get("part") == "standby"
    }


UP, LAG, PART = ("wallet_standby_up", ""), ("wallet_standby_lag_seconds", ""), ("wallet_up", "standby")


def test_metrics__say_how_far_the_standby_is(standby: OwnStandby, tmp_path: Path) -> None:
    near = numbers()
    # It may have something to replay just now.
    assert 0 <= near.pop(LAG) < settings.DATABASE_REPORTS_LAG
    assert near == {UP: 1, PART: 1}
    with standby.standing_still(), override_settings(DATABASE_REPORTS_LAG=1):
        standby.write()
        eventually(lambda: numbers()[UP] == 0)
        assert numbers()[LAG] > 1
    with named(str(tmp_path)):
        assert numbers() == {UP: 0, PART: 1}


def test_metrics__say_nothing_of_none(database: None) -> None:
    assert numbers() == {}


def checked() -> str:
    said = io.StringIO()
    call_command("check", stderr=said)
    return said.getvalue()


def test_check__says_what_the_standby_lacks(
    standby: OwnStandby, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "hot_standby_feedback off and max_standby_streaming_delay below 15 s" in checked()
    with named(str(tmp_path)):
        assert f"DATABASE_REPORTS_URL: {HERE}the standby does not answer." in checked()
    monkeypatch.setattr("config.standby_check.LEAST_DELAY", 0)
    assert "DATABASE_REPORTS_URL" not in checked()


def exported(client: Client, player_session: PlayerSession) -> list[list[str]]:
    query = f"q={player_session.player.uid}"
    response: Any = client.post(address(Transaction, "export"), {"query": query})
    rows = list(csv.reader(io.StringIO(response.getvalue().decode())))
    return [row for row in rows if "withdrawal" in row]


def test_export__is_read_from_the_standby(
    standby: OwnStandby, client: Client, player_session: PlayerSession
) -> None:
    player_session.opened("withdraw", "1.00")
    standby.follow()
    with standby.standing_still():
        player_session.opened("withdraw", "2.00")
        assert len(exported(client, player_session)) == 1
    standby.follow()
    assert len(exported(client, player_session)) == 2


def test_export__that_the_standby_breaks_off_has_every_row_once(
    standby: OwnStandby, client: Client, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [str(player_session.transaction(player_session.opened("withdraw", "1.00")).pk) for _ in range(3)]
    standby.follow()
    monkeypatch.setattr("lib.backoffice.lists.ROWS_AT_ONCE", 1)
    iterator = QuerySet.iterator
    broken: list[str] = []

    def broken_off(rows: Any, **given: Any) -> Iterator[Any]:
        for row in iterator(rows, **given):
            yield row
            if rows.db == ALIAS:
                broken.append(str(row.pk))
                raise OperationalError("terminating connection due to conflict with recovery")

    monkeypatch.setattr(QuerySet, "iterator", broken_off)
    keys = [row[0] for row in exported(client, player_session)]
    assert len(broken) == 1
    assert keys == sorted(made, reverse=True)


def test_reasons__are_all_told() -> None:
    assert set(REASONS) == set(Reason.ALL)
    assert STANDBY.reason == ""
