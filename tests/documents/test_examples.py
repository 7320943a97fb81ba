"""What the documents show is run as a reader would: from the first block to the last, on a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from payments.demo import demo_shop
from players.models import Game
from players.operations import create_credential
from tests.documents.examples import outputs, python_examples, read, script, shell_examples, without_volatile
from tests.support.callers import make_party, unique

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL, FRONT = ROOT / "docs" / "integrate-a-game.md", ROOT / "docs" / "web-front.md"
TAKEN = ("URL", "GAME", "TOKEN")


class Played(NamedTuple):
    """What each block of shell printed, and the variables that the shell ended with."""

    printed: list[str]
    variables: dict[str, str]


def login(kind: str, game: Game | None) -> dict[str, str]:
    credential, password = create_credential(
        kind=kind, game=game, username=unique("c"), allowed_networks=[], note=""
    )
    return {"username": credential.username, "password": password}


@pytest.fixture(scope="module")
def here(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what `make run` writes down."""
    game = make_party().game
    demo_shop(game, server)
    directory = tmp_path_factory.mktemp("reader")
    (directory / "var").mkdir()
    written: dict[str, Any] = {
        "url": server,
        "games": [{"slug": game.slug, **login("game", game)}],
        "platform": login("platform", None),
    }
    (directory / "var" / "demo.json").write_text(json.dumps(written))
    return directory


@pytest.fixture(scope="module")
def played(here: Path) -> Played:
    return play(TUTORIAL, here)


def play(document: Path, here: Path) -> Played:
    """A document's blocks of shell, run by one shell."""
    shell = script(shell_examples(document)) + "env -0 >variables\n"
    ran = subprocess.run(
        ["bash", "-c", shell], cwd=here, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    pairs = (line.partition("=") for line in (here / "variables").read_text().split("\0") if line)
    return Played(outputs(ran.stdout), {name: value for name, _, value in pairs})


def test_tutorial__shell_answers_what_is_shown(played: Played) -> None:
    compare(TUTORIAL, played)


def test_web_front__shell_answers_what_is_shown(here: Path) -> None:
    compare(FRONT, play(FRONT, here))


def compare(document: Path, played: Played) -> None:
    """Answers are those that are shown, but for what is made anew; and nothing else is refused."""
    examples = list(zip(shell_examples(document), played.printed, strict=True))
    shown = [(one.answer, printed) for one, printed in examples if one.answer is not None]
    assert len(shown) >= 5
    for answer, printed in shown:
        assert without_volatile(read(printed.splitlines()[-1])) == without_volatile(answer)
    refused = [one.answer for one, printed in examples if '"errorCode"' in printed]
    assert all(answer and "errorCode" in answer for answer in refused)


def test_tutorial__python_runs(played: Played, here: Path) -> None:
    environment = {name: played.variables[name] for name in TAKEN}
    program = "\n".join(python_examples(TUTORIAL))
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=here,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT / "clients" / "python")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    # 35.00 are left by the shell.
    assert ran.stdout.splitlines() == [
        "Nova 35.00 XAG",
        "60.00 XAG",
        "['lantern'] 45.00 XAG",
        "rolled back: the bag is full",
        "There are only 45.00 XAG",
        'b\'{"state": "CONFIRMED"}\'',
        "refused: webhook-timestamp is more than five minutes from now",
    ]
