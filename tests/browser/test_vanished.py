"""Two complaints at the desk, in a real browser, with the clicks counted: money that vanished, and a 109."""

import pytest
from playwright.sync_api import Browser

from players.models import Operator
from tests.browser.visits import Visit, looks, visiting
from tests.support.callers import Callers, PlayerSession
from tests.support.doors import with_password
from tests.support.game_query_server import playing, says
from tests.support.invariants import problems_of
from tests.support.owned import owned
from wallet.job_runs import Run
from wallet.models import Discrepancy, Outage, Pulse, Transaction
from wallet.settlement.sweep import settle_due

MOST_TO_THE_SENTENCE, MOST_TO_AN_ANSWER = 3, 5
SETTLE = "Settle it as the game says"


def finance() -> Operator:
    return with_password("finance")


def search(visit: Visit, text: str) -> None:
    """By the field on every page; sending it counts as a click."""
    visit.open("/admin/")
    visit.page.keyboard.press("Control+k")
    visit.page.keyboard.type(text)
    visit.clicks.append("search")
    visit.page.keyboard.press("Enter")


def approve(visit: Visit, title: str) -> None:
    """The second person, whose clicks are counted apart."""
    visit.open("/admin/players/approval/?requests=for_me")
    visit.page.get_by_role("link").filter(has_text=title).first.click()
    visit.begin("Approve")
    visit.shows("Approve")
    visit.press("Approve")


@pytest.fixture
def vanished(callers: Callers) -> tuple[PlayerSession, Transaction]:
    """230 XAG that a game has withdrawn and not settled."""
    player_session = callers.player_session(500_00)
    return player_session, player_session.transaction(player_session.opened("withdraw", "230.00"))


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_vanished__withdrawal_is_explained_and_rolled_back(
    office: str, browser: Browser, vanished: tuple[PlayerSession, Transaction], look: str
) -> None:
    player_session, pending = vanished
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(finance())
        search(first, player_session.player.uid)
        first.shows("Statement")
        first.page.locator(f"main a[href*='/wallet/transaction/{pending.pk}/']").first.click()
        first.clicks.append("the transaction")
        first.shows("Waiting: 230.00 XAG are reserved")
        assert len(first.clicks) <= MOST_TO_THE_SENTENCE
        menus = 0 if first.is_wide else 1
        first.begin("Roll back")
        first.shows("It is not due: ")
        first.page.fill("input[name=reason]", "The game's people say that it failed")
        first.press("Roll back")
        first.shows("Requested, not done yet")
        assert len(first.clicks) <= MOST_TO_AN_ANSWER + menus
        second.enter(finance())
        approve(second, "Roll back the withdrawal of 230.00 XAG")
        second.shows("spendable after it: 500.00 XAG")
        first.open(f"/admin/wallet/transaction/{pending.pk}/change/")
        first.shows("The player has the 230.00 XAG again.")
    assert player_session.holding()[:4] == (500_00, 0, 0, 0)
    assert problems_of(player_session.player) == []


def test_vanished__withdrawal_is_settled_by_asking_the_game_now(
    office: str, browser: Browser, vanished: tuple[PlayerSession, Transaction], settings: object
) -> None:
    player_session, pending = vanished
    owned(Pulse).all().delete()
    owned(Outage).all().delete()
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.0/8"]  # type: ignore[attr-defined]
    with visiting(browser, office) as visit, playing() as game:
        type(player_session.game).objects.filter(pk=player_session.game.pk).update(query_url=game.url)
        game.answers[str(pending.mm_transaction_id)] = says("CONFIRMED")
        visit.enter(finance())
        search(visit, str(pending.mm_transaction_id))
        visit.shows("Waiting: 230.00 XAG are reserved")
        assert len(visit.clicks) <= MOST_TO_THE_SENTENCE
        visit.begin("Ask the game now")
        visit.page.fill("input[name=reason]", "Ticket 7")
        visit.press("Ask the game now")
        visit.shows("The game")
        assert len(visit.clicks) <= MOST_TO_AN_ANSWER
        settle_due(Run("settle_due"))
        visit.open(f"/admin/wallet/transaction/{pending.pk}/change/")
        visit.shows("The game said CONFIRMED")
    type(player_session.game).objects.filter(pk=player_session.game.pk).update(query_url="")
    assert player_session.holding()[:4] == (270_00, 0, 0, 0)


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_refused_109__is_settled_by_one_button(
    office: str, browser: Browser, callers: Callers, look: str
) -> None:
    player_session = callers.player_session(230_00)
    mm = player_session.opened("withdraw", "230.00")
    player_session.resolve(mm, "expired")
    player_session.adjust("debit", 200_00)
    assert player_session.call("confirmWithdrawal", mm).error == 109
    row = Discrepancy.objects.get(player=player_session.player)
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(finance())
        first.open(f"/admin/wallet/discrepancy/{row.pk}/change/")
        first.shows("It was answered 109: The transaction has expired")
        first.begin(SETTLE)
        first.shows("30.00 XAG of it are there. The other 200.00 XAG become a debt of the player")
        first.page.fill("input[name=reason]", "The goods were handed out")
        first.press(SETTLE)
        first.shows("Requested, not done yet")
        assert first.clicks.count(SETTLE) == 2
        second.enter(finance())
        approve(second, f"Settle as {player_session.game.slug} says: withdrawal of 230.00 XAG")
        second.shows("spendable after it: 0.00 XAG")
        first.open(f"/admin/wallet/discrepancy/{row.pk}/change/")
        first.shows("settled as the game says")
    assert player_session.holding()[:4] == (0, 0, 0, 200_00)
    row.refresh_from_db()
    booked = Transaction.objects.get(pk=row.correction_id or row.pk)
    assert (booked.type, booked.amount, booked.reverses_id) == ("late_withdrawal", 230_00, row.transaction_id)
    assert problems_of(player_session.player) == []
