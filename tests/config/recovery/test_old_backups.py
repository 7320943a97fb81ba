"""Old backups go, with the log that only they needed, and never the last one that is whole."""

import json
import os
import re
from datetime import timedelta
from pathlib import Path

import msgspec

from config.recovery.manifest import read_manifest, write_manifest
from config.recovery.old_backups import first_segment, plan_pruning
from tests.support.recovery import command, linked, refusal, replaced


def aged(made: Path, target: Path, days: int) -> Path:
    """A copy of the backup that says that it was made so many days before."""
    linked(made, target)
    manifest = read_manifest(target)
    (target / "manifest.json").unlink()
    began_at = manifest.began_at - timedelta(days=days)
    write_manifest(target, msgspec.structs.replace(manifest, began_at=began_at))
    return target


def spoiled(backup: Path) -> None:
    replaced(backup / "heads.jsonl.gz", b"something else")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def segment(wal: Path, backup: Path, distance: int, timeline: int = 1) -> Path:
    """A segment so many before or after the first that a backup needs, as this server writes it."""
    first = first_segment(plan_pruning(backup.parent, 1, None).kept[0])
    number = int(first[8:16], 16) * 256 + int(first[16:], 16) + distance
    path = wal / f"{timeline:08X}{number // 256:08X}{number % 256:08X}"
    source = next(iter(sorted((backup / "base" / "pg_wal").glob("0" * 7 + "*"))))
    path.write_bytes(source.read_bytes()[:64])
    return path


def test_prune_backups__says_what_would_go_and_changes_nothing(made: Path, place: Path) -> None:
    for days in range(3):
        aged(made, place / f"day-{days}", days)
    said = command("prune_backups", place, "--keep", 2)
    assert re.findall(r"(day-\d) (stays: whole|is to go)", said) == [
        ("day-0", "stays: whole"),
        ("day-1", "stays: whole"),
        ("day-2", "is to go"),
    ]
    assert said.endswith("Nothing was changed. Repeat it with --yes.\n")
    assert names(place) == ["day-0", "day-1", "day-2"]


def test_prune_backups__removes_the_oldest(made: Path, place: Path) -> None:
    for days in range(3):
        aged(made, place / f"day-{days}", days)
    (place / "notes").mkdir()
    assert command("prune_backups", place, "--keep", 1, "--yes").endswith("Done.\n")
    assert names(place) == ["day-0", "notes"]
    assert "is whole" in command("backup", "--verify", place / "day-0")


def test_prune_backups__a_damaged_one_does_not_count(made: Path, place: Path) -> None:
    for days in range(3):
        aged(made, place / f"day-{days}", days)
    spoiled(place / "day-0")
    said = command("prune_backups", place, "--keep", 1, "--yes")
    assert "day-0 stays, and is not counted: " in said
    assert names(place) == ["day-0", "day-1"]


def test_prune_backups__without_a_whole_one_nothing_goes(made: Path, place: Path) -> None:
    for days in range(2):
        spoiled(aged(made, place / f"day-{days}", days))
    why = refusal("prune_backups", place, "--keep", 1, "--yes")
    assert why == f"{place} has no backup that is whole: nothing is removed."
    assert names(place) == ["day-0", "day-1"]


def test_prune_backups__keeps_at_least_one(made: Path, place: Path) -> None:
    aged(made, place / "day-0", 0)
    assert refusal("prune_backups", place, "--keep", 0, "--yes").startswith("At least one backup is kept")
    assert names(place) == ["day-0"]


def test_prune_backups__goes_on_after_an_interruption(made: Path, place: Path) -> None:
    aged(made, place / "day-0", 0)
    aged(made, place / "day-1.removed", 1)
    aged(made, place / "day-2.unfinished-abc", 2)
    command("prune_backups", place, "--keep", 5, "--yes")
    assert names(place) == ["day-0", "day-2.unfinished-abc"]


def test_prune_backups__of_different_servers_are_refused(made: Path, place: Path) -> None:
    aged(made, place / "day-0", 0)
    other = aged(made, place / "other", 1) / "manifest.json"
    replaced(other, json.dumps(json.loads(other.read_bytes()) | {"systemIdentifier": "1"}).encode())
    assert "backups of different servers" in refusal("prune_backups", place, "--keep", 1, "--yes")


def test_prune_backups__the_log_before_the_oldest_goes(made: Path, place: Path) -> None:
    backups, wal = place / "backups", place / "wal"
    backups.mkdir()
    wal.mkdir()
    kept = aged(made, backups / "day-0", 0)
    before, other_timeline = segment(wal, kept, -1), segment(wal, kept, -2, timeline=2)
    needed, later = segment(wal, kept, 0), segment(wal, kept, 1)
    (wal / "00000002.history").touch()
    said = command("prune_backups", backups, "--keep", 1, "--wal", wal)
    assert f"2 segments of the log are to go, those before {needed.name}." in said
    assert len(names(wal)) == 5
    command("prune_backups", backups, "--keep", 1, "--wal", wal, "--yes")
    assert names(wal) == sorted(["00000002.history", needed.name, later.name])
    assert [before.exists(), other_timeline.exists()] == [False, False]


def test_prune_backups__the_log_that_a_damaged_one_needs_stays(made: Path, place: Path) -> None:
    backups, wal = place / "backups", place / "wal"
    backups.mkdir()
    wal.mkdir()
    kept = aged(made, backups / "day-1", 1)
    needed = segment(wal, kept, 0)
    label = aged(made, backups / "day-0", 0) / "base" / "backup_label"
    replaced(label, b"no label")
    assert "names no segment" in refusal("prune_backups", backups, "--keep", 1, "--wal", wal, "--yes")
    assert needed.exists()


def test_prune_backups__another_servers_log_is_refused(made: Path, place: Path) -> None:
    backups, wal = place / "backups", place / "wal"
    backups.mkdir()
    wal.mkdir()
    strange = segment(wal, aged(made, backups / "day-0", 0), -1)
    strange.write_bytes(os.urandom(64))
    why = refusal("prune_backups", backups, "--keep", 1, "--wal", wal, "--yes")
    assert why == f"{strange} is of another server than the backups."
    assert strange.exists()
