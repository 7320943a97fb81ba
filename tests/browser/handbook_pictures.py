"""Takes the pictures of the documents from the running demonstration: `make pictures`."""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.browser.chromium import ARGUMENTS, CHROMIUM

ROOT = Path(__file__).resolve().parents[2]
DEMO, PICTURES = ROOT / "var" / "demo.json", ROOT / "docs" / "pictures"
SIZE = ViewportSize(width=1280, height=960)
# The game asks the platform for the balance.
SETTLED_MS = 1500
FIRST_ROW = "#result_list tbody tr >> nth=0 >> a >> nth=0"


class Picture(NamedTuple):
    """A page by its address; or, if `of_row`, that of the first row of the list there."""

    name: str
    address: str
    of_row: bool = True


# The first history that `make run` invents has this player.
SHOWN = (
    Picture("home", "/admin/", of_row=False),
    Picture("player", "/admin/players/player/?q=p-5263809-00007"),
    Picture("transaction", "/admin/wallet/transaction/?state=pending&type=withdrawal"),
    Picture("order", "/admin/payments/order/?state=created"),
    Picture("discrepancy", "/admin/wallet/discrepancy/?state=open"),
    Picture("provider", "/admin/payments/provider/?q=sandbox"),
    Picture("refused-callbacks", "/admin/payments/refusedcallback/", of_row=False),
    Picture("alert", "/admin/wallet/alert/?state=open"),
    Picture("approval", "/admin/players/approval/"),
    Picture("transactions", "/admin/wallet/transaction/", of_row=False),
)


def take_front(page: Page, url: str) -> None:
    """The lobby, and the game that is launched from it, as the README shows them."""
    page.goto(f"{url}/")
    page.wait_for_load_state("networkidle")
    launch = page.get_by_role("button", name="Launch")
    if launch.count():
        with page.expect_popup() as opened:
            launch.first.click()
        game: Page = opened.value
        game.wait_for_load_state()
        game.wait_for_timeout(SETTLED_MS)
        game.screenshot(path=PICTURES / "game.png", animations="disabled")
        game.close()
        page.goto(f"{url}/")
    page.screenshot(path=PICTURES / "lobby.png", animations="disabled")


def take_pictures(url: str, name: str, password: str) -> None:
    """All of them, as the administrator of the demonstration sees the pages."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport=SIZE, color_scheme="light", timezone_id="UTC", locale="en-GB")
        take_front(page, url)
        page.goto(f"{url}/admin/")
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", password)
        page.click("#login-form button[type=submit]")
        for picture in SHOWN:
            take(page, url, picture)
        browser.close()


def take(page: Page, url: str, picture: Picture) -> None:
    page.goto(url + picture.address)
    if picture.of_row:
        page.click(FIRST_ROW)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{picture.name}.png", animations="disabled")


def main() -> int:
    """Returns the exit status; what is missing is said on stderr."""
    if CHROMIUM is None:
        sys.stderr.write("There is no Chromium here: on Debian, apt install chromium-headless-shell.\n")
        return 1
    if not DEMO.exists():
        sys.stderr.write("No platform runs here: start one with `make run`, then repeat this.\n")
        return 1
    demo = json.loads(DEMO.read_text())
    take_pictures(demo["url"], demo["admin"]["username"], demo["admin"]["password"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
