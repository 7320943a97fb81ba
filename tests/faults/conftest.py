"""What tests of faults share: a platform for each module.

Every test finds it without processes and with the right time.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from lib.clock import now
from tests.conftest import CLOCK, Clock
from tests.faults.platform_processes import LONG, SEED, Platform, running_platform
from tests.support.game_query_server import FakeGame, playing
from wallet.models import Inquiry


def pytest_report_header() -> str:
    return f"faults: {'long' if LONG else 'bounded'} form, FAULTS_SEED={SEED}"


@pytest.fixture(scope="module")
def own_platform(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[Platform]:
    """Durable where the module says `DURABLE = True`."""
    with (
        django_db_blocker.unblock(),
        running_platform(durable=getattr(request.module, "DURABLE", False)) as platform,
    ):
        yield platform


@pytest.fixture
def platform(own_platform: Platform) -> Iterator[Platform]:
    """The module's platform; what the test started on it ends with the test."""
    with own_platform.owner() as owner:
        owner.execute("DELETE FROM wallet_pulse")
        owner.execute("DELETE FROM wallet_outage")
    Inquiry.objects.filter(closed_at=None).update(closed_at=now())
    try:
        yield own_platform
    finally:
        own_platform.end_all()


class OwnClock(Clock):
    """The clock of a platform's database, which may have been restarted since the last look."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    def replace(self, expression: str) -> None:
        with self.platform.owner() as owner:
            owner.execute(CLOCK.format(expression))


@pytest.fixture
def clock(platform: Platform) -> Iterator[Clock]:
    """Afterwards it is right again."""
    clock = OwnClock(platform)
    yield clock
    clock.restore()


@pytest.fixture
def game() -> Iterator[FakeGame]:
    with playing() as game:
        yield game
