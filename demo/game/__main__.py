"""Starts the game: `python -m demo.game --platform URL --credentials FILE --data DIRECTORY --port PORT`."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from demo.game.clock import GameClock
from demo.game.platform_client import PlatformClient
from demo.game.play import Game
from demo.game.repeater import Repeater
from demo.game.settings import Settings, read_settings
from demo.game.store import Store
from demo.game.web import Server
from demo.game.wire import Wire


def main() -> int:
    options = arguments()
    try:
        settings = read_settings(
            options.credentials,
            platform=options.platform,
            data=options.data,
            host=options.host,
            port=options.port,
        )
    except (OSError, ValueError, KeyError, StopIteration) as problem:
        print(f"The game cannot read {options.credentials}: {problem!r}", file=sys.stderr)
        return 1
    serve(settings)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.game", description=__doc__)
    parser.add_argument("--platform", required=True, help="the platform's URL")
    parser.add_argument(
        "--credentials", required=True, type=Path, help="the file that `manage.py seed_demo` wrote"
    )
    parser.add_argument(
        "--data", required=True, type=Path, help="the directory where the game keeps its state"
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    parser.add_argument("--port", required=True, type=int, help="where to listen")
    return parser.parse_args()


def make_game(settings: Settings) -> Game:
    """A game with its state on the disk."""
    platform = PlatformClient(settings, Wire())
    return Game(platform, Store(settings.data / "game.sqlite3"), GameClock(platform))


def serve(settings: Settings) -> None:
    """Runs the game until it is told to end."""
    game = make_game(settings)
    repeater, server = Repeater(game), Server(game, settings.host, settings.port)

    def end(number: int, frame: FrameType | None) -> None:
        # Not in this thread, which is the one that serves.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    repeater.start()
    try:
        server.serve_forever()
    finally:
        repeater.end()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main())
