"""The commands about checkpoints, and what others can verify without our database."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from players.models import Player
from tests.support.busy_wallets import Story, tell_story
from tests.support.checkpoints import (
    FOREIGN_KEY,
    KEY,
    NEW_KEY,
    dated_back,
    longer,
    make,
    no_checkpoints_yet,
    public,
)
from tests.support.history_forger import rewrite
from tests.support.own_database import OwnLedger, own_ledger
from wallet.job_runs import LOCK_CLASS
from wallet.models import Checkpoint, JobRun, Wallet
from wallet.proof.header import shown

ROOT = Path(settings.BASE_DIR)


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    with own_ledger(f"{database_name}_checkpoints") as ledger:
        yield ledger


@pytest.fixture(scope="module")
def story(ledger: OwnLedger) -> Story:
    story = tell_story(ledger.callers)
    ledger.keep()
    return story


@pytest.fixture
def place(ledger: OwnLedger, story: Story, tmp_path: Path) -> Iterator[Path]:
    """The directory of the checkpoints."""
    with no_checkpoints_yet(ledger, tmp_path / "checkpoints") as directory:
        yield directory


# --- The commands, and what others can do ---------------------------------------------------------------


def command(name: str, *arguments: object) -> tuple[str, str]:
    """What it wrote to standard output and to the error output."""
    out, err = StringIO(), StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def refused(name: str, *arguments: object) -> tuple[str, str]:
    """Its last words, and what it wrote to the error output, when it ended with status 1."""
    err = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(name, *map(str, arguments), stdout=StringIO(), stderr=err)
    assert caught.value.returncode == 1
    return str(caught.value), err.getvalue()


def test_checkpoint_command__makes_one_and_says_so(place: Path) -> None:
    out, err = command("make_checkpoint")
    row = Checkpoint.objects.get()
    assert (
        out
        == f"checkpoint 1: {row.wallets} wallets, {row.entries} entries, in checkpoint-000000001.jsonl.gz.\n"
    )
    assert err == f"read: {row.wallets} wallets\n"
    assert JobRun.objects.get(task="make_checkpoint").done == 1


def test_checkpoint_command__exits_1_on_difference_or_accepts_it(
    place: Path, ledger: OwnLedger, story: Story
) -> None:
    make()
    rewrite(ledger, story.wallet.pk, longer)
    text, _ = refused("make_checkpoint")
    assert text.startswith("checkpoint 1: 1 difference, no new checkpoint.")
    out, _ = command("make_checkpoint", "--accept", "restored")
    assert "Note: 1 difference accepted: restored" in out
    assert "There was nothing to accept." in command("make_checkpoint", "--accept", "restored")[0]


def test_checkpoint_command__says_what_to_set_without_a_key(place: Path) -> None:
    with override_settings(CHECKPOINT_KEY=""):
        text, _ = refused("make_checkpoint")
    assert text.startswith("Checkpoints cannot be signed: CHECKPOINT_KEY is missing. Set CHECKPOINT_KEY")


def test_checkpoint_command__gives_way_to_one_under_way(place: Path, ledger: OwnLedger) -> None:
    ledger.owner.execute("SELECT pg_advisory_lock(%s, hashtext('make_checkpoint'))", [LOCK_CLASS])
    try:
        assert refused("make_checkpoint")[0] == "Another process makes a checkpoint at this moment."
    finally:
        ledger.owner.execute("SELECT pg_advisory_unlock_all()")
    assert make().number == 1


def verdict_of(row: Checkpoint) -> str:
    return (
        f"Checkpoint {row.number} of {shown(row.made_at)}, {row.wallets} wallets with {row.entries} "
        f"entries, signed with key {row.key_id}: "
    )


def test_verify__checks_a_file_with_the_database(place: Path, ledger: OwnLedger, story: Story) -> None:
    first, second = make(), make()
    story.other.opened("deposit", "1.00")
    for name in (second.file, str(place / second.file)):
        out, err = command("verify_checkpoint", name, "--public-key", public(KEY), "--previous", first.file)
        assert (
            out == verdict_of(second) + "no difference; every entry that was signed is there with its hash.\n"
        )
        assert err == f"{second.wallets} wallets\n"
    rewrite(ledger, story.wallet.pk, longer)
    text, err = refused("verify_checkpoint", second.file)
    difference = (
        f"wallet {story.wallet.pk} entry {story.wallet.entry_count} has another hash than the "
        "checkpoint knows: it, or one before it, was changed"
    )
    assert text == verdict_of(second) + f"1 difference: {difference}"
    assert err.splitlines()[-1] == difference


def test_verify__warns_without_a_public_key(place: Path) -> None:
    row = make()
    assert "Warning: no --public-key was given" in command("verify_checkpoint", row.file)[1]
    with override_settings(CHECKPOINT_KEY=""):
        _, err = command("verify_checkpoint", row.file)
    assert (
        f"Warning: the key {row.key_id} was taken from the file itself: anybody could have signed it.\n"
        in err
    )


def test_verify__previous_file_of_another_chain_is_a_difference(
    place: Path, ledger: OwnLedger, tmp_path: Path
) -> None:
    stranger = (place / make().file).rename(tmp_path / "stranger.jsonl.gz")
    ledger.clear(Checkpoint)
    _, second = make(), make()
    assert (
        "checkpoint 2 does not follow that checkpoint 1"
        in refused("verify_checkpoint", second.file, "--previous", stranger)[0]
    )


def test_verify__previous_file_with_another_key_is_a_warning(place: Path) -> None:
    first = make()
    with override_settings(CHECKPOINT_KEY=f"{NEW_KEY},{KEY}"):
        second = make()
    _, err = command(
        "verify_checkpoint", second.file, "--previous", first.file, "--public-key", public(NEW_KEY)
    )
    assert (
        f"Warning: the previous checkpoint was signed with another key, {first.key_id}; this one vouches "
        "for it.\n"
    ) in err


def test_verify__other_public_key_and_previous_file_differ(place: Path) -> None:
    first, second, third = make(), make(), make()
    assert (
        f"signed with another key, {second.key_id}"
        in refused("verify_checkpoint", second.file, "--public-key", public(FOREIGN_KEY))[0]
    )
    assert (
        "checkpoint 3 does not follow that checkpoint 1"
        in refused("verify_checkpoint", third.file, "--previous", first.file)[0]
    )
    (place / first.file).write_bytes(b"")
    assert (
        "the previous checkpoint cannot be used"
        in refused("verify_checkpoint", second.file, "--previous", first.file)[0]
    )
    assert refused("verify_checkpoint", second.file, "--public-key", "abc")[0].startswith("the key ")
    assert "no-such-file cannot be read" in refused("verify_checkpoint", "no-such-file")[0]


def alone_verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    """`python -m wallet.proof` in a process that knows no settings, no database and no Django."""
    program = (
        "import sys; sys.modules['django'] = sys.modules['psycopg'] = None; import runpy; "
        "runpy.run_module('wallet.proof', run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.jsonl.gz"])
def test_verify__checks_a_file_with_an_export_and_no_database(
    place: Path, tmp_path: Path, story: Story, name: str
) -> None:
    row = make()
    story.other.opened("deposit", "1.00")
    _, err = command("export_journal", "--output", tmp_path / name)
    assert err.splitlines()[-1] == f"Exported {row.wallets} wallets with {row.entries + 1} entries."
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    proven = (
        verdict_of(row)
        + "no difference; every chain was computed anew and comes to the hash that was signed.\n"
    )
    assert (
        command(
            "verify_checkpoint", place / row.file, "--export", tmp_path / name, "--public-key", public(KEY)
        )[0]
        == proven
    )
    done = alone_verify(place / row.file, "--export", tmp_path / name, "--public-key", public(KEY))
    assert (done.returncode, done.stdout, done.stderr) == (0, proven, f"{row.wallets} wallets\n")


def test_verify__checks_an_export_without_a_connection(place: Path, tmp_path: Path) -> None:
    row = make()
    command("export_journal", "--output", tmp_path / "journal.jsonl")
    connection.close()
    command(
        "verify_checkpoint",
        place / row.file,
        "--export",
        tmp_path / "journal.jsonl",
        "--public-key",
        public(KEY),
    )
    assert connection.connection is None


def test_verify__finds_rewritten_ledger_export_without_database(
    place: Path, tmp_path: Path, ledger: OwnLedger, story: Story
) -> None:
    row = make()
    rewrite(ledger, story.wallet.pk, longer)
    command("export_journal", "--output", tmp_path / "journal.jsonl")
    done = alone_verify(place / row.file, "--export", tmp_path / "journal.jsonl")
    assert done.returncode == 1
    assert (
        f"wallet {story.wallet.pk} entry {story.wallet.entry_count}: has another hash than the checkpoint "
        "knows"
    ) in done.stdout
    assert "was taken from the file itself" in done.stderr


Lines = list[dict[str, Any]]


def at(lines: Lines, event: str) -> int:
    return next(place for place, line in enumerate(lines) if line.get("event") == event)


def with_member(event: str, member: str, value: object, inside: str = "") -> Callable[[Lines], object]:
    def change(lines: Lines) -> None:
        line = lines[at(lines, event)]
        (line[inside] if inside else line)[member] = value

    return change


def exchanged(lines: Lines) -> None:
    place = at(lines, "tombstone")
    lines[place], lines[place + 1] = lines[place + 1], lines[place]


def wallet_gone(lines: Lines) -> None:
    first, second = [place for place, line in enumerate(lines) if line["line"] == "wallet"][:2]
    del lines[first:second]


EXPORTS: dict[str, tuple[Callable[[Lines], object], str]] = {
    "an amount": (with_member("opened", "amount", 1), "the hash does not fit"),
    "a note": (with_member("frozen", "note", "forged"), "the hash does not fit"),
    "a time": (with_member("confirmed", "at", 1), "the hash does not fit"),
    "a description": (with_member("opened", "description", "forged", "opening"), "the hash does not fit"),
    "a reason": (with_member("rolled_back", "reason", "forged", "ending"), "the hash does not fit"),
    "no ending": (with_member("tombstone", "ending", None), "the hash does not fit"),
    "a number": (with_member("declined", "seq", 99), "its number is 99"),
    "a hash": (with_member("adjusted", "hash", "00" * 32), "the hash does not fit"),
    "an order": (exchanged, "its number is"),
    "an entry gone": (lambda lines: lines.pop(at(lines, "expired")), "its number is"),
    "the currency": (lambda lines: lines[1].update(currency="EUR"), "the hash does not fit"),
    "the player": (lambda lines: lines[1].update(player=str(uuid4())), "the hash does not fit"),
    "the last hash": (
        lambda lines: lines[1].update(head="00" * 32),
        "states another number of entries, or another last hash",
    ),
    "decimals": (lambda lines: lines[0]["currencies"].update(XAG=3), "currency XAG has 3 decimals"),
    "no end": (lambda lines: lines.pop(), "does not end as it should"),
    "an end of another export": (
        lambda lines: lines[-1].update(entries=lines[-1]["entries"] + 1),
        "does not end as it should",
    ),
    "an end too early": (lambda lines: lines.insert(5, lines.pop()), "out of order"),
    "no beginning": (lambda lines: lines.pop(0), "first line is not that of an export"),
    "another line": (lambda lines: lines.insert(3, {"line": "else"}), "is none of an export"),
}


@pytest.mark.parametrize(("change", "text"), EXPORTS.values(), ids=EXPORTS.keys())
def test_verify__finds_a_changed_export(
    place: Path, tmp_path: Path, change: Callable[[Lines], object], text: str
) -> None:
    row = make()
    path = tmp_path / "journal.jsonl"
    command("export_journal", "--output", path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    refusal, err = refused(
        "verify_checkpoint", place / row.file, "--export", path, "--public-key", public(KEY)
    )
    assert text in refusal + err


def test_verify__names_wallets_that_are_not_in_an_export(
    place: Path, tmp_path: Path, ledger: OwnLedger
) -> None:
    row = make()
    wallets = [str(pk) for pk in Wallet.objects.order_by("pk").values_list("pk", flat=True)]
    for gone in (wallets[:1], wallets[-1:], wallets):
        ledger.owner.execute("DELETE FROM wallet_wallet WHERE id = ANY(%s::uuid[])", [gone])
        command("export_journal", "--output", tmp_path / "journal.jsonl")
        _, err = refused("verify_checkpoint", place / row.file, "--export", tmp_path / "journal.jsonl")
        assert [line for line in err.splitlines() if "gone" in line] == [
            f"wallet {wallet} is gone" for wallet in gone
        ]
        ledger.restore()


def test_verify__finds_an_export_ending_too_early_or_dated_back(
    place: Path, tmp_path: Path, ledger: OwnLedger, story: Story
) -> None:
    row, wallet = make(), story.wallet
    for change, text in (
        (
            lambda steps: steps[:-1],
            f"ends with entry {wallet.entry_count - 1}, the checkpoint knows {wallet.entry_count}",
        ),
        (dated_back(61), "is dated before the checkpoint"),
    ):
        rewrite(ledger, wallet.pk, change)
        command("export_journal", "--output", tmp_path / "journal.jsonl")
        assert (
            text in refused("verify_checkpoint", place / row.file, "--export", tmp_path / "journal.jsonl")[0]
        )
        ledger.restore()


def test_export__goes_to_standard_output_without_personal_data(ledger: OwnLedger, database: None) -> None:
    player_session = ledger.callers.player_session()
    Player.objects.filter(pk=player_session.player.pk).update(
        nickname="Nickname-of-Anna", country="AT", language="de-AT"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "export_journal"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": ledger.url},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [json.loads(line)["line"] for line in done.stdout.splitlines()][
        :: max(1, done.stdout.count("\n") - 1)
    ] == ["journal", "end"]
    assert str(player_session.player.pk) in done.stdout
    for personal in ("Nickname-of-Anna", player_session.player.uid, '"AT"', "de-AT", player_session.token):
        assert personal not in done.stdout


def test_export__leaves_no_file_if_it_fails(place: Path, tmp_path: Path, ledger: OwnLedger) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(IsADirectoryError):
        command("export_journal", "--output", tmp_path / "journal.jsonl")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []


def test_verify__compares_many_wallets_in_batches(place: Path, ledger: OwnLedger, story: Story) -> None:
    """12 000 wallets, of which those at the edges of batches were rewritten."""
    ledger.owner.execute(
        "INSERT INTO players_player SELECT (jsonb_populate_record(p, jsonb_build_object('id', "
        "gen_random_uuid(), 'uid', 'many-' || g))).*"
        " FROM players_player p, generate_series(1, 12000) g WHERE p.id = %s",
        [story.player.pk],
    )
    ledger.owner.execute(
        "SELECT ledger_open_wallet(p_player => id, p_currency => 'XAG', p_actor => 'test') "
        "FROM players_player WHERE uid LIKE 'many-%%'"
    )
    row = make()
    assert row.wallets >= 12_000
    wallets = list(Wallet.objects.order_by("pk").values_list("pk", flat=True))
    forged = [wallets[0], wallets[4_999], wallets[5_000], wallets[9_999], wallets[10_000], wallets[-1]]
    ledger.owner.execute(
        "UPDATE wallet_entry e SET hash = decode(repeat('00', 32), 'hex') FROM wallet_wallet w"
        " WHERE w.id = e.wallet_id AND e.seq = w.entry_count AND w.id = ANY(%s)",
        [forged],
    )
    _, err = refused("verify_checkpoint", row.file)
    assert [line.split()[1] for line in err.splitlines() if line.startswith("wallet ")] == [
        str(pk) for pk in forged
    ]
    ledger.owner.execute("DELETE FROM players_player WHERE uid LIKE 'many-%%'")
