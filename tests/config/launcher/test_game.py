"""Where the demonstration's game listens, and that it is started and started again."""

import socket

import pytest

from config.launcher.processes import CannotStart
from config.launcher.supervisor import game_port
from tests.support.web_server import free_port


def test_game__gets_the_first_free_port_above_the_web_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAME_PORT", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert game_port("127.0.0.1", port - 1) > port


def test_game__gets_the_port_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = free_port()
    monkeypatch.setenv("GAME_PORT", str(chosen))
    assert game_port("127.0.0.1", 8000) == chosen


@pytest.mark.parametrize("text", ["0", "65536", "x", "8000"])
def test_game__port_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("GAME_PORT", text)
    with pytest.raises(CannotStart, match="GAME_PORT"):
        game_port("127.0.0.1", 8000)


def test_game__port_in_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("GAME_PORT", str(taken.getsockname()[1]))
        with pytest.raises(CannotStart, match=r"in use by another program: .* GAME_PORT="):
            game_port("127.0.0.1", 8000)
