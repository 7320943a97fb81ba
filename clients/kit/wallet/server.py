"""The scripted wallet on a real socket; it answers, or does not, as the scenario says."""

import select
import socket
import time
from contextlib import suppress
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from clients.kit import exact_json
from clients.kit.wallet import amounts
from clients.kit.wallet.book import TEXTS, Body
from clients.kit.wallet.control import CONTROL, Control
from clients.kit.wallet.faults import Act
from clients.kit.wallet.record import Seen
from clients.kit.wallet.run import LATE_SECONDS, RETRY_AFTER, Run

FAILED: Body = {"errorCode": 100, "errorDescription": TEXTS[100]}
IDLE_SECONDS = 60.0
NOT_DONE = {
    Act.FAIL_BEFORE: (500, FAILED),
    Act.BUSY: (503, FAILED),
    Act.OTHER_ERROR: (200, FAILED),
}


class Server(ThreadingHTTPServer):
    """Serves until `shutdown`; `control` holds the run."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, control: Control, host: str, port: int) -> None:
        super().__init__((host, port), Handler)
        self.control = control
        name = f"[{host}]" if ":" in host else host
        control.url = self.url = f"http://{name}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a game that goes away is what some scenarios want."""


class Handler(BaseHTTPRequestHandler):
    """One connection of the game's or of its tests."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    sent_at = 0.0

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path.startswith(CONTROL):
            self.send(*self.server.control.answer(self.command, path, raw))
            return
        run = self.server.control.run
        if run is None:
            text = "Choose a scenario first: POST /kit/scenario."
            self.send(503, {"errorCode": 100, "errorDescription": text})
            return
        self.serve(run, path, raw)

    do_GET = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_POST  # noqa: N815 (as http.server looks for them)

    def log_message(self, format: str, *values: object) -> None:
        """Nothing: the record tells."""

    # --- A call of the game's ---

    def serve(self, run: Run, path: str, raw: bytes) -> None:
        """Does one call, and to its answer what the script says."""
        one = run.record.begin(path.rsplit("/", 1)[-1], read(raw), raw.decode(errors="replace"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        one.status, one.problem = run.api.objection(self.command, path, headers, raw)
        if one.status:
            body = {"errorCode": 100 if one.status == 401 else 101, "errorDescription": one.problem}
            is_whole = self.send(one.status, body)
            run.record.end(one, at=self.sent_at, is_whole=is_whole)
            return
        act = run.act(one)
        run.prepare(one, act)
        is_whole = self.play(run, one, act, path, headers, raw)
        run.record.end(one, at=self.sent_at, is_whole=is_whole)

    def play(self, run: Run, one: Seen, act: Act, path: str, headers: dict[str, str], raw: bytes) -> bool:
        """Plays an act. Returns whether the game got a whole answer."""
        if act == Act.LOSE_REQUEST:
            return self.hang_up()
        if act in NOT_DONE:
            one.status, body = NOT_DONE[act]
            one.code = body["errorCode"]
            one.retry_after = RETRY_AFTER if act == Act.BUSY else 0
            return self.send(one.status, body, {"Retry-After": str(RETRY_AFTER)} if act == Act.BUSY else {})
        said = run.answer(path, headers, raw, act)
        one.status, one.code = 200, int(said.get("errorCode", 0))
        one.problem = str(said.get("errorDescription", ""))
        return self.send_by(run, one, act, said)

    def send_by(self, run: Run, one: Seen, act: Act, said: Body) -> bool:
        """Sends the answer to what was done, as the act wants it."""
        whole = message(200, said)
        match act:
            case Act.LOSE_ANSWER:
                return self.hang_up()
            case Act.FAIL_AFTER:
                one.status = 500
                return self.send(500, FAILED)
            case Act.HALF_ANSWER:
                self.put(whole[: -len(exact_json.write(said).encode()) // 2])
                return self.hang_up()
            case Act.LATE_ANSWER if not self.wait(LATE_SECONDS * run.options.scale):
                return self.hang_up()
            case Act.SWAP_ANSWERS:
                run.wait_for_next(one)
            case Act.DOUBLE_ANSWER:
                whole += whole
        return self.put(whole)

    def wait(self, seconds: float) -> bool:
        """Lets time pass. Returns whether the game is still there."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self.connection], [], [], min(left, 1.0))[0] and self.is_left():
                return False
        return not self.is_left()

    def is_left(self) -> bool:
        """Whether the game has closed its end."""
        if not select.select([self.connection], [], [], 0)[0]:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def send(self, status: int, body: Body, headers: dict[str, str] | None = None) -> bool:
        """Sends an answer. Returns whether it went out whole."""
        extra = {"WWW-Authenticate": "Basic"} if status == 401 else {}
        return self.put(message(status, body, extra | (headers or {})))

    def put(self, data: bytes) -> bool:
        """Sends bytes. Returns whether somebody was there to take them."""
        self.sent_at = time.monotonic()
        if self.is_left():
            self.close_connection = True
            return False
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True
            return False
        return True

    def hang_up(self) -> bool:
        """Closes the connection, without another byte."""
        self.sent_at = time.monotonic()
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        return False


def read(raw: bytes) -> Body:
    """The request's object, for the record; empty if it is none."""
    try:
        return amounts.read(raw)
    except ValueError:
        return {}


def message(status: int, body: Body, headers: dict[str, str] | None = None) -> bytes:
    """An answer as it goes over the wire."""
    content = exact_json.write(body).encode()
    about = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    lines = [
        f"HTTP/1.1 {status} {responses.get(status, '')}",
        *(f"{name}: {each}" for name, each in about.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content
