"""The clock of beat's machine is put forward and back, and what is due is sent all the same."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from celery import Celery
from celery.schedules import schedule

from config.beat_scheduler import SteadyScheduler

EVERY, HOUR = timedelta(seconds=30), timedelta(hours=1)


class Machine:
    """A beat, and the clock of its machine."""

    at = datetime.fromisoformat("2027-03-01T12:00:00Z")

    def __init__(self, place: Path) -> None:
        self.place = place
        self.begin()

    def begin(self) -> None:
        """A beat that goes on from what the one before has written down."""
        app = Celery("clocks", set_as_current=False)
        often = {"task": "often", "schedule": schedule(EVERY, nowfun=machines_time)}
        app.conf.update(beat_schedule={"often": often}, result_expires=None)
        app.now = machines_time
        self.beat = Noting(app=app, schedule_filename=str(self.place / "schedule"))

    def pass_by(self, duration: timedelta) -> int:
        """How many messages are sent after so much time, or after such a step."""
        Machine.at += duration
        before = self.beat.sent
        while self.beat.tick() == 0:
            pass
        return self.beat.sent - before


def machines_time() -> datetime:
    return Machine.at


class Noting(SteadyScheduler):
    """Counts what it would send, and needs no broker."""

    sent, producer = 0, None

    def apply_entry(self, *words: object, **options: object) -> None:
        self.sent += 1


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_beat__sends_again_after_its_clock_is_put_back(machine: Machine) -> None:
    assert machine.pass_by(EVERY) == 1
    assert [machine.pass_by(step) for step in (-HOUR, EVERY, EVERY / 2, EVERY / 2)] == [0, 1, 0, 1]


def test_beat__begun_with_a_schedule_of_the_future_sends(machine: Machine) -> None:
    machine.pass_by(HOUR)
    machine.beat.close()
    Machine.at -= HOUR
    machine.begin()
    assert [machine.pass_by(EVERY), machine.pass_by(EVERY)] == [1, 1]


def test_beat__sends_once_after_its_clock_is_put_forward(machine: Machine) -> None:
    assert [machine.pass_by(HOUR), machine.pass_by(EVERY)] == [1, 1]
