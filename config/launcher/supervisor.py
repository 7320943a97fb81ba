"""`run`: everything that makes a working platform on one machine, in order,
kept running until somebody ends it.
"""

import base64
import errno
import hashlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from time import monotonic

from config.launcher.instance import Instance, is_held, opened
from config.launcher.processes import CannotStart, Child, Ending, say, start, stop, wait_until
from config.launcher.restarts import Part, watch
from config.launcher.servers import needed_servers

ROOT = Path(__file__).resolve().parent.parent.parent


def worker(queues: str, processes: int) -> tuple[str, ...]:
    """What starts a worker of these queues, named with commas between, that runs so many tasks at once."""
    celery = ("-m", "celery", "-A", "config.celery", "-q", "worker", "--without-gossip", "--without-mingle")
    # Celery warns of root, who may well start a demonstration.
    quiet = ("-W", "ignore:You're running the worker with superuser")
    return (*quiet, *celery, "-Q", queues, "-n", f"{queues.replace(',', '-')}@%h", "-c", str(processes))


# What runs as long as the platform does. A request under way may be finished before the end.
# Nothing waits for what is slow: of deliveries at most two runs last (one begins tries, the other waits for
# the last of its own), of refunds, events and alerts one each: the two queues that call others can share a
# worker of five.
PROGRAMS = {
    "gunicorn": ("-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi:application"),
    "worker": worker("settle", 2),
    "caller": worker("deliver,refund", 5),
    "checker": worker("check", 1),
    "beat": ("-m", "celery", "-A", "config.celery", "-q", "beat", "-s", "{home}/beat-schedule", "--pidfile="),
}
# The demonstration's game, a caller of the platform: it is given what it needs, and none of our settings.
GAME = (
    *("-m", "demo.game", "--platform", "{url}", "--credentials", "{credentials}", "--data", "{home}/game"),
    *("--host", "{host}", "--port", "{port}"),
)
GAME_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV")
# What it speaks to the platform with, as any game can; nothing of the platform imports it.
CLIENT = ROOT / "clients" / "python"
# Where `seed_demo` writes it.
CREDENTIALS = ROOT / "var" / "demo.json"
# The web server takes money correctly without the others.
NEEDED = {"gunicorn"}
# What a command beside the running platform has to share with it.
SHARED = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "CREDENTIAL_KEY", "ENCRYPTION_KEYS"),
    *("CHECKPOINT_KEY", "CHECKPOINT_DIRECTORY"),
    *("ALLOWED_HOSTS", "DEMO", "DEMO_GAME_URL", "HOST", "PORT", "PUBLIC_URL", "OUTGOING_ALLOWED_NETWORKS"),
)
OWNER = "DATABASE_OWNER_URL"
# Superusers are the owner's to make; a password is set with the other demo data.
SUPERUSER = ("createsuperuser", "--no-input", "--if-missing", "--username=admin", "--email=")
# Once, so that no page is empty; where somebody plays already, nothing is invented.
HISTORY = ("make_history", "--once", "--days=12", "--players=16")
# At a terminal, on one machine; the environment can say otherwise.
FOR_PEOPLE = {"LOG_FORMAT": "console", "METRICS_ALLOWED_NETWORKS": "127.0.0.0/8,::1"}
ENDINGS = (Ending(signal.SIGTERM, 30),)
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
LOOPBACK = ("127.0.0.0/8", "::1")
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
# How long the web servers of a killed start may still hold the port.
PORT_SECONDS = 1.5
# How many ports above the web server's are tried for the game.
GAME_PORTS = 50
HEALTH_SECONDS = 180.0


def run_platform(var: Path) -> None:
    """Start everything and keep it running; returns never, but raises when it is told to end, when something
    dies before all is ready, and later when what is needed cannot be kept running.
    """
    began = monotonic()
    host, port = web_address()
    with opened(var, "run") as instance, ExitStack() as stack:
        check_port(host, port)
        with step("Starting PostgreSQL and Valkey"):
            parts, addresses = stack.enter_context(needed_servers(instance, durable=True))
        tell_place(var, instance)
        url, game = f"http://{in_url(host)}:{port}", game_port(host, port)
        environment = (
            FOR_PEOPLE
            | own_address(host, url)
            | platform_environment(instance, addresses)
            | {"DEMO": "1", "HOST": host, "PORT": str(port)}
            | {"DEMO_GAME_URL": f"http://{in_url(host)}:{game}"}
        )
        # What serves is never the database's owner, and does not know its address.
        owner_url = environment.pop(OWNER)
        guide = prepare(instance, environment, url, owner_url)
        stack.callback(instance.tell_ending)
        keep_environment(instance, environment | {OWNER: owner_url})
        for name, command in PROGRAMS.items():
            say(f"Starting {name}")
            part = Part(name, program(name, command, instance, environment), name in NEEDED)
            stack.callback(part.stop)
            parts.append(part)
        say("Starting game")
        part = Part("game", game_program(instance, url, host, game), False)
        stack.callback(part.stop)
        parts.append(part)
        wait_for_health(ANY_ADDRESS.get(host, host), port, [part.child for part in parts])
        print(
            f"{guide}\nReady after {monotonic() - began:.1f} s. Ctrl-C ends the platform; "
            "what was done is kept.",
            flush=True,
        )
        watch(parts)


