"""A demonstration of its own, seeded as `make run` does, with a page in the game's place."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from players.models import Game
from tests.browser.demo_shop import PACE, answers_at
from tests.faults.platform_processes import Platform, eventually
from tests.support.callers import Caller, basic
from tests.support.web_server import free_port

PAGE = b"<!doctype html><html lang=en><title>The game</title><h1>The game</h1></html>"


class GamePage(BaseHTTPRequestHandler):
    """Stands where the game would: it shows a page, and speaks to nobody."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def game_page() -> Iterator[str]:
    """The address of such a page's server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), GamePage) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@dataclass(frozen=True)
class Lobby:
    """The platform's address, its game as a caller, and the game as the platform knows it."""

    platform: Platform
    url: str
    game_url: str
    caller: Caller
    game: Game


def open_lobby(platform: Platform, game_url: str, directory: Path) -> Lobby:
    """Seeds a platform as `make run` does, and starts it."""
    port, file = free_port(), directory / "demo.json"
    url = f"http://127.0.0.1:{port}"
    given = {"DEMO": "1", "PUBLIC_URL": url, "STATIC_ROOT": str(directory), "DEMO_GAME_URL": game_url}
    platform.environment.update(PACE | given)
    platform.migrate()
    as_owner = platform.environment | {"DATABASE_URL": platform.owner_url}
    run(platform, "createsuperuser", "--no-input", "--username=admin", "--email=", environment=as_owner)
    run(platform, "seed_demo", "--url", url, "--file", str(file))
    run(platform, "collectstatic", "--no-input", "--verbosity=0", "--ignore=admin", "--ignore=unfold")
    platform.start("worker")
    platform.serve(port)
    eventually(lambda: answers_at(url), "the web server answers")
    known = json.loads(file.read_text())["games"][0]
    Game.objects.filter(slug=known["slug"]).update(launch_url=f"{game_url}/play")
    caller = Caller(basic(known["username"], known["password"]), url=url)
    return Lobby(platform, url, game_url, caller, Game.objects.get(slug=known["slug"]))


def run(platform: Platform, *words: str, environment: dict[str, str] | None = None) -> None:
    """A command of manage.py that must succeed."""
    done = platform.manage(*words, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
