"""The servers that are measured, each on a free port of this machine,
ended with the block that started it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from benchmarks.databases import CannotMeasure, address, app_role, connect
from config import gunicorn
from config.launcher.processes import Ending, start, stop
from config.launcher.supervisor import PROGRAMS, ROOT

START_SECONDS = 60.0
COMMAND_SECONDS = 900.0
ENDINGS = (Ending(signal.SIGTERM, 10),)
HOST = "127.0.0.1"
Address = tuple[str, int]
VAR = ROOT / "var"
# The first process of each server that runs.
pids: dict[Address, int] = {}


def pid_of(where: Address) -> int | None:
    """The first process of the server there, whose family it is; None if we did not start it."""
    return pids.get(where)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def platform(database: str, *, owner: bool = False) -> dict[str, str]:
    """What the platform's settings read, for a database of ours; all else as `make run` has it."""
    return {
        **os.environ,
        "DATABASE_URL": address(database, owner=owner),
        "DATABASE_APP_ROLE": app_role(),
        "DEMO": "1",
    }


def patient(database: str, *, owner: bool = False) -> dict[str, str]:
    """The same for a command that fills a database: its statements may take their time."""
    return platform(database, owner=owner) | {"DATABASE_STATEMENT_TIMEOUT": "0"}


def python_of(checkout: Path) -> str:
    """The interpreter of a checkout of this project: its own, if it has been installed there."""
    own = checkout / ".venv/bin/python"
    return str(own) if checkout != ROOT and own.exists() else sys.executable


def run(*words: str, environment: Mapping[str, str], checkout: Path = ROOT) -> str:
    """Runs a Python command of this project, or of another checkout of it, and returns its output.
    Raises CannotMeasure where it fails.
    """
    done = subprocess.run(
        [python_of(checkout), *words],
        env=environment,
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    if done.returncode != 0:
        raise CannotMeasure(f"`{' '.join(words)}` failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def seed_platform(name: str, checkout: Path = ROOT) -> dict[str, str]:
    """Migrates as the owner, seeds as the application; what a benchmark needs to know of it."""
    run("manage.py", "migrate", "--no-input", environment=platform(name, owner=True), checkout=checkout)
    with connect(name, owner=True) as connection:
        # The plain clock: the demonstration's, which can be moved, costs a little in each call.
        connection.execute((checkout / "players/sql/clock.sql").read_bytes())
    seeded: dict[str, str] = json.loads(
        run("-m", "benchmarks.seed", environment=patient(name), checkout=checkout)
    )
    return seeded


@contextmanager
def serving(
    name: str, port: int, command: tuple[str, ...], environment: Mapping[str, str], checkout: Path = ROOT
) -> Iterator[Address]:
    """A server until the block ends; what it says goes to a log beside the results."""
    VAR.mkdir(exist_ok=True)
    path = VAR / f"bench-{name}.log"
    with path.open("wb") as log:
        child = start(
            name,
            [python_of(checkout), *command],
            environment=environment,
            log=log,
            endings=ENDINGS,
            directory=checkout,
        )
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(port):
                if child.ended or time.monotonic() > deadline:
                    raise CannotMeasure(f"The server {name} did not start. The end of {path}:\n{tail(path)}")
                time.sleep(0.05)
            pids[HOST, port] = child.process.pid
            yield HOST, port
        finally:
            pids.pop((HOST, port), None)
            stop(child)


def answers(port: int) -> bool:
    """Whether there is an HTTP answer, whatever it says: a worker has loaded its application."""
    connection = HTTPConnection(HOST, port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/healthz")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:])


@contextmanager
def shipped_server(
    name: str,
    database: str,
    *,
    connections: int | None = None,
    wait_ms: int | None = None,
    checkout: Path = ROOT,
    pooler: Mapping[str, str] | None = None,
) -> Iterator[Address]:
    """The platform's web server, by the command and the settings with which `make run` starts it.

    One address may have `connections` to each worker, and openings may wait for `wait_ms`, if that is said.
    `checkout` is where its code is, `pooler` are the settings that lead through one.
    """
    port = free_port()
    environment = platform(database) | {"HOST": HOST, "PORT": str(port)} | dict(pooler or {})
    if connections:
        environment["WEB_CONNECTIONS_PER_ADDRESS"] = str(connections)
    if wait_ms:
        environment["WEB_WAIT_MS"] = str(wait_ms)
    with serving(name, port, PROGRAMS["gunicorn"], environment, checkout) as where:
        yield where


@contextmanager
def empty_server() -> Iterator[Address]:
    """The shipped server's configuration in front of a view that does nothing."""
    port = free_port()
    environment = {**os.environ, "HOST": HOST, "PORT": str(port)}
    with serving(
        "empty",
        port,
        ("-m", "gunicorn", "-c", "config/gunicorn.py", "benchmarks.empty:application"),
        environment,
    ) as where:
        yield where


@contextmanager
def pgledger_server(database: str) -> Iterator[Address]:
    """The shipped server's configuration in front of pgledger."""
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": address(database), "HOST": HOST, "PORT": str(port)}
    with serving(
        "pgledger",
        port,
        ("-m", "gunicorn", "-c", "config/gunicorn.py", "benchmarks.pgledger_view:application"),
        environment,
    ) as where:
        yield where


@contextmanager
def textbook_server(database: str) -> Iterator[Address]:
    """The textbook implementation behind gunicorn's sync workers, as many as the shipped server has."""
    port = free_port()
    command = (
        "-m",
        "gunicorn",
        "--no-control-socket",
        "-k",
        "sync",
        "-w",
        str(gunicorn.workers),
        "-b",
        f"{HOST}:{port}",
    )
    with serving(
        "textbook", port, (*command, "benchmarks.textbook.wsgi:application"), textbook(database)
    ) as where:
        yield where


def textbook(database: str) -> dict[str, str]:
    """What the textbook's settings read."""
    return {
        **os.environ,
        "DATABASE_URL": address(database),
        "DJANGO_SETTINGS_MODULE": "benchmarks.textbook.settings",
    }


@contextmanager
def bare_server() -> Iterator[Address]:
    """Answers without looking."""
    port = free_port()
    with serving("responder", port, ("-m", "benchmarks.responder", str(port)), os.environ) as where:
        yield where
