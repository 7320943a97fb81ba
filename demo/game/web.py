"""The game's web server: its page for players, and what the platform calls."""

import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from demo.game import inbound, mischief, pages
from demo.game.messages import write
from demo.game.moves import State
from demo.game.play import Game, NotPlayed
from demo.game.store import Visit

FILES = Path(__file__).parent / "files"
KINDS = {"game.css": "text/css", "game.js": "text/javascript", "icon.svg": "image/svg+xml"}
MOST_BYTES = 64 * 1024
IDLE_SECONDS = 30.0
HEADERS = {
    # The address is what opens the page: nobody it links to, and no cache, may learn it.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `place` is where a browser goes on."""

    status: int
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    place: str = ""


def policy(platform: str) -> str:
    """The content security policy: our own files alone, and forms that lead to the platform's checkout."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; frame-ancestors 'none'; form-action 'self' {platform}"
    )


ACTS: dict[str, Callable[[Game, Visit, Form], str | None]] = {
    "buy": lambda game, visit, form: game.buy(visit, form.get("item", "")),
    "change-mind": lambda game, visit, form: game.change_mind(visit, form.get("item", "")),
    "star": lambda game, visit, form: game.catch_star(visit, number(form, "star")),
    "free-round": lambda game, visit, form: game.free_round(visit),
    "lose-answer": lambda game, visit, form: mischief.lose_answer(game, visit),
    "confirm-twice": lambda game, visit, form: mischief.confirm_twice(game, visit),
    "roll-back-first": lambda game, visit, form: mischief.roll_back_first(game, visit),
    "forge-callback": lambda game, visit, form: mischief.forge_callback(game, visit),
    "leave-pending": lambda game, visit, form: mischief.leave_pending(game, visit),
    "choose-answer": lambda game, visit, form: mischief.choose_answer(
        game, visit, form.get("move", ""), form.get("told", "")
    ),
    "move-clock": lambda game, visit, form: mischief.move_clock(
        game, visit, form.get("move", ""), form.get("told", "")
    ),
    "confirm": lambda game, visit, form: mischief.settle_now(
        game, visit, form.get("move", ""), State.CONFIRMING
    ),
    "roll-back": lambda game, visit, form: mischief.settle_now(
        game, visit, form.get("move", ""), State.ROLLING_BACK
    ),
}


def number(form: Form, name: str) -> int:
    """A short number of a form, or -1."""
    text = form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1


@dataclass(frozen=True, slots=True)
class Pages:
    """What each request is answered."""

    game: Game

    def get(self, path: str, query: Form) -> Reply:
        match path.strip("/").split("/"):
            case ["play"]:
                return self.come_in(query.get("token", ""))
            case ["visits", id]:
                return self.at_visit(id, self.show)
            case ["visits", id, "live"]:
                return self.at_visit(id, lambda visit: self.live(visit, number(query, "after")))
            case ["files", name] if name in KINDS:
                return Reply(200, (FILES / name).read_bytes(), f"{KINDS[name]}; charset=utf-8")
            case ["healthz"]:
                return Reply(200, b"ok", "text/plain")
            case [""]:
                return Reply(200, pages.outside(self.game, "Launch the game from the platform's lobby."))
        return self.not_found()

    def post(self, path: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        match path.strip("/").split("/"):
            case ["platform", "state"]:
                return as_json(*inbound.answer_final_state(self.game, headers, raw))
            case ["platform", "deliveries"]:
                return as_json(*inbound.take_delivery(self.game, headers, raw))
            case ["visits", id, "acts"]:
                wants_json = headers.get("accept", "").startswith("application/json")
                return self.at_visit(id, lambda visit: self.act(visit, read_form(raw), wants_json))
            case ["visits", id, "top-up"]:
                return self.at_visit(id, lambda visit: self.top_up(visit, read_form(raw)))
        return self.not_found()

    def not_found(self) -> Reply:
        return Reply(
            404, pages.outside(self.game, "There is nothing here. Launch the game from the platform's lobby.")
        )

    def come_in(self, token: str) -> Reply:
        """From the address that the platform made to one without a token."""
        try:
            visit = self.game.enter(token)
        except NotPlayed as problem:
            return Reply(403, pages.outside(self.game, str(problem)))
        return Reply(303, place=f"/visits/{visit.id}")

    def at_visit(self, id: str, answer: Callable[[Visit], Reply]) -> Reply:
        visit = self.game.store.find_visit(id)
        return answer(visit) if visit else self.not_found()

    def show(self, visit: Visit) -> Reply:
        is_live = self.game.greet(visit)
        return Reply(200, pages.page(self.game, visit, is_live=is_live))

    def live(self, visit: Visit, after: int) -> Reply:
        """What has changed: the parts of the page, and what went over the wire since."""
        return as_json(200, pages.live(self.game, visit, after))

    def act(self, visit: Visit, form: Form, wants_json: bool) -> Reply:
        """Does what a button says."""
        is_done, message = self.done(visit, form)
        if wants_json:
            return as_json(200, {"done": is_done, "message": message})
        return Reply(303, place=f"/visits/{visit.id}")

    def done(self, visit: Visit, form: Form) -> tuple[bool, str]:
        act = ACTS.get(form.get("act", ""))
        if act is None:
            return False, "The game cannot do that."
        try:
            return True, act(self.game, visit, form) or ""
        except NotPlayed as problem:
            return False, str(problem)

    def top_up(self, visit: Visit, form: Form) -> Reply:
        try:
            return Reply(303, place=self.game.top_up(visit, form.get("product", "")).page)
        except NotPlayed as problem:
            return Reply(409, pages.outside(self.game, str(problem)))


def as_json(status: int, body: dict[str, object]) -> Reply:
    return Reply(status, write(body), "application/json")


def read_form(raw: bytes) -> Form:
    return flat(raw.decode(errors="replace"))


def flat(text: str) -> Form:
    """The fields of a form or a query; of several alike the last counts. Empty if there are absurdly many."""
    try:
        return {name: values[-1] for name, values in parse_qs(text, max_num_fields=20).items()}
    except ValueError:
        return {}


class Server(ThreadingHTTPServer):
    """Serves a game; each connection has a thread."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, game: Game, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.pages = Pages(game)
        self.policy = policy(game.platform.settings.origin)
        super().__init__((host, port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tells of what went wrong, but not of a browser that left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Reads one request after another, and answers each."""

    protocol_version = "HTTP/1.1"
    server_version = "Starfall"
    sys_version = ""
    timeout = IDLE_SECONDS
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.answer(self.server.pages.get(parts.path, flat(parts.query)))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.close_connection = True
            self.answer(Reply(413, b"", "text/plain"))
            return
        raw = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.answer(self.server.pages.post(urlsplit(self.path).path, headers, raw))

    def answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        if reply.place:
            self.send_header("Location", reply.place)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *values: object) -> None:
        """Nothing: a request's address holds what opens the page."""
