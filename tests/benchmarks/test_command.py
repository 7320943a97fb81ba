"""What all measuring commands do."""

import json
from pathlib import Path

from benchmarks.command import in_turns, measuring


def test_measuring__one_error_voids_the_whole_run(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    assert measuring(lambda: {"rate": 1000.0, "errors": 0}, path) == 0
    assert measuring(lambda: {"rate": 1000.0, "errors": 1}, path) == 1
    assert json.loads(path.read_text())["errors"] == 1


def test_measuring__figures_have_three_places_at_any_depth(tmp_path: Path) -> None:
    path = tmp_path / "bench.json"
    measuring(lambda: {"work": {"withdraw": {"rate": 1 / 3}}, "errors": 0}, path)
    assert json.loads(path.read_text()) == {"work": {"withdraw": {"rate": 0.333}}, "errors": 0}


def test_turns__every_second_round_is_backwards() -> None:
    seen: list[str] = []
    in_turns([lambda: seen.append("a"), lambda: seen.append("b")], 3)
    assert seen == ["a", "b", "b", "a", "a", "b"]
