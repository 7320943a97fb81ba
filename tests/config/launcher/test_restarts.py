"""What ends is started again, a bounded number of times, and the web server goes on meanwhile."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from config.launcher.processes import CannotStart, Child, Register, start
from config.launcher.restarts import PAUSES, WINDOW_SECONDS, Part
from config.launcher.supervisor import ROOT
from tests.faults.platform_processes import LONG, eventually
from tests.support.launcher import arguments, environment
from tests.support.web_server import free_port

DIES = ("sh", "-c", "exit 3")


class Clockwork:
    """A part whose process dies at once, looked at whenever its next start is due."""

    def __init__(self, command: tuple[str, ...], *, is_needed: bool) -> None:
        self.command = command
        self.starts = 0
        self.problem: Exception | None = None
        self.part = Part("worker", self.begin, is_needed)
        self.at = 0.0

    def begin(self) -> Child:
        self.starts += 1
        if self.problem:
            raise self.problem
        return start("worker", self.command, environment={"PATH": os.defpath})

    def die(self, pause: float = 0.0) -> None:
        """Its process ends, after so long, and it is started again if that is due."""
        self.part.child.process.wait(10)
        self.at += pause
        self.part.look(self.at)
        if self.part.restart_at is not None:
            self.at = self.part.restart_at
            self.part.look(self.at)


@contextmanager
def clockwork(command: tuple[str, ...] = DIES, *, is_needed: bool = False) -> Iterator[Clockwork]:
    """Ended with the block."""
    one = Clockwork(command, is_needed=is_needed)
    yield one
    one.part.stop()


def test_part__is_started_again_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with clockwork() as one:
        one.die()
    assert (one.starts, capsys.readouterr().err) == (
        2,
        "worker ended unexpectedly (exit code 3). It is started again in 1 s.\nStarting worker again\n",
    )


def test_part__waits_longer_each_time_and_then_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with clockwork() as one:
        for _ in range(len(PAUSES) + 3):
            one.die()
    assert (one.starts, one.at) == (1 + len(PAUSES), sum(PAUSES))
    assert capsys.readouterr().err.endswith(
        "worker ended unexpectedly (exit code 3), 6 times in 10 minutes, and is not started again. "
        "The web server goes on without it.\n"
    )


def test_part__that_is_needed_ends_everything() -> None:
    with clockwork(is_needed=True) as one:
        for _ in PAUSES:
            one.die()
        with pytest.raises(CannotStart, match="6 times in 10 minutes, so everything ends"):
            one.die()


@pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), CannotStart("no room")])
def test_part__that_cannot_be_started_has_ended_once_more(
    problem: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with clockwork() as one:
        one.problem = problem
        one.die()
        assert capsys.readouterr().err.endswith(
            f"worker cannot be started: {problem}. It is started again in 2 s.\n"
        )
        one.problem = None
        one.part.look(one.at + 2)
        assert (one.starts, one.part.restart_at) == (3, None)
        one.problem = problem
        for _ in PAUSES:
            one.die()
        assert one.part.is_given_up


def test_register__that_cannot_be_written_leaves_no_child(tmp_path: Path) -> None:
    child = start("worker", ("sleep", "60"), environment={"PATH": os.defpath})
    with pytest.raises(OSError, match="children"):
        Register(tmp_path / "nowhere" / "children").add(child)
    assert child.ended


def test_part__that_dies_seldom_is_always_started_again() -> None:
    with clockwork() as one:
        for _ in range(20):
            one.die(pause=WINDOW_SECONDS / 4)
    assert (one.starts, one.part.is_given_up) == (21, False)


def test_part__that_runs_is_left_alone() -> None:
    with clockwork(("sleep", "60")) as one:
        one.part.look(0.0)
        one.part.look(WINDOW_SECONDS)
        assert (one.starts, one.part.child.ended) == (1, False)
    assert one.part.child.ended


# --- The whole platform, as `make run` starts it --------------------------------------------------------


@pytest.fixture
def running() -> Iterator[tuple[int, int]]:
    """The launcher's process and the web server's port."""
    if not LONG:
        pytest.skip("starts the whole platform: FAULTS=long")
    port, var = free_port(), Path(tempfile.mkdtemp(prefix="launcher-", dir="/tmp"))
    var.chmod(0o755)
    own = environment(PORT=str(port), HOST="127.0.0.1", PULSE_SECONDS="1")
    with Popen(arguments(var, "run"), cwd=ROOT, env=own, stdout=PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith("Ready after") for line in process.stdout)
            yield process.pid, port
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(60)
            shutil.rmtree(var)


def child_of(launcher: int, word: str) -> int:
    """The process that the launcher started with `word` in its command."""
    for pid in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        if word in Path(f"/proc/{pid}/cmdline").read_text():
            return int(pid)
    raise AssertionError(f"there is no {word}")


def get(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize("dying", [("valkey-server", "worker", "beat"), ("postgres",), ("gunicorn",)])
def test_run__goes_on_whatever_dies(running: tuple[int, int], dying: tuple[str, ...]) -> None:
    launcher, port = running
    eventually(lambda: get(port, "/healthz/workers") == 200, "the workers are well")
    web = child_of(launcher, "gunicorn")
    for name in dying:
        os.kill(child_of(launcher, name), signal.SIGKILL)
    if "gunicorn" not in dying:
        assert get(port, "/healthz") == 200
    eventually(lambda: get(port, "/healthz/workers") != 200, "something is ill")
    eventually(lambda: get(port, "/healthz/workers") == get(port, "/readyz") == 200, "all is well again")
    assert ("gunicorn" in dying) == (child_of(launcher, "gunicorn") != web)


def test_run__starts_the_game_again(running: tuple[int, int]) -> None:
    launcher, web_port = running
    game = child_of(launcher, "demo.game")
    words = Path(f"/proc/{game}/cmdline").read_text().split("\0")
    port = int(words[words.index("--port") + 1])
    assert get(port, "/healthz") == 200
    assert not {"SECRET_KEY", "DATABASE_URL"} & environment_of(game).keys()
    os.kill(game, signal.SIGKILL)
    eventually(lambda: get(port, "/healthz") == 200, "the game answers again")
    assert (child_of(launcher, "demo.game") != game, get(web_port, "/healthz")) == (True, 200)


def environment_of(pid: int) -> dict[str, str]:
    """What a process was given."""
    lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_run__serves_without_the_owners_address(running: tuple[int, int]) -> None:
    launcher, _ = running
    for name in ("gunicorn", "worker", "beat"):
        given = Path(f"/proc/{child_of(launcher, name)}/environ").read_text()
        assert "DATABASE_URL=" in given
        assert "wallet_owner" not in given, name
