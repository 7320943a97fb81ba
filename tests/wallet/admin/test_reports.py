"""The pages of reports: what they show, page by page, as a file and on paper, and to whom."""

import csv
import io
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from config.roles import ROLES
from lib.clock import now
from players.models import AuditEvent, Player
from tests.support.admin_pages import get, operator, signed_in
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.owned import owned
from wallet.admin import reports as pages
from wallet.reports import report as reports
from wallet.reports.registry import REPORTS
from wallet.reports.report import Asked, Batch, Column, Look, Report, Row

ALL = "/admin/reports/"


def words(text: str) -> str:
    """What a page says below its head, without its marks."""
    [content] = re.findall(r'<div id="content".*', text, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", content)).split())


def said(client: Client, name: str, query: str = "") -> str:
    return words(get(client, f"{ALL}{name}/{query}"))


def filed(client: Client, name: str, **given: str) -> list[list[str]]:
    """The lines of the file."""
    response: Any = client.post(f"{ALL}{name}/export/", {"as": "csv", **given})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    return list(csv.reader(io.StringIO(b"".join(response).decode())))


@dataclass
class Numbered:
    """A report of so many rows, which notes how far it was read."""

    number: int
    faulty: frozenset[int] = frozenset()
    reads: list[int] = field(default_factory=list)

    def read(self, asked: Asked, place: str, size: int) -> Batch:
        first = int(place or 0)
        last = min(first + size, self.number)
        self.reads.append(last - first)
        rows = [
            Row((f"=n{number}", "XAG", 100 - number), "XAG", "Wrong." if number in self.faulty else "")
            for number in range(first, last)
        ]
        return Batch(rows, str(last) if last < self.number else "")

    def report(self) -> Report:
        return Report(
            name="numbered",
            title="Numbered",
            question="Which?",
            rule="Rule 1",
            note="Counted.",
            columns=(
                Column("Name"),
                Column("Currency", Look.CURRENCY),
                Column("Amount", Look.AMOUNT, is_summed=True),
            ),
            permissions=("wallet.view_closedday",),
            read=self.read,
            in_order="All are right.",
            at_fault="{} are wrong.".format,
        )


@pytest.fixture
def numbered(monkeypatch: pytest.MonkeyPatch) -> Numbered:
    made = Numbered(120)
    monkeypatch.setitem(REPORTS, "numbered", made.report())
    return made


@pytest.mark.parametrize("role", ROLES)
def test_reports__are_open_to_every_role_and_files_to_auditors(database: None, role: str) -> None:
    who = operator()
    who.groups.set(Group.objects.filter(name=role))
    one = signed_in(who)
    assert [title in words(get(one, ALL)) for title in ("Account summary", "Liabilities")] == [True, True]
    assert 'href="/admin/reports/"' in get(one, "/admin/")
    for name, report in REPORTS.items():
        if not set(report.permissions) <= ROLES[role]:
            assert one.get(f"{ALL}{name}/").status_code == 403
            assert str(report.title) not in words(get(one, ALL))
            continue
        shows = "Export as CSV" in said(one, name)
        status = one.post(f"{ALL}{name}/export/", {"as": "csv"}).status_code
        assert (shows, status) == ((True, 200) if role == "auditor" else (False, 403)), name


def test_reports__but_one_are_open_to_all_roles() -> None:
    """Significant events tell of operators' log-ins, and of all that they set."""
    closed = {
        (name, role)
        for name, report in REPORTS.items()
        for role in ROLES
        if not set(report.permissions) <= ROLES[role]
    }
    roles = set(ROLES) - {"administrator", "auditor"}
    assert closed == {("significant-events", role) for role in roles}


def test_reports__are_open_to_nobody_else(database: None) -> None:
    other = signed_in(operator("wallet.view_apicall", "players.export"))
    for place in (ALL, *(f"{ALL}{name}/" for name in REPORTS)):
        assert other.get(place).status_code == 403, place
        assert Client().get(place).status_code == 302, place
    assert 'href="/admin/reports/"' not in get(other, "/admin/")
    assert signed_in(operator("wallet.view_closedday")).get(f"{ALL}liabilities/").status_code == 200
    assert signed_in(operator("wallet.view_closedday")).get(f"{ALL}account-summary/").status_code == 403


def test_report__that_is_none_is_not_there(client: Client) -> None:
    for place in ("no-such/", "no-such/export/", "account-summary/?after=x"):
        assert client.get(f"{ALL}{place}").status_code == 404, place


def test_account_summary__has_the_wallets_of_today(client: Client, player_session: PlayerSession) -> None:
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "30.25"))
    player_session.opened("withdraw", "0.75")
    rows = filed(client, "account-summary")
    assert rows[0] == [
        *("Player", "Currency", "Opening", "Paid in", "Won", "Spent", "Refunded", "Adjusted", "Closing"),
        *("Reserved before", "Reserved after", "Check"),
    ]
    [own] = [row for row in rows if row[0] == player_session.player.uid]
    assert own[1:9] == ["XAG", "0.00", "0.00", "0.00", "30.25", "0.00", "100.00", "69.75"]
    assert own[9:] == ["0.00", "0.75", "in order"]
    assert "Every wallet adds up." in said(client, "account-summary")


