"""Every list at 1280 pixels, with rows in it: no column is cut off, or beyond what the screen shows."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from playwright.sync_api import Browser

from lib.backoffice.filters import Selections
from players.models import Player
from tests.browser.visits import Visit, visiting
from tests.support.admin_fixtures import forget_providers, plain_static_files, shop_setup, story
from tests.support.admin_pages import REGISTERED, address, operator, rows_of
from tests.support.callers import PlayerSession

__all__ = ["forget_providers", "plain_static_files", "shop_setup", "story"]

# The heads of columns that a box cuts off, unless it has a scroll bar that is always to be seen.
CUT_OFF = """() => {
    const bar = box => box.offsetHeight - box.clientHeight - 2 * box.clientTop > 2;
    const shows = (box, cell) => {
        const style = getComputedStyle(box), room = box.getBoundingClientRect();
        if (style.overflowX === "visible" || (/auto|scroll/.test(style.overflowX) && bar(box))) return true;
        return cell.left >= room.left - 1 && cell.right <= room.right + 1;
    };
    const boxes = one => one.parentElement ? [one.parentElement, ...boxes(one.parentElement)] : [];
    return [...document.querySelectorAll("#result_list :is(th, td)")]
        .filter(one => !boxes(one).every(box => shows(box, one.getBoundingClientRect()))
            || one.getBoundingClientRect().right > innerWidth + 1)
        .map(one => one.textContent.trim().slice(0, 40));
}"""
ROWS = "document.querySelectorAll('#result_list tbody tr').length"


def places(model: Any) -> Iterator[str]:
    """A list's address, in each of its selections: they may have other columns."""
    place = address(model)
    yield place
    for offered in getattr(admin.site._registry[model], "list_filter", ()):
        if isinstance(offered, type) and issubclass(offered, Selections):
            yield from (f"{place}?{offered.parameter_name}={name}" for name in offered.offered)


def look_at(visit: Visit, place: str) -> tuple[int, list[str]]:
    """How many rows a list has, and what of its columns is not to be seen."""
    visit.open(place)
    visit.page.wait_for_load_state()
    # No font is awaited before the page is laid out.
    visit.page.evaluate("document.body.offsetWidth, document.fonts.ready.then(() => true)")
    visit.fits()
    return int(visit.page.evaluate(ROWS)), visit.page.evaluate(CUT_OFF)


def test_lists__have_room_for_all_their_columns(office: str, browser: Browser, story: PlayerSession) -> None:
    rows_of(story)
    Player.objects.filter(pk=story.player.pk).update(nickname="W" * 64)
    with visiting(browser, office) as visit:
        visit.enter(operator(is_superuser=True))
        seen = {place: look_at(visit, place) for model in REGISTERED for place in places(model)}
    assert {place: cut_off for place, (_, cut_off) in seen.items() if cut_off} == {}
    rows = {model: max(seen[place][0] for place in places(model)) for model in REGISTERED}
    assert [model for model, number in rows.items() if not number] == []
