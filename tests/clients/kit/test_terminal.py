import io

import pytest

from clients.kit.check import Check
from clients.kit.expectations import Skipped, Unmet
from clients.kit.parties import Login, Target
from clients.kit.runner import Run
from clients.kit.terminal import Terminal
from clients.kit.trial import Trial

TARGET = Target("http://127.0.0.1:9", Login("g", "p1", "a"), Login("o", "p2", "b"), Login("f", "p3"))


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def failing(trial: Trial) -> None:
    trial.record.add("POST /wallet/withdraw HTTP/1.1\n\n{}", "HTTP/1.1 200 OK\n\n\x1b[2J\u202e", 0.001)
    raise Unmet("The answer", "yes", "no\x07")


def skipped(trial: Trial) -> None:
    raise Skipped("no clock")


def told(stream: io.StringIO) -> str:
    run, terminal = Run(TARGET, TARGET.redactor()), Terminal(stream)
    checks = [Check("happy.one", "One", "2.3", failing), Check("time.two", "Two", "2.4", skipped)]
    terminal.begin(run, len(checks))
    for result in run.run(checks):
        terminal.tell(result)
    terminal.end(run)
    return stream.getvalue()


def test_terminal__tells_all_about_a_failure() -> None:
    lines = told(io.StringIO()).splitlines()
    assert "            contract  2.3 Once and only once" in lines
    assert "            > POST /wallet/withdraw HTTP/1.1" in lines
    assert "            got       no\\x07" in lines
    assert "  1 failed" in lines
    assert lines[-2:] == ["  failed  happy.one  contract 2.3", "  skipped time.two  no clock"]


def test_terminal__writes_nothing_that_moves_the_cursor() -> None:
    text = told(io.StringIO())
    assert "< \\x1b[2J\\u202e" in text
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


def test_terminal__is_coloured_on_a_screen_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31mFAILED" in told(Screen())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in told(Screen())