def test_account_summary__keeps_the_sign_of_debt(client: Client, player_session: PlayerSession) -> None:
    player_session.adjust("debit", 120_00, into_debt=True)
    [own] = [row for row in filed(client, "account-summary") if row[0] == player_session.player.uid]
    assert own[2:9] == ["0.00", "0.00", "0.00", "0.00", "0.00", "-20.00", "-20.00"]


def test_account_summary__leads_to_the_wallet(client: Client, player_session: PlayerSession) -> None:
    wallet = player_session.wallet()
    place = f"{ALL}account-summary/"
    # The newest wallet is on the last page.
    while following := re.search(r'rel="next" href="(\?[^"]*)"', text := get(client, place)):
        place = f"{ALL}account-summary/{unescape(following[1])}"
    assert f'href="/admin/wallet/wallet/{wallet.pk}/change/"' in text


def test_test_players__are_in_no_report(client: Client, player_session: PlayerSession) -> None:
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "1.23"))
    before = {name: filed(client, name) for name in REPORTS}
    owned(Player).filter(pk=player_session.player.pk).update(is_test=True)
    after = {name: filed(client, name) for name in REPORTS}
    # Nobody is dormant on the day of a test, and this player has no limits.
    same = [name for name in REPORTS if before[name] == after[name]]
    assert same == ["limits-and-exclusions", "dormant-accounts"]
    assert player_session.player.uid not in str(after)


def test_game_totals__are_narrowed_to_any_game_however_many_there_are(
    client: Client, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wallet.admin.report_forms.MOST_GAMES", 0)
    text = said(client, "game-totals", f"?game={player_session.game.slug}")
    assert "Choose a period that has begun" not in text
    assert "Choose a period that has begun" in said(client, "game-totals", "?game=none")


def test_game_totals__are_narrowed_by_game_and_currency(client: Client, callers: Callers) -> None:
    # A game in which no other test plays.
    player_session = open_session(make_party(), callers.player())
    player_session.adjust("credit", 100_00)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "8.00"))
    player_session.done("confirmDeposit", player_session.opened("deposit", "2.00"))
    game = player_session.game
    found = filed(client, "game-totals", game=game.slug, currency="XAG")
    assert [row[:2] for row in found[1:-1]] == [[game.name, "XAG"], ["total", "XAG"]]
    assert found[-1] == ["rows", "1"]
    text = said(client, "game-totals", f"?game={game.slug}&currency=EUR")
    assert "No activity" in text


def test_report__without_a_row_says_no_activity(client: Client, numbered: Numbered) -> None:
    numbered.number = 0
    assert "No activity" in said(client, "numbered")
    assert filed(client, "numbered")[1:] == [["No activity"], ["rows", "0"], ["rows at fault", "0"]]
    response: Any = client.post(f"{ALL}numbered/export/", {"as": "page"})
    assert "No activity" in response.content.decode()
    for name in REPORTS:
        assert "No activity" in said(client, name, "?period=year&day=2001-05-05"), name


def test_report__says_at_its_top_whether_rows_are_at_fault(client: Client, numbered: Numbered) -> None:
    assert "All are right. 120 rows." in said(client, "numbered")
    numbered.faulty = frozenset({7, 119})
    text = said(client, "numbered")
    assert "2 are wrong. 120 rows." in text
    assert text.count("Wrong.") == 1
    assert "Wrong." in said(client, "numbered", "?after=100")
    lines = filed(client, "numbered")
    assert (lines[8][-1], lines[9][-1], lines[-1]) == ("Wrong.", "in order", ["rows at fault", "2"])


