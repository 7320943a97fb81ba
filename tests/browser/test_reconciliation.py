"""A file in a browser: uploaded, its columns chosen, compared with a bar, its differences decided."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from benchmarks.seeded_file import HEADER, written
from payments.models import Difference, ReconciliationFile, ReconciliationSource
from payments.reconciliation.run import compare_file
from tests.browser.visits import Visit, looks, visiting
from tests.support.admin_pages import operator
from tests.support.callers import PlayerSession, unique
from tests.support.reconciled import arrived, confirmed_of, game_source, text_of

UPLOAD = "/admin/payments/reconciliationfile/upload/"
LIST = "/admin/payments/difference/"


def send(visit: Visit, source: ReconciliationSource, file: Path) -> None:
    visit.open(UPLOAD)
    visit.shows("The file is compared with the ledger in the background.")
    visit.page.select_option("select[name=source]", source.name)
    visit.page.set_input_files("input[type=file]", file)
    visit.press("Upload")


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_file__is_uploaded_compared_and_decided(
    office: str, browser: Browser, player_session: PlayerSession, tmp_path: Path, look: str
) -> None:
    for number in range(3):
        id = unique(f"w{number}")
        player_session.call("withdraw", id, "2.00")
        player_session.call("confirmWithdrawal", id)
    known = confirmed_of(player_session)
    rows = [written(known[0]._replace(amount=2_50)), *map(written, known[1:]), *["x,y"] * 3_000]
    file = tmp_path / "day.csv"
    file.write_text(text_of([HEADER, *rows]))
    source = game_source(player_session.game, columns={}, words={})
    with visiting(browser, office, look) as visit:
        visit.enter(operator(is_superuser=True))
        send(visit, source, file)
        visit.shows("Which column is what?")
        for field, column in {"id": "transaction", "type": "kind", "amount": "amount"}.items():
            visit.page.select_option(f"select[name={field}]", column)
        for field, column in {"currency": "currency", "at": "time", "state": "status"}.items():
            visit.page.select_option(f"select[name={field}]", column)
        visit.press("Remember")
        visit.shows("The columns are remembered")
        made = ReconciliationFile.objects.get(source=source)
        place = f"/admin/payments/reconciliationfile/{made.pk}/"
        visit.open(place)
        visit.shows("0 rows read, 0 differences so far.")
        compare_file(made.pk, float("inf"))
        # The page looks again by itself.
        visit.shows("Export undecided differences as CSV")
        visit.shows("other amount")
        row = Difference.objects.get(file=made, kind="amount")
        visit.open(f"{LIST}{row.pk}/")
        visit.shows("Both sides")
        visit.begin("Accept")
        visit.page.fill("input[name=reason]", "rounding")
        visit.press("Accept")
        visit.shows("The difference is accepted.")
        send(visit, source, file)
        visit.shows("The same file was uploaded before")


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_differences__by_the_thousand_can_be_looked_at(
    office: str, browser: Browser, player_session: PlayerSession, look: str
) -> None:
    Difference.objects.filter(state__in=Difference.UNDECIDED).update(state="accepted")
    with visiting(browser, office, look) as visit:
        visit.enter(operator(is_superuser=True))
        visit.open(LIST)
        visit.shows("Nothing waits")
        rows = [f"{unique('lost')},BET,,5.00,XAG,OK,2026-11-01T12:00:00Z" for _ in range(10_000)]
        file = arrived(game_source(player_session.game), text_of([HEADER, *rows]))
        compare_file(file.pk, float("inf"))
        visit.open(LIST)
        visit.shows("missing here")
        visit.open(f"/admin/payments/reconciliationfile/{file.pk}/")
        visit.shows("10,000")
        visit.open("/admin/payments/reconciliationfile/")
        visit.shows("day.csv")
        visit.open(f"/admin/payments/reconciliationsource/{file.source_id}/")
        visit.shows("Column of the file")
