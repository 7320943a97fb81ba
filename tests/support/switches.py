"""What is stopped for everybody, for the time of a test."""

from collections.abc import Iterator
from contextlib import contextmanager

from players.models import PlatformSwitch
from players.switches import stop


@contextmanager
def stopped(name: str) -> Iterator[PlatformSwitch]:
    """The switch of this name, off as if an operator had done it; on again afterwards."""
    switch = PlatformSwitch.objects.get(name=name)
    assert stop(switch, actor="operator:test", reason="Ticket 7")
    switch.refresh_from_db()
    with restored():
        yield switch


@contextmanager
def restored() -> Iterator[None]:
    """Everything is on afterwards."""
    try:
        yield
    finally:
        PlatformSwitch.objects.update(is_active=True, switched_at=None, switched_by="", reason="")
