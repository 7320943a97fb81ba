"""The real web server as a process of its own.

For what a test client cannot show: sockets, and calls at the same instant.
"""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from config.launcher.processes import Child, start, stop
from config.launcher.supervisor import ROOT

PATIENCE_SECONDS = 90


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def served(log: Path, application: str = "config.wsgi:application", **environment: str) -> Iterator[str]:
    """The URL of a gunicorn as `make run` starts it; it ends with the block, or with this process."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", application]
    settings = {
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_WORKERS": "2",
        "WEB_THREADS": "16",
        # On a busy machine nothing is refused but where a test wants it.
        "WEB_WAIT_MS": "60000",
    }
    # Where a test moves the clock, a sign of life would tell of an outage.
    settings["WEB_HEARTBEAT"] = "0"
    # A crash of native code tells in the log where it was.
    settings["PYTHONFAULTHANDLER"] = "1"
    with log.open("wb") as output:
        child = start(
            "web server",
            command,
            environment={**inherited(), **settings, **environment},
            log=output,
            directory=ROOT,
        )
        try:
            wait_for(port, child, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(child)


def inherited() -> dict[str, str]:
    """Our environment, but for what a server in production is not told either."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def wait_for(port: int, child: Child, log: Path) -> None:
    """Returns when the server answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and not child.ended:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        with suppress(OSError, HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                connection.close()
                return
        connection.close()
        time.sleep(0.05)
    raise AssertionError(f"the server does not answer: {log.read_text()[-2000:]}")
