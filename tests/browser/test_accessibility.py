"""Every page of the admin, at each size, in light and dark: axe-core finds nothing."""

import pytest
from playwright.sync_api import Browser

from players.models import Operator
from tests.browser.visits import LOOKS, Visit, visiting
from tests.config.admin.test_matrix import LINES, place_of, row_of_each
from tests.support.admin_fixtures import forget_providers, plain_static_files, shop_setup, story
from tests.support.admin_pages import operator
from tests.support.admin_urls import pages_of
from tests.support.callers import PlayerSession

__all__ = ["forget_providers", "plain_static_files", "shop_setup", "story"]

# They answer with no page.
NO_PAGES = {"find", "export", "delete"}
OWN = [
    *("/admin/", "/admin/wallet/", "/admin/password_change/", "/admin/account/sessions/"),
    *(f"/admin/account/factors/{name}" for name in ("", "app/", "recovery/", "passkey/")),
]


def places(story: PlayerSession) -> list[str]:
    """The address of each page."""
    rows = row_of_each(story)
    pages = [(model, page) for model in LINES for page in pages_of(model) if page not in NO_PAGES]
    return [*OWN, *(place_of(model, page, rows[model]) for model, page in pages)]


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
