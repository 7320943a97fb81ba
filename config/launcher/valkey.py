"""The embedded Valkey: Celery's broker and the shared cache, reached through a unix socket only."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import redis

from config.launcher.instance import Instance
from config.launcher.processes import POLITE, Child, end_stranger, start, wait_until, works_in
from config.launcher.programs import environment, valkey_program
from config.launcher.restarts import Part

SETTINGS = {"port": "0", "unixsocketperm": "700", "daemonize": "no", "save": "", "appendfsync": "everysec"}
SOCKET = "valkey.sock"
START_SECONDS = 60.0


@contextmanager
def running_valkey(instance: Instance, *, durable: bool) -> Iterator[tuple[Part, dict[str, str]]]:
    """A Valkey server on the instance's data, and its address. It runs as whom we run as."""
    home = instance.directory("valkey")
    with instance.sockets(home, SOCKET) as sockets:
        end_what_is_left(home)
        part = Part(
            "Valkey",
            lambda: start_server(home, sockets / SOCKET, instance, durable=durable),
            is_needed=False,
        )
        try:
            wait_for(part.child, instance, sockets / SOCKET)
            yield part, {"REDIS_URL": f"unix://{quote(str(sockets / SOCKET))}?db=0"}
        finally:
            part.stop()


def end_what_is_left(home: Path) -> None:
    """End a server that an earlier start left on this data: Valkey itself would let two write to one file."""
    with suppress(FileNotFoundError, ValueError):
        pid = int((home / "valkey.pid").read_text())
        if works_in(pid, home):
            end_stranger(pid, lambda: works_in(pid, home), POLITE)


def start_server(home: Path, socket: Path, instance: Instance, *, durable: bool) -> Child:
    settings = SETTINGS | {
        "dir": str(home),
        "pidfile": str(home / "valkey.pid"),
        "unixsocket": str(socket),
        "appendonly": "yes" if durable else "no",
    }
    options = [word for name, value in settings.items() for word in (f"--{name}", value)]
    with instance.log("valkey") as log:
        return start(
            "Valkey", [str(valkey_program()), *options], environment=environment(), log=log, directory=home
        )


def wait_for(child: Child, instance: Instance, socket: Path) -> None:
    """Wait until the server answers, its data read."""

    def answers() -> bool:
        if child.process.poll() is not None:
            raise instance.failure("Valkey ended while it was starting", "valkey")
        with redis.Redis(unix_socket_path=str(socket)) as client, suppress(redis.ConnectionError):
            return bool(client.ping())  # a server that still reads its data refuses this
        return False

    if not wait_until(answers, START_SECONDS):
        raise instance.failure("Valkey did not answer in time", "valkey")
