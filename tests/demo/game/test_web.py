"""The game's web server: its page, its policy, and who gets in."""

import json
import re
import socket
import struct
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest

from demo.game.play import Game
from demo.game.web import MOST_BYTES, Server
from tests.demo.game.fake_platform import TOKEN, FakePlatform

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = FORM | {"Accept": "application/json"}


class Browser:
    """Asks the game, and follows nothing."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str) -> tuple[int, dict[str, str], str]:
        return self.send("GET", path, "", {})

    def post(self, path: str, headers: dict[str, str] = FORM, **form: str) -> tuple[int, dict[str, str], str]:
        return self.send("POST", path, urlencode(form), headers)

    def send(
        self, method: str, path: str, body: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()


@pytest.fixture
def browser(game: Game) -> Iterator[Browser]:
    server = Server(game, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Browser(server.server_address[1])
    server.shutdown()
    server.server_close()


@pytest.fixture
def place(browser: Browser) -> str:
    """The address of a player's visit."""
    status, headers, _ = browser.get(f"/play?token={TOKEN}&lang=de&currency=XAG")
    assert status == 303
    return headers["Location"]


def test_play__leads_to_an_address_without_the_token(browser: Browser, place: str) -> None:
    assert re.fullmatch(r"/visits/[0-9a-f]{32}", place)
    status, _, page = browser.get(place)
    assert (status, TOKEN in page, "pa55" in page) == (200, False, False)
    assert "Anna &lt;b&gt;" in page
    assert "<b>100.00</b> XAG" in page


@pytest.mark.parametrize("query", ["", "?token=", "?token=x", f"?token={TOKEN[:-1]}"])
def test_play__without_a_session_says_so(browser: Browser, query: str) -> None:
    status, _, page = browser.get(f"/play{query}")
    assert (status, "To the lobby" in page) == (403, True)


@pytest.mark.parametrize(
    "path", ["/visits/none", "/visits/none/live", "/nothing", "/files/../web.py", "/files/x"]
)
def test_web__knows_no_other_place(browser: Browser, path: str) -> None:
    assert browser.get(path)[0] == 404


def test_web__forbids_pages_everything_that_is_not_its_own(
    browser: Browser, place: str, platform: FakePlatform
) -> None:
    _, headers, page = browser.get(place)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert f"form-action 'self' {platform.url}" in policy
    assert "unsafe" not in policy
    assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert not re.search(r"<script(?! src=)|<style| style=| on[a-z]+=", page)


def test_acts__are_done_with_and_without_scripts(browser: Browser, place: str) -> None:
    status, _, said = browser.post(f"{place}/acts", JSON, act="buy", item="Lantern")
    assert (status, json.loads(said)) == (200, {"done": True, "message": "Lantern: it is yours."})
    status, headers, _ = browser.post(f"{place}/acts", act="star", star="0")
    assert (status, headers["Location"]) == (303, place)
    assert "<b>90.00</b> XAG" in browser.get(place)[2]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"act": "fly"},
        {"act": "buy", "item": "<b>"},
        {"act": "star", "star": "-1"},
        {"act": "star", "star": "9"},
        {"act": "confirm", "move": "none"},
    ],
)
def test_acts__that_make_no_sense_are_refused(
    browser: Browser, place: str, platform: FakePlatform, form: dict[str, str]
) -> None:
    called = len(platform.calls)
    status, _, said = browser.post(f"{place}/acts", JSON, **form)
    assert (status, json.loads(said)["done"]) == (200, False)
    assert len(platform.calls) == called


def test_top_up__leads_to_the_checkout(browser: Browser, place: str, platform: FakePlatform) -> None:
    status, headers, _ = browser.post(f"{place}/top-up", product="coins-500")
    assert (status, headers["Location"]) == (303, f"{platform.url}/checkout/page-key-of-the-order")
    assert browser.post(f"{place}/top-up", product="gold")[0] == 409


def test_live__tells_only_what_is_new(browser: Browser, place: str) -> None:
    browser.post(f"{place}/acts", JSON, act="buy", item="Comet")
    news = json.loads(browser.get(f"{place}/live?after=0")[2])
    assert "Comet<b>1</b>" in news["parts"]["owned"]
    assert [one["story"] for one in news["wire"]] == ["Buy: Comet"] * 2
    last = news["wire"][-1]["number"]
    assert json.loads(browser.get(f"{place}/live?after={last}")[2])["wire"] == []


def test_web__reads_no_body_that_is_too_long(browser: Browser) -> None:
    headers = FORM | {"Content-Length": str(MOST_BYTES + 1)}
    assert browser.send("POST", "/platform/state", "", headers)[0] == 413


def test_web__does_not_complain_of_a_browser_that_leaves(
    browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    for text in (b"GET /healthz HT", b"POST /platform/state HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"):
        left = socket.create_connection(("127.0.0.1", browser.port))
        left.sendall(text)
        left.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        left.close()  # without a goodbye
    assert browser.get("/healthz")[0] == 200
    assert "Traceback" not in capsys.readouterr().err


def test_platform__is_answered_over_the_socket(browser: Browser) -> None:
    assert browser.post("/platform/state")[0] == 401
    assert browser.post("/platform/deliveries")[0] == 401
