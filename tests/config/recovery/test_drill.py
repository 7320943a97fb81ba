"""A short drill, as `make drill` plays a long one."""

from argparse import Namespace
from typing import Any

import pytest

from tests.config.recovery.drill import run


@pytest.mark.long
def test_drill__loses_nothing_that_the_log_has(
    django_db_blocker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with django_db_blocker.unblock():
        run(Namespace(restores=3, losses=2, seconds=10.0, seed=7))
    said = capsys.readouterr().out
    assert "audit green: 3 of 3\n" in said
    assert "audit green: 2 of 2\n" in said