def test_report__is_turned_page_by_page(client: Client, numbered: Numbered) -> None:
    texts, place = [], ""
    for _page in range(3):
        texts.append(get(client, f"{ALL}numbered/{place}"))
        found = re.search(r'rel="next" href="(\?[^"]*)"', texts[-1])
        place = unescape(found[1]) if found else ""
    assert place == ""
    numbers = [re.findall(r"=n(\d+)", text) for text in texts]
    assert [number for found in numbers for number in found] == [str(number) for number in range(120)]
    assert ["5,060.00" not in text for text in texts] == [True] * 3
    # The sums of all rows, on the first page: 100 + 99 + … - 19 minor units.
    assert ["48.60" in text for text in texts] == [True, False, False]
    assert "period=day" in get(client, f"{ALL}numbered/")
    assert "There are no more rows." in said(client, "numbered", "?after=120")


def test_file__of_ten_thousand_rows_is_read_while_it_is_sent(client: Client, numbered: Numbered) -> None:
    numbered.number = 10_000
    response: Any = client.post(f"{ALL}numbered/export/", {"as": "csv"})
    assert numbered.reads == []
    sent = iter(response)
    assert [next(sent) for _line in range(2)] == [
        b"Name,Currency,Amount,Check\r\n",
        b"'=n0,XAG,1.00,in order\r\n",
    ]
    assert numbered.reads == [reports.BATCH]
    rest = list(sent)
    assert len(rest) == 10_000 - 1 + 3
    assert rest[-3:] == [b"total,XAG,-489950.00\r\n", b"rows,10000\r\n", b"rows at fault,0\r\n"]
    assert set(numbered.reads) == {reports.BATCH}
    assert "All are right. 10,000 rows." in said(client, "numbered")


def test_totals__of_more_rows_are_left_to_the_file(
    client: Client, numbered: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MOST_SUMMED", 200)
    numbered.number = 401
    text = said(client, "numbered")
    assert "Of the first 200 rows: a file has all of them" in text
    assert "Totals" not in text


def test_export__is_recorded_with_what_it_was_narrowed_to(client: Client) -> None:
    filed(client, "liabilities", period="month", day="2001-05-05", currency="XAG")
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.outcome, event.note) == (
        "export_report",
        "done",
        "Liabilities was exported: 2001-05-01 to 2001-05-31 (UTC).",
    )
    assert event.after == {
        "report": "liabilities",
        "period": "month",
        "day": "2001-05-05",
        "currency": "XAG",
    }


def test_export__that_is_not_allowed_is_recorded(database: None) -> None:
    who = operator("wallet.view_closedday")
    assert signed_in(who).post(f"{ALL}liabilities/export/", {"as": "csv"}).status_code == 403
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.outcome, event.username) == ("export_report", "denied", who.username)


def test_export__by_an_address_alone_is_none(client: Client) -> None:
    before = AuditEvent.objects.count()
    assert client.get(f"{ALL}liabilities/export/")["Location"] == f"{ALL}liabilities/"
    assert AuditEvent.objects.count() == before


@pytest.mark.parametrize(
    "query", ["?period=week", "?day=x", "?day=9999-12-31", "?currency=NONE", "?game=none", "?scope=some"]
)
def test_report__that_cannot_be_read_shows_nothing_and_says_so(client: Client, query: str) -> None:
    name = "game-totals" if "game" in query else "account-summary"
    text = said(client, name, query)
    assert "Choose a period that has begun" in text
    assert "Export as CSV" not in text
    given = dict([query.removeprefix("?").split("=")])
    assert client.post(f"{ALL}{name}/export/", {"as": "csv", **given}).status_code == 302


def test_print__has_the_rows_and_totals_without_menus(client: Client, numbered: Numbered) -> None:
    day = str(now().date())
    response: Any = client.post(f"{ALL}numbered/export/", {"as": "page", "day": day, "currency": "XAG"})
    text = response.content.decode()
    for said_there in ("<h1>Numbered</h1>", "All are right.", "Only: Currency XAG", day, "=n119", "48.60"):
        assert said_there in text, said_there
    assert "nav" not in text
    assert AuditEvent.objects.latest("pk").action == "export_report"


def test_print__of_too_many_rows_leads_back(
    client: Client, numbered: Numbered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_PRINTED", 119)
    before = AuditEvent.objects.count()
    response = client.post(f"{ALL}numbered/export/", {"as": "page"}, follow=True)
    assert "More than 119 rows are too many to print" in response.content.decode()
    assert AuditEvent.objects.count() == before
