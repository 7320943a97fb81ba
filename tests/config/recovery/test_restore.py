"""Nothing is overwritten unasked, nothing opened unverified, and the moment is the one that was named."""

import gzip
import json
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.test import override_settings

from config.recovery.data_directory import CLOSED, PID_FILE
from config.recovery.manifest import HEADS, read_manifest, sha256
from config.recovery.private_server import at_server
from config.recovery.write_ahead_log import last_commit
from lib.clock import now
from lib.security.encryption import current_keys
from tests.support.busy_wallets import tell_story
from tests.support.checkpoints import checkpoints_in, make
from tests.support.launcher import eventually
from tests.support.own_database import own_ledger
from tests.support.recovery import (
    as_owner,
    command,
    copying,
    give,
    linked,
    reachable_directory,
    receiving,
    refusal,
    replaced,
    started,
)
from wallet.models import Entry

NOTHING = "Nothing was changed. Repeat it with --yes to restore."


def names_below(directory: Path) -> set[Path]:
    return set(directory.rglob("*"))


# --- The whole way -------------------------------------------------------------------------------------


def test_restore__leads_to_the_moment_that_was_named(database: None, database_name: str) -> None:
    name = f"{database_name}_restore"
    with own_ledger(name) as ledger, copying(), reachable_directory() as place, checkpoints_in(place / "cp"):
        story = tell_story(ledger.callers)
        made = make()
        (place / "wal").mkdir()
        with receiving(place / "wal", f"slot_{database_name}"):
            command("backup", place / "backup")
            story.other.opened("withdraw", "1.00")
            entries, moment = Entry.objects.count(), now()
            story.other.opened("withdraw", "2.00")
            end = now()
            story.other.opened("withdraw", "3.00")
            make()
            eventually(lambda: (last := last_commit(place / "wal")) and last.at > end)
        give(place)
        words = (place / "backup", "--to", place / "data", "--wal", place / "wal", "--until", moment)
        said = command("restore", *words, "--yes")
        assert f" with {entries} entries were replayed.\n" in said
        assert f"\nCheckpoint {made.number} of " in said
        assert re.search(r" It took: copy [\d.]+ s, replay [\d.]+ s, verification [\d.]+ s, ", said)
        assert "\n1 later checkpoints are stored: " in said
        with started(place / "data", name) as server, as_owner(server) as owner:
            assert owner.execute("SELECT count(*) FROM wallet_entry").fetchone() == (entries,)
            assert owner.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
            leapt = owner.execute("SELECT last_value FROM players_operator_id_seq").fetchone()
            assert leapt is not None
            assert int(str(leapt[0])) > 1_000_000
            with at_server(server):
                wallet = story.other.wallet()
                lost = command("find_lost_answers", "--since", moment)
        known = wallet.entry_count + 2
        assert f"wallet {wallet.pk} has {wallet.entry_count} entries, the checkpoint knows {known} " in lost
        assert "\n1 found. " in lost
        later = command("restore", *words[:5], "--replace", "--yes")
        assert f" with {Entry.objects.count()} entries were replayed.\n" in later
        assert len(list(place.glob("data.before-*"))) == 1


# --- What is not verified stays closed -------------------------------------------------------------------


def forge_heads(backup: Path) -> None:
    """Another end of a wallet's chain, with sums that are right again."""
    heads, manifest = backup / HEADS, backup / "manifest.json"
    first, *rest = gzip.decompress(heads.read_bytes()).splitlines(keepends=True)
    wallet, seq, head = json.loads(first)
    forged = json.dumps([wallet, seq, head[::-1]], separators=(",", ":")).encode() + b"\n"
    replaced(heads, gzip.compress(b"".join([forged, *rest])))
    said = json.loads(manifest.read_text())
    said["files"][HEADS] = sha256(heads)
    replaced(manifest, json.dumps(said).encode())


def test_restore__what_is_not_verified_stays_closed(copy: Path, place: Path) -> None:
    forge_heads(copy)
    why = refusal("restore", copy, "--to", place / "data", "--yes")
    assert "It is not what was backed up: 1 difference: wallet " in why
    assert f"{place / 'data'} stays closed: " in why
    assert (place / "data" / CLOSED).exists()
    assert not (place / "data" / PID_FILE).exists()
    database = read_manifest(copy).database
    with started(place / "data", database) as server, as_owner(server) as owner:
        assert owner.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            owner.execute("CREATE TABLE written ()")