def program(
    name: str, command: Sequence[str], instance: Instance, environment: Mapping[str, str]
) -> Callable[[], Child]:
    """What starts one of `PROGRAMS`, as often as it is called."""
    words = [sys.executable, *(word.format(home=instance.home) for word in command)]

    def begin() -> Child:
        child = start(name, words, environment=environment, endings=ENDINGS, directory=ROOT)
        instance.register.add(child)
        return child

    return begin


def game_program(instance: Instance, url: str, host: str, port: int) -> Callable[[], Child]:
    """What starts the demonstration's game, which plays at the platform at `url`."""
    given = {"url": url, "credentials": CREDENTIALS, "home": instance.home, "host": host, "port": port}
    return program("game", [word.format(**given) for word in GAME], instance, game_environment())


def game_environment() -> dict[str, str]:
    """The environment of the demonstration's game, which finds the client."""
    kept = {name: os.environ[name] for name in GAME_ENVIRONMENT if name in os.environ}
    places = [str(CLIENT), kept.get("PYTHONPATH", "")]
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, places))}


def web_address() -> tuple[str, int]:
    return os.environ.get("HOST") or "127.0.0.1", port_number("PORT", os.environ.get("PORT") or "8000")


def port_number(name: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart(f"{name} must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def game_port(host: str, web_port: int) -> int:
    """The port of the demonstration's game: GAME_PORT, else the first free one above the web server's."""
    if chosen := os.environ.get("GAME_PORT"):
        port = port_number("GAME_PORT", chosen)
        if port == web_port:
            raise CannotStart(f"GAME_PORT and PORT are both {port}: the game needs a port of its own.")
        check_port(host, port, "GAME_PORT")
        return port
    for port in range(web_port + 1, min(web_port + GAME_PORTS, 65535) + 1):
        if listening_problem(host, port) is None:
            return port
    raise CannotStart(f"No port above {web_port} is free for the game: choose one with GAME_PORT.")


def in_url(host: str) -> str:
    """The host as a browser on this machine writes it."""
    reachable = ANY_ADDRESS.get(host, host)
    return f"[{reachable}]" if ":" in reachable else reachable


def own_address(host: str, url: str) -> dict[str, str]:
    """Where the demonstration is reached, by itself too:
    its sandbox calls back over HTTP, and takes deliveries.
    """
    networks = list(LOOPBACK)
    with suppress(ValueError):
        address = ip_address(ANY_ADDRESS.get(host, host))
        networks += [] if address.is_loopback else [str(address)]
    return {"PUBLIC_URL": url, "OUTGOING_ALLOWED_NETWORKS": ",".join(networks)}


def platform_environment(instance: Instance, addresses: Mapping[str, str]) -> dict[str, str]:
    """What the settings need; whatever the environment has already wins."""
    host = in_url(os.environ.get("HOST") or "localhost")
    made = {
        "SECRET_KEY": instance.secrets["secret_key"],
        "CREDENTIAL_KEY": instance.secrets["credential_key"],
        "ENCRYPTION_KEYS": instance.secrets["encryption_key"],
        "CHECKPOINT_KEY": signing_key(instance.secrets["checkpoint_key"]),
        # A key and a database of its own: another instance's files would be strange to it.
        "CHECKPOINT_DIRECTORY": str(instance.home / "checkpoints"),
        "ALLOWED_HOSTS": ",".join(dict.fromkeys((*LOCAL_HOSTS, host))),
    }
    return (
        {name: value for name, value in made.items() if not os.environ.get(f"{name}_FILE")}
        | {name: value for name, value in os.environ.items() if value or name not in made}
        | dict(addresses)
    )


def signing_key(secret: str) -> str:
    """The 32 bytes of a key, in base64, that a random text stands for."""
    return base64.b64encode(hashlib.sha256(secret.encode()).digest()).decode()


def listening_problem(host: str, port: int) -> OSError | None:
    """Why nothing can listen there at this moment."""
    try:
        family, kind, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
    except OSError as refused:
        return refused
    return None


def check_port(host: str, port: int, name: str = "PORT") -> None:
    """Refuse a port that another program has, before anything is started."""
    problem: OSError | None = None

    def free() -> bool:
        nonlocal problem
        problem = listening_problem(host, port)
        return problem is None or problem.errno != errno.EADDRINUSE

    if not wait_until(free, PORT_SECONDS):
        raise CannotStart(
            f"Port {port} on {host} is in use by another program: "
            f"end it, or choose another port with {name}={port + 1}."
        )
    if problem:
        raise CannotStart(f"Nothing can listen on {host}, port {port}: {problem.strerror}.")


def tell_place(var: Path, instance: Instance) -> None:
    if var.resolve() not in instance.home.resolve().parents:
        say(f"The data is in {instance.home}: this directory is closed to the user that PostgreSQL runs as.")


def prepare(instance: Instance, environment: dict[str, str], url: str, owner_url: str) -> str:
    """The database's tables, the files of the pages, the first operator, the demo data and its past;
    returns what there is to say about these.
    """
    owner = environment | {"DATABASE_URL": owner_url, "DATABASE_STATEMENT_TIMEOUT": "0"}
    with step("Bringing the database up to date"):
        manage(instance, owner, "migrate", "--no-input")
        manage(instance, environment, "call_log_days")
    with step("Collecting static files"):
        manage(instance, environment, "collectstatic", "--no-input", "--verbosity=0")
    with step("Making the demo data"):
        manage(instance, owner, *SUPERUSER)
        guide = manage(instance, environment, "seed_demo", "--url", url)
    begin_with_history(instance, owner, url)
    return guide


def begin_with_history(instance: Instance, owner: dict[str, str], url: str) -> None:
    """A past for a platform that is new. Later starts do not even ask: that takes a second."""
    mark = instance.home / "history-made"
    if not mark.exists():
        with step("Inventing two weeks of history, once"):
            manage(instance, owner, *HISTORY, "--url", url)
        mark.touch()


def manage(instance: Instance, environment: dict[str, str], *words: str) -> str:
    """Run a command of manage.py; its output is returned, or shown when it fails."""
    with tempfile.TemporaryFile() as output:
        child = start(
            words[0],
            [sys.executable, "manage.py", *words],
            environment=environment,
            log=output,
            directory=ROOT,
        )
        try:
            instance.register.add(child)
            wait_until(lambda: child.ended)
        finally:
            stop(child)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if child.process.returncode != 0:
        raise CannotStart(f"`manage.py {' '.join(words)}` failed:\n{text}")
    return text


def keep_environment(instance: Instance, environment: Mapping[str, str]) -> None:
    """Write down what a command beside the running platform has to know, for ourselves only.

    The owner's address stands there for whoever looks after the database by hand.
    """
    path = instance.home / "environment.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({name: environment[name] for name in (*SHARED, OWNER)}))


def running_environment(var: Path) -> dict[str, str]:
    """What the platform that runs at this moment works with, which is never the owner's address."""
    path = var / "run" / "environment.json"
    if not is_held(var / "run.lock") or not path.exists():
        raise CannotStart("The platform is not running: start it with `make run`, in another terminal.")
    known: dict[str, str] = json.loads(path.read_text())
    known.pop(OWNER, None)
    return known


def wait_for_health(host: str, port: int, children: list[Child]) -> None:
    """Wait until the web server says that it is well."""

    def healthy() -> bool:
        check_alive(children)
        connection = HTTPConnection(host, port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    if not wait_until(healthy, HEALTH_SECONDS):
        raise CannotStart(
            f"The web server did not answer 200 to /healthz within {HEALTH_SECONDS:.0f} seconds."
        )


def check_alive(children: list[Child]) -> None:
    for child in children:
        if child.ended:
            raise CannotStart(
                f"{child.name} ended unexpectedly (exit code {child.process.returncode}), so everything ends."
            )


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    began = monotonic()
    print(f"{text} … ", end="", file=sys.stderr, flush=True)
    try:
        yield
    except BaseException:
        say("not done.")
        raise
    say(f"{monotonic() - began:.1f} s")
