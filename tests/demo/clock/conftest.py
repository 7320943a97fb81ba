"""A demonstration of a module's own, with a web server and a worker, but without beat."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.platform_processes import Platform, eventually, running_platform
from tests.support.callers import Caller


class Demonstration:
    """A platform where DEMO is on, and what its web front says to the clock."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        child, self.url = platform.serve()
        self.front = platform.callers.front.at(self.url)
        eventually(self.answers, "the web server answers", instead=lambda: platform.said(child))

    def answers(self) -> bool:
        try:
            return Caller(None, url=self.url).send("GET", "/readyz").status == 200
        except OSError:
            return False

    def moved_by(self) -> int:
        """How far the clock is ahead, in seconds."""
        return int(Caller(None, url=self.url).send("GET", "/demo/clock").body["movedBySeconds"])


@pytest.fixture(scope="module")
def demonstration(django_db_blocker: Any) -> Iterator[Demonstration]:
    """A platform in which nobody looks for what is due unless it is told to: there is no beat."""
    with django_db_blocker.unblock(), running_platform(durable=False) as platform:
        platform.environment["DEMO"] = "1"
        platform.migrate()
        platform.start("worker")
        yield Demonstration(platform)
