"""Some failovers, as `make failover` does many."""

from argparse import Namespace
from typing import Any

import pytest

from tests.config.recovery.failover import run


@pytest.mark.long
@pytest.mark.parametrize("mode", ["synchronous", "asynchronous"])
def test_failover__is_found_by_itself(
    mode: str, django_db_blocker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """And with a synchronous standby nothing that was answered is lost: the drill itself fails otherwise."""
    with django_db_blocker.unblock():
        run(Namespace(failovers=2, minutes=10, modes=[mode], seed=7))
    said = capsys.readouterr().out
    assert "in 2 failovers; audit green\n" in said
    if mode == "synchronous":
        assert "   0 of " in said
