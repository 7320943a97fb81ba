"""How gunicorn serves the platform: a worker for each core, some threads in each, connections kept open.

Read by gunicorn's first process, which outlives new code (SIGHUP):
nothing of the project or of Django is imported here,
or its workers would find the old modules in their memory.
Of the project it knows the worker, with its loop and kinds, and the reload alone, and forgets them again
(`forget_project`).
"""

import contextlib
import gc
import importlib
import itertools
import json
import logging
import mmap
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

# What is set to nothing counts as not set: an empty HOST would be every address.
host = os.environ.get("HOST") or "127.0.0.1"
if ":" in host and not host.startswith("["):
    host = f"[{host}]"
bind = f"{host}:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("WEB_WORKERS") or multiprocessing.cpu_count())
worker_class = "config.web_worker.Worker"
threads = int(os.environ.get("WEB_THREADS") or "16")
worker_connections = 2000
# How many connections one address may have to a worker; the trusted proxies' are not counted.
connections_per_address = int(os.environ.get("WEB_CONNECTIONS_PER_ADDRESS") or "256")
if connections_per_address < 1:
    raise ValueError("WEB_CONNECTIONS_PER_ADDRESS must be at least 1.")
# How long an opening may have to wait for its turn; other calls longer (config/web_admission.py).
wait_ms = int(os.environ.get("WEB_WAIT_MS") or "250")
if wait_ms < 1:
    raise ValueError("WEB_WAIT_MS must be at least 1.")
keepalive = 75
timeout = 60
graceful_timeout = 20
control_socket_disable = True
# What a game sends never needs more; the body's limit is the application's (contract 1.1).
limit_request_line = 4094
limit_request_field_size = 8190
# What a caller on this machine says of path or scheme (SCRIPT_NAME, PATH_INFO, X-Forwarded-Proto) would be
# believed; the application decides that (TRUSTED_PROXIES).
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
accesslog = None
OWN_PREFIX = "quantum-wallet-metrics-"


class Line(logging.Formatter):
    """One line of JSON, with the names that config.logs uses."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z"
        told = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": at,
        }
        return json.dumps(
            told | ({"exception": self.formatException(record.exc_info)} if record.exc_info else {})
        )


class Log(Logger):  # type: ignore[misc]
    """What gunicorn itself says; in the workers the application's LOGGING takes over.
    No line for each request.
    """

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        if os.environ.get("LOG_FORMAT") != "console":
            for handler in self.error_log.handlers:
                handler.setFormatter(Line())


logger_class = Log


def on_starting(server: Any) -> None:
    """A reload (SIGHUP) waits for the new workers before it ends the old ones: gunicorn cannot be set to."""
    server.__class__ = importlib.import_module("config.web_reload").ReloadingArbiter


def pre_fork(server: Any, worker: Any) -> None:
    """Gives a worker the lowest free place:
    it goes on with the counts of the one that had it, and no files pile up.
    """
    forget_project()
    worker.is_serving = mmap.mmap(-1, 1)
    if not hasattr(server, "counts"):
        server.counts = empty_directory()
    # The first process may be older than this line.
    web_kinds = importlib.import_module("config.web_kinds")
    # Made anew if it is of code that could not count requests: the workers before the reload keep theirs.
    if not hasattr(getattr(server, "kinds", None), "less_busy"):
        server.kinds = web_kinds.Kinds()
    others = server.WORKERS.values()
    taken = {getattr(other, "place", None) for other in others}
    worker.place = next(place for place in itertools.count() if place not in taken)
    worker.kinds = server.kinds
    worker.kind = web_kinds.rarer(other.kind for other in others if hasattr(other, "kind"))


def child_exit(server: Any, worker: Any) -> None:
    """Whatever ended it: it accepts no more."""
    for shares in server.kinds.shares.values():
        shares.leave(worker.place)


def forget_project() -> None:
    """So that the worker's class is read anew after SIGHUP."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("config", "lib")]:
        del sys.modules[name]


if __name__ == "__config__":
    # gunicorn reads this file, at a reload too: the new worker's class must not meet modules of old code.
    forget_project()


def empty_directory() -> Path:
    """Where the workers count for /metrics: in the directory that is given, or in one of its own."""
    given = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    directory = Path(given or tempfile.mkdtemp(prefix=OWN_PREFIX))
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.glob("*.db"):
        old.unlink()
    return directory


def post_fork(server: Any, worker: Any) -> None:
    """Before the application is imported, which reads this (lib.http.metrics)."""
    # It imports the application while others answer calls; from `post_worker_init` on it is one of them.
    set_policy(os.SCHED_BATCH)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(server.counts)
    os.environ["METRICS_SLOT"] = str(worker.place)


def post_worker_init(worker: Any) -> None:
    """What a worker does before it serves."""
    worker.connections_per_address = connections_per_address
    worker.wait_seconds = wait_ms / 1000
    if "config.wsgi" in sys.modules:
        begin_platform(worker)
    # What there is now stays to the end: a collection that went through it all took 100 ms, for every call.
    gc.collect()
    gc.freeze()
    set_policy(os.SCHED_OTHER)
    worker.is_serving[0] = 1


def set_policy(policy: int) -> None:
    """How the process is scheduled, where that may be set."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(0))


def begin_platform(worker: Any) -> None:
    """The platform's workers refuse to serve with settings or a database that are not safe; what is raised
    here ends the server. They leave signs of life while they serve. A test that moves the clock does without:
    a heartbeat would see an outage.
    """
    if worker.cfg.forwarded_allow_ips or worker.cfg.forwarder_headers or worker.cfg.secure_scheme_headers:
        raise ValueError(
            "gunicorn is told to believe forwarded headers (--forwarded-allow-ips, --forwarder-headers, "
            "GUNICORN_CMD_ARGS): leave that out, and set TRUSTED_PROXIES."
        )
    importlib.import_module("config.refusals").refuse_start()
    worker.trusted_proxies = tuple(importlib.import_module("django.conf").settings.TRUSTED_PROXIES)
    worker.loop_paths = ("/wallet/",)
    worker.either_paths = (b"/pay/", b"/payments/", b"/entry/")
    overload = importlib.import_module("config.overload")
    worker.urgency_of, worker.refuse_call = overload.urgency_of, overload.refuse_call
    worker.tell_waiting = overload.tell_waiting
    importlib.import_module("lib.loop_connections").refuse_django_connection()
    # A thread of its own, which no fork survives.
    importlib.import_module("config.telemetry").start_telemetry()
    # All views are imported now, and not while the first call waits.
    importlib.import_module("django.urls").get_resolver().url_patterns  # noqa: B018
    if os.environ.get("WEB_HEARTBEAT") != "0":
        worker.heartbeat = importlib.import_module("config.heartbeat").start_heartbeat()


def worker_exit(server: Any, worker: Any) -> None:
    if hasattr(worker, "heartbeat"):
        worker.heartbeat.end()
    if "config.telemetry" in sys.modules:
        sys.modules["config.telemetry"].end_telemetry()


def on_exit(server: Any) -> None:
    if hasattr(server, "counts") and server.counts.name.startswith(OWN_PREFIX):
        shutil.rmtree(server.counts, ignore_errors=True)
