"""`manage.py reconcile`: a file is handed over and compared."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from benchmarks.seeded_file import HEADER, written
from tests.payments.reconciliation.test_run import play
from tests.support.callers import PlayerSession
from tests.support.reconciled import game_source, text_of


def reconcile(*words: str) -> str:
    said = io.StringIO()
    call_command("reconcile", *words, stdout=said)
    return said.getvalue()


def test_command__says_what_differs(player_session: PlayerSession, tmp_path: Path) -> None:
    known = play(player_session, 4)
    file, source = tmp_path / "day.csv", game_source(player_session.game)
    file.write_text(text_of([HEADER, *map(written, [known[0]._replace(amount=1), *known[1:]])]))
    said = reconcile(str(file), "--source", source.name)
    assert said.splitlines() == [
        "day.csv: compared.",
        "4 rows, 4 known here, 0 of these by amount and time; 1 differences, 0 of them decided before.",
        "  amount                1",
    ]
    with pytest.raises(CommandError, match="The same file was uploaded before"):
        reconcile(str(file), "--source", source.name)


def test_command__leaves_it_to_the_workers(player_session: PlayerSession, tmp_path: Path) -> None:
    file, source = tmp_path / "day.csv", game_source(player_session.game)
    file.write_text(f"{HEADER}\n")
    assert reconcile(str(file), "--source", source.name, "--later") == "day.csv: its rows are compared.\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--source", "nobody"], "There is no source nobody"),
        (["--until", "soon"], "soon is no time"),
        ([], "cannot be read"),
    ],
)
def test_command__refuses_what_makes_no_sense(
    player_session: PlayerSession, tmp_path: Path, words: list[str], problem: str
) -> None:
    source = game_source(player_session.game)
    given = words if "--source" in words else ["--source", source.name, *words]
    with pytest.raises(CommandError, match=problem):
        reconcile(str(tmp_path / "none.csv"), *given)
