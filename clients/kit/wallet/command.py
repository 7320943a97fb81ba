"""`wallet-kit wallet`: serves the scripted wallet until it is told to end, then writes the reports."""

import signal
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TextIO

from clients.kit.wallet import reports
from clients.kit.wallet.control import Control
from clients.kit.wallet.run import Options
from clients.kit.wallet.scenarios import SCENARIOS
from clients.kit.wallet.server import Server
from clients.kit.wallet.verdict import PASSED, Verdict

DIFFERENT = 1
DESCRIPTION = (
    "A wallet that misbehaves by script, to test a game against. The game's tests choose a scenario with "
    "POST /kit/scenario, play it, and ask for the verdict with GET /kit/report."
)


def make_parser() -> ArgumentParser:
    parser = ArgumentParser(prog="wallet-kit wallet", description=DESCRIPTION)
    option = parser.add_argument
    option("--host", default="127.0.0.1", help="where to listen (default: 127.0.0.1)")
    option("--port", type=int, default=8765, help="where to listen (default: 8765; 0 takes a free one)")
    option("--username", default="game", help="the game's name for HTTP Basic (default: game)")
    option("--password", default="secret", help="its password (default: secret)")
    option(
        "--time-scale",
        type=float,
        default=1.0,
        help="how long a second of the schedule lasts: with 0.01, 40 s are 0.4 s (default: 1)",
    )
    option("--slack", type=float, default=2.0, help="seconds that a repetition may be late (default: 2)")
    option("--query-url", default="", help="the game's address for final-state queries")
    option("--query-username", default="platform", help="the platform's name there (default: platform)")
    option("--query-password", default="secret", help="the platform's password there (default: secret)")
    option("--delivery-url", default="", help="the game's address for deliveries")
    option("--delivery-secret", default="", help="the whsec_ secret that signs them")
    option("--json", type=Path, help="write the verdicts there at the end")
    option("--junit", type=Path, help="the same, as JUnit")
    option("--list", action="store_true", help="list the scenarios, and end")
    return parser


def read_options(given: Namespace) -> Options:
    return Options(
        username=given.username,
        password=given.password,
        scale=given.time_scale,
        slack=given.slack,
        query_url=given.query_url,
        query_username=given.query_username,
        query_password=given.query_password,
        delivery_url=given.delivery_url,
        delivery_secret=given.delivery_secret,
    )


def list_scenarios(stream: TextIO) -> None:
    for one in SCENARIOS:
        stream.write(f"{one.name} (contract {one.paragraph})\n")
        stream.write(f"    task    {one.task}\n    wallet  {one.wallet}\n    game    {one.game}\n")


def main(arguments: Sequence[str], stream: TextIO) -> int:
    """Serves until SIGINT or SIGTERM. Returns the exit status: 1 if a scenario was not passed."""
    given = make_parser().parse_args(arguments)
    if given.list:
        list_scenarios(stream)
        return 0
    control = Control(
        read_options(given),
        tell_seen=partial(reports.tell_seen, stream),
        tell_verdict=partial(reports.tell_verdict, stream),
    )
    server = Server(control, given.host, given.port)

    def end(number: int, frame: FrameType | None) -> None:
        # Not in this thread, which is the one that serves.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    stream.write(f"The scripted wallet listens at {server.url}; choose with POST {server.url}/kit/scenario\n")
    stream.flush()
    try:
        server.serve_forever()
    finally:
        server.server_close()
    return conclude(given, control.finish(), stream)


def conclude(given: Namespace, verdicts: list[Verdict], stream: TextIO) -> int:
    """Writes the reports. Returns the exit status."""
    if given.json:
        reports.write_json(given.json, verdicts)
    if given.junit:
        reports.write_junit(given.junit, verdicts)
    stream.write(f"{reports.summary(verdicts)}\n")
    return 0 if all(one.status == PASSED for one in verdicts) else DIFFERENT
