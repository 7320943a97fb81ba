"""A real server in which bugs can be switched on, and what the kit is told about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.kit.parties import Target
from tests.support.callers import Callers
from tests.support.conformance import target_at
from tests.support.web_server import served

APPLICATION = "tests.clients.kit.planted.application:application"


@pytest.fixture(scope="session")
def target(callers: Callers, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The platform as it is; `/planted/NAME` behind its address switches a bug on."""
    log: Path = tmp_path_factory.mktemp("planted") / "server.log"
    # One process, so that what a bug remembers is remembered for all calls.
    settings = {"DATABASE_URL": database_url, "AUTH_FAILURES_PER_MINUTE": "100000", "WEB_WORKERS": "1"}
    with served(log, APPLICATION, **settings) as url:
        yield target_at(url, callers)
