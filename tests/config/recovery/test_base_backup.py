"""A backup says what it holds and needs, and every changed file is found (docs/production.md, Backups)."""

from pathlib import Path

from django.test import override_settings

from config.recovery.programs import server_words
from tests.support.recovery import command, refusal, replaced


def test_backup__is_whole(made: Path) -> None:
    said = command("backup", "--verify", made)
    assert said.startswith(f"{made} is whole: PostgreSQL ")


def test_backup__a_changed_byte_is_found(copy: Path) -> None:
    changed = max((copy / "base" / "base").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(changed.read_bytes())
    content[len(content) // 2] ^= 1
    replaced(changed, bytes(content))
    assert refusal("backup", "--verify", copy) == f"{changed} is not the file that was backed up."


def test_backup__a_missing_file_is_found(copy: Path) -> None:
    missing = copy / "base" / "global" / "pg_control"
    missing.unlink()
    assert refusal("backup", "--verify", copy) == f"{missing} is missing."


def test_backup__a_strange_file_is_found(copy: Path) -> None:
    strange = copy / "base" / "base" / "1" / "2"
    strange.touch()
    assert refusal("backup", "--verify", copy) == f"{strange} is no file of the backup."


def test_backup__a_changed_list_is_found(copy: Path) -> None:
    listed = copy / "base" / "backup_manifest"
    replaced(listed, listed.read_bytes().replace(b'"PG_VERSION"', b'"PG_VERSION2"'))
    assert refusal("backup", "--verify", copy) == f"{listed} is not the file that was backed up."


def test_backup__changed_heads_are_found(copy: Path) -> None:
    heads = copy / "heads.jsonl.gz"
    replaced(heads, heads.read_bytes()[:-1])
    assert refusal("backup", "--verify", copy) == f"{heads} is not the file that was backed up."


def test_backup__a_broken_log_is_found(copy: Path) -> None:
    for segment in (copy / "base" / "pg_wal").glob("0*"):
        replaced(segment, bytes(segment.stat().st_size))
    assert refusal("backup", "--verify", copy).startswith("pg_waldump failed: ")


def test_backup__never_overwrites(made: Path, tmp_path: Path) -> None:
    said = f"{tmp_path} exists already: a backup never overwrites anything."
    assert refusal("backup", tmp_path) == said
    assert list(tmp_path.iterdir()) == []


def test_backup__one_that_fails_leaves_nothing(made: Path, tmp_path: Path) -> None:
    nowhere = "postgres://wallet_backup:secret-word@/wallet?host=/nowhere"
    with override_settings(DATABASE_BACKUP_URL=nowhere):
        why = refusal("backup", tmp_path / "new")
    assert why.startswith("pg_basebackup failed: ")
    assert "secret-word" not in why
    assert list(tmp_path.iterdir()) == []


def test_backup__needs_an_address_that_may_copy(tmp_path: Path) -> None:
    with override_settings(DATABASE_BACKUP_URL=""):
        assert refusal("receive_wal", tmp_path).startswith("Set DATABASE_BACKUP_URL to ")


def test_server_words__keep_the_password_out_of_sight() -> None:
    with override_settings(DATABASE_BACKUP_URL="postgres://copier:secret-word@db.internal:5433/wallet"):
        words, environment = server_words()
    assert words == ["--no-password", "--dbname", "user=copier dbname=wallet host=db.internal port=5433"]
    assert environment == {"PGPASSWORD": "secret-word"}