# --- The preview ---------------------------------------------------------------------------------------


def test_restore__the_preview_changes_nothing(made: Path, place: Path) -> None:
    said = command("restore", made, "--to", place / "data")
    assert f"\nData directory: {place / 'data'}; nothing is overwritten.\n" in said
    assert said.endswith(f"{NOTHING}\n")
    assert names_below(place) == set()


def test_restore__the_preview_says_what_moves(copy: Path, place: Path) -> None:
    linked(copy / "base", place / "data")
    before = names_below(place)
    said = command("restore", copy, "--to", place / "data", "--replace")
    assert f"{place / 'data'}; what is there moves to {place / 'data.before-'}" in said
    assert names_below(place) == before


def running(data: Path) -> None:
    (data / PID_FILE).write_text(f"{os.getpid()}\n")


def strange(data: Path) -> None:
    (data / "global" / "pg_control").unlink()


@pytest.mark.parametrize(
    ("spoil", "words", "why"),
    [
        (lambda data: None, (), "holds the data of this server, which is stopped: --replace "),
        (running, ("--replace",), "A server runs in "),
        (strange, ("--replace",), "is not empty, and no data directory of PostgreSQL: choose another."),
    ],
)
def test_restore__what_is_there_is_left(
    spoil: Callable[[Path], None], words: tuple[str, ...], why: str, copy: Path, place: Path
) -> None:
    linked(copy / "base", place / "data")
    spoil(place / "data")
    before = names_below(place)
    assert why in refusal("restore", copy, "--to", place / "data", *words, "--yes")
    assert names_below(place) == before


def test_restore__data_of_another_server_are_left(copy: Path, place: Path) -> None:
    linked(copy / "base", place / "data")
    manifest = copy / "manifest.json"
    said = json.loads(manifest.read_text()) | {"systemIdentifier": "1"}
    replaced(manifest, json.dumps(said).encode())
    why = f"{place / 'data'} holds the data of another server: choose another directory."
    assert why in refusal("restore", copy, "--to", place / "data", "--replace", "--yes")


# --- What is missing -----------------------------------------------------------------------------------


def test_restore__a_changed_backup_is_refused(copy: Path, place: Path) -> None:
    replaced(copy / "base" / "PG_VERSION", b"17\n")
    why = f"{copy / 'base' / 'PG_VERSION'} is not the file that was backed up."
    assert refusal("restore", copy, "--to", place / "data", "--yes") == why
    assert not (place / "data").exists()


def test_restore__without_the_encryption_key_is_refused(made: Path, place: Path) -> None:
    id = current_keys()[0].id
    with override_settings(ENCRYPTION_KEYS=["another key that is long enough for the settings"]):
        why = refusal("restore", made, "--to", place / "data", "--yes")
    assert f"ENCRYPTION_KEYS lacks {id}: " in why
    assert names_below(place) == set()


def test_restore__without_the_credential_key_is_refused(made: Path, place: Path) -> None:
    with override_settings(CREDENTIAL_KEY="another key that is long enough for the settings"):
        why = refusal("restore", made, "--to", place / "data", "--yes")
    assert f"CREDENTIAL_KEY is not the one of the backup ({read_manifest(made).credential_key}): " in why


def test_restore__no_moment_before_the_backup(made: Path, place: Path) -> None:
    early = read_manifest(made).ended_at - timedelta(seconds=1)
    why = refusal("restore", made, "--to", place / "data", "--until", early.isoformat(), "--yes")
    assert "The backup leads to no moment before " in why


def test_restore__a_log_without_a_segment_is_refused(made: Path, place: Path) -> None:
    why = refusal("restore", made, "--to", place / "data", "--wal", place, "--yes")
    assert f"{place} has no segment of a write-ahead log." in why


def test_restore__a_server_without_our_role_is_no_wait_for_ever(
    made: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "USER", "somebody_else")
    why = refusal("restore", made, "--to", place / "data", "--yes")
    assert 'role "somebody_else" does not exist' in why
    assert (place / "data" / CLOSED).exists()
    assert not (place / "data" / PID_FILE).exists()
