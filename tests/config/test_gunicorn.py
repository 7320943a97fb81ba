"""What the web server reads from its environment (config/gunicorn.py, docs/operations.md)."""

import os
import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from config import gunicorn
from config.launcher.supervisor import ROOT
from config.web_kinds import Kind
from tests.support.web_tables import ends

READ = ("HOST", "PORT", "WEB_WORKERS", "WEB_THREADS", "WEB_CONNECTIONS_PER_ADDRESS", "WEB_WAIT_MS")


def settings() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "config/gunicorn.py"))


@pytest.mark.parametrize("is_set", [True, False])
def test_environment__set_to_nothing_is_not_set(is_set: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in READ:
        if is_set:
            monkeypatch.setenv(name, "")
        else:
            monkeypatch.delenv(name, raising=False)
    read = settings()
    assert read["bind"] == "127.0.0.1:8000"
    assert (read["workers"], read["threads"]) == (os.cpu_count(), 16)
    assert (read["connections_per_address"], read["wait_ms"]) == (256, 250)


@pytest.mark.parametrize(
    ("host", "bind"),
    [("::1", "[::1]:80"), ("[::1]", "[::1]:80"), ("::", "[::]:80"), ("localhost", "localhost:80")],
)
def test_host__may_be_a_bare_ipv6_address(host: str, bind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", "80")
    assert settings()["bind"] == bind


def test_unit__waits_for_a_reload_and_then_the_end() -> None:
    """Each of the two waits `graceful_timeout` for the workers that end."""
    unit = (ROOT / "deploy/systemd/quantum-wallet-web.service").read_text()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert int(seconds) > 2 * settings()["graceful_timeout"]


def test_pre_fork__first_process_of_an_older_release_knows_no_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads this file anew with a reload, and keeps what it has."""
    monkeypatch.setattr(gunicorn, "forget_project", lambda: None)
    server, worker = SimpleNamespace(counts=Path("somewhere"), WORKERS={}), SimpleNamespace()
    gunicorn.pre_fork(server, worker)
    assert worker.kinds is server.kinds
    other = SimpleNamespace()
    server.WORKERS[1] = worker
    gunicorn.pre_fork(server, other)
    assert (worker.place, other.place, other.kinds) == (0, 1, worker.kinds)
    assert [worker.kind, other.kind] == [Kind.CALLS, Kind.PAGES]
    for end in ends(server.kinds):
        end.close()
