"""Every page of the admin, at each size, in light and dark: axe-core finds nothing."""

import pytest
from playwright.sync_api import Browser

from lib.clock import now
from payments.models import Order, RefusedCallback
from players.models import Approval, Game, Operator, Player
from tests.browser.visits import LOOKS, Visit, looks, visiting
from tests.config.admin.test_matrix import LINES, place_of, row_of_each
from tests.support.admin_fixtures import forget_providers, plain_static_files, shop_setup, story
from tests.support.admin_pages import address, operator, page, rows_of
from tests.support.admin_urls import pages_of
from tests.support.approvals import request_credit
from tests.support.callers import PlayerSession
from tests.support.owned import owned
from wallet.models import Transaction, Wallet

__all__ = ["forget_providers", "plain_static_files", "shop_setup", "story"]

# They answer with no page.
NO_PAGES = {"find", "export", "delete"}
OWN = [
    *(
        "/admin/",
        "/admin/wallet/",
        "/admin/integration/",
        "/admin/password_change/",
        "/admin/account/sessions/",
    ),
    *(f"/admin/account/factors/{name}" for name in ("", "app/", "recovery/", "passkey/")),
]


def places(story: PlayerSession) -> list[str]:
    """The address of each page, and of a request in each state."""
    rows = row_of_each(story)
    known = [(model, name) for model in LINES for name in pages_of(model) if name not in NO_PAGES]
    ended = [page(Approval, row) for row in ended_requests(story)]
    health = f"/admin/integration/{story.game.slug}/"
    return [*OWN, health, *(place_of(model, name, rows[model]) for model, name in known), *ended]


def ended_requests(story: PlayerSession) -> list[Approval]:
    """A request that has ended in each way, which is written down as the database's owner."""
    asker, other = operator(is_superuser=True), operator(is_superuser=True)
    rows = []
    for state in set(Approval.State) - {Approval.State.REQUESTED}:
        decided_by = {"withdrawn": asker, "expired": None}.get(state, other)
        row = request_credit(asker, story)
        ended = {"state": state, "ended_at": now(), "decided_by": decided_by, "result": "So it is."}
        owned(Approval).filter(pk=row.pk).update(**ended)
        rows.append(row)
    return rows


def look_at(visit: Visit, place: str) -> int:
    """The status of a page, on which everything is as it has to be if there is one."""
    response = visit.page.goto(visit.url + place)
    assert response
    if response.status == 200:
        visit.is_sound()
    else:
        # Nobody adds such a row, or acts on this one.
        visit.complaints.clear()
    return response.status


@pytest.mark.long
@pytest.mark.parametrize("look", LOOKS)
def test_pages__can_be_used_by_everybody(
    office: str, browser: Browser, story: PlayerSession, look: str
) -> None:
    boss: Operator = operator(is_superuser=True)
    with visiting(browser, office, look) as visit:
        assert look_at(visit, "/admin/login/") == 200
        assert look_at(visit, "/admin/new-password/#code") == 200
        visit.enter(boss)
        statuses = [look_at(visit, place) for place in places(story)]
    assert set(statuses) <= {200, 403}
    assert statuses.count(200) > 120


def find(visit: Visit, text: str) -> None:
    """Searches for a text from the bar above each page, and looks at what is found: one hit is opened."""
    visit.page.fill(".wallet-find input[name=q]", text)
    with visit.page.expect_navigation():
        visit.page.press(".wallet-find input[name=q]", "Enter")
    visit.is_sound()


def open_filters(visit: Visit, place: str) -> None:
    """Opens the filters of a list, and looks at them."""
    visit.open(place)
    visit.page.click(".wallet-narrow > summary")
    visit.is_sound()


@pytest.mark.parametrize("look", looks("phone"))
def test_find_filters_and_heads__can_be_used_by_everybody(
    office: str, browser: Browser, story: PlayerSession, look: str
) -> None:
    rows = rows_of(story)
    Player.objects.filter(pk=story.player.pk).update(nickname="W" * 64)
    with visiting(browser, office, look) as visit:
        visit.enter(operator(is_superuser=True))
        visit.open("/admin/")
        for text in (story.player.uid, "wallet", "nothing-is-called-so"):
            find(visit, text)
        for listed in (Transaction, Order):
            open_filters(visit, address(listed))
        for headed in (Order, Wallet, Game, Player, RefusedCallback):
            assert look_at(visit, page(headed, rows[headed][0])) == 200
