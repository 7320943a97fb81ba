"""Checkpoints.

What is signed, what is found before the next one, and what happens when one is interrupted.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError
from django.test import override_settings

from tests.conftest import Clock
from tests.support.busy_wallets import Story, tell_story
from tests.support.checkpoints import (
    FOREIGN_KEY,
    KEY,
    NEW_KEY,
    dated_back,
    example_header,
    found,
    header_of,
    lines_of,
    longer,
    make,
    no_checkpoints_yet,
    private,
    public,
    rfc_6962,
)
from tests.support.history_forger import rewrite
from tests.support.own_database import OwnLedger, own_ledger
from wallet.alerts import resolve_alert
from wallet.audit.ledger import audit_ledger
from wallet.checkpoints import make_checkpoint
from wallet.checkpoints.creation import publish
from wallet.checkpoints.keys import signing_key
from wallet.job_runs import Run
from wallet.models import Alert, Checkpoint, Wallet
from wallet.proof.header import key_id, public_bytes
from wallet.proof.tree import Leaf, leaf_hash


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


@pytest.fixture
def own_clock(ledger: OwnLedger) -> Iterator[Callable[[int], None]]:
    """Sets the database's clock some days ahead."""
    clock = Clock(ledger.owner)
    yield lambda days: clock.go_ahead(timedelta(days=days))
    clock.restore()


# --- Made ----------------------------------------------------------------------------------------------


def test_checkpoint__states_and_signs_every_wallets_chain(place: Path) -> None:
    row = make()
    header, *leaves = lines_of(place / row.file)
    stated = json.loads(header)["header"]
    wallets: list[tuple[str, int, str]] = [
        (str(wallet.pk), wallet.entry_count, bytes(wallet.head).hex())
        for wallet in Wallet.objects.order_by("pk")
    ]
    assert [tuple(json.loads(line)) for line in leaves] == wallets
    assert row.file == "checkpoint-000000001.jsonl.gz"
    assert (
        stated["root"]
        == rfc_6962(
            [leaf_hash(Leaf(wallet, seq, bytes.fromhex(head))) for wallet, seq, head in wallets]
        ).hex()
    )
    assert (stated["number"], stated["previous"], stated["note"]) == (1, "00" * 32, "")
    assert (stated["wallets"], stated["entries"]) == (len(wallets), sum(seq for _, seq, _ in wallets))
    assert stated["currencies"] == {"BHD": 3, "CLF": 4, "EUR": 2, "JPY": 0, "MRU": 1, "XAG": 2}
    assert (stated["publicKey"], stated["keyId"]) == (public(KEY), key_id(public_bytes(private(KEY))))
    private(KEY).public_key().verify(
        base64.b64decode(json.loads(header)["signature"]),
        json.dumps(stated, sort_keys=True, separators=(",", ":")).encode(),
    )


def test_checkpoint__row_says_what_was_signed(place: Path) -> None:
    run = Run("make_checkpoint")
    row = make_checkpoint(run)
    assert row
    row.refresh_from_db()
    header = header_of(place, row)
    assert (row.number, row.made_at, row.wallets, row.entries) == (
        header.number,
        header.moment(),
        header.wallets,
        header.entries,
    )
    assert (bytes(row.root).hex(), bytes(row.previous).hex(), bytes(row.hash)) == (
        header.root,
        header.previous,
        header.hash(),
    )
    assert (row.key_id, row.note, row.verified_at, row.differences) == (header.key_id, "", None, None)
    assert (run.looked_at, run.done, run.failed) == (0, 1, 0)
    assert run.note == f"checkpoint 1: {row.wallets} wallets, {row.entries} entries"


def test_checkpoint__names_the_previous_which_is_verified_first(place: Path, story: Story) -> None:
    first = make()
    story.other.opened("deposit", "1.00")
    second = make()
    first.refresh_from_db()
    assert (second.number, bytes(second.previous), second.entries) == (
        2,
        bytes(first.hash),
        first.entries + 1,
    )
    assert (first.differences, first.verified_at is not None) == (0, True)
    assert not Alert.objects.exists()
    third = make()
    assert (third.number, bytes(third.previous), bytes(third.root)) == (
        3,
        bytes(second.hash),
        bytes(second.root),
    )


def test_checkpoint__is_made_without_wallets_too(place: Path, ledger: OwnLedger) -> None:
    ledger.owner.execute(
        "DELETE FROM wallet_entry; DELETE FROM wallet_transaction; DELETE FROM wallet_wallet"
    )
    row = make()
    assert (row.wallets, row.entries, bytes(row.root)) == (0, 0, hashlib.sha256(b"").digest())
    assert make().number == 2


# --- Found ---------------------------------------------------------------------------------------------


def test_checkpoint__rewritten_wallet_stops_chain_until_accepted(
    place: Path, ledger: OwnLedger, story: Story
) -> None:
    first = make()
    wallet = story.wallet
    rewrite(ledger, wallet.pk, longer)
    assert audit_ledger().problems == []
    found(f"wallet {wallet.pk} entry {wallet.entry_count} has another hash")
    found(f"1 difference: wallet {wallet.pk} entry {wallet.entry_count} has another hash")
    assert [path.name for path in place.iterdir()] == [first.file]
    accepted = make(accept="  we restored it ourselves ")
    assert (accepted.number, bytes(accepted.previous)) == (2, bytes(first.hash))
    assert accepted.note == "1 difference accepted: we restored it ourselves"
    assert header_of(place, accepted).note == accepted.note
    alert = Alert.objects.get(subject="checkpoint 1")
    assert (alert.times_seen, alert.reason) == (3, "Accepted with checkpoint 2: we restored it ourselves")
    assert make().note == ""


def test_checkpoint__alert_resolved_unaccepted_recurs_next_day(
    place: Path, ledger: OwnLedger, story: Story, own_clock: Callable[[int], None]
) -> None:
    make()
    rewrite(ledger, story.wallet.pk, longer)
    found("has another hash")
    resolve_alert(Alert.objects.get(), actor="test", reason="seen")
    own_clock(1)
    found("has another hash")
    assert Alert.objects.count() == 2


OPENED_BEFORE = """
    INSERT INTO wallet_wallet (id, player_id, currency_id, spendable, reserved, announced, debt, entry_count,
        head, opened_at)
    SELECT '{one}', player_id, 'CLF', 0, 0, 0, 0, 1, head, '2026-01-01' FROM wallet_wallet WHERE id = '{w}'
"""
# What is done to the database, and what is found.
DIFFERENCES = {
    "entry gone": (
        "DELETE FROM wallet_entry WHERE wallet_id = '{w}' AND seq = {n}",
        "wallet {w} entry {n} is gone",
    ),
    "wallet gone": ("DELETE FROM wallet_wallet WHERE id = '{w}'", "wallet {w} is gone"),
    "wallet counts less": (
        "UPDATE wallet_wallet SET entry_count = 3 WHERE id = '{w}'",
        "wallet {w} has 3 entries, the checkpoint knows {n}",
    ),
    "number": ("UPDATE wallet_checkpoint SET number = 7 WHERE number = 2", "is of checkpoint 2"),
    "time": (
        "UPDATE wallet_checkpoint SET made_at = made_at - interval '1 day' WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "wallets": (
        "UPDATE wallet_checkpoint SET wallets = wallets + 1 WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "entries": (
        "UPDATE wallet_checkpoint SET entries = entries + 1 WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "root": (
        "UPDATE wallet_checkpoint SET root = hash WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "previous": (
        "UPDATE wallet_checkpoint SET previous = hash WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "hash": (
        "UPDATE wallet_checkpoint SET hash = root WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "key": (
        "UPDATE wallet_checkpoint SET key_id = 'ffffffffffffffff' WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "note": (
        "UPDATE wallet_checkpoint SET note = 'fine' WHERE number = 2",
        "row of checkpoint 2 is not what was signed",
    ),
    "file of another": (
        "UPDATE wallet_checkpoint SET file = 'checkpoint-000000001.jsonl.gz' WHERE number = 2",
        "is of checkpoint 1",
    ),
    "file elsewhere": (
        "UPDATE wallet_checkpoint SET file = '../../etc/passwd' WHERE number = 2",
        "the file ../../etc/passwd cannot be read",
    ),
    "no file": ("UPDATE wallet_checkpoint SET file = '' WHERE number = 2", "the file  cannot be read"),
    "the one before gone": ("DELETE FROM wallet_checkpoint WHERE number = 1", "row of checkpoint 1 is gone"),
    "the one before changed": (
        "UPDATE wallet_checkpoint SET hash = root WHERE number = 1",
        "row of checkpoint 1 is not the one that this one follows",
    ),
}


@pytest.mark.parametrize(
    "one_more", ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
)
def test_checkpoint__finds_a_backdated_wallet_in_any_position(
    place: Path, ledger: OwnLedger, story: Story, one_more: str
) -> None:
    make()
    ledger.owner.execute(OPENED_BEFORE.format(one=one_more, w=story.other.wallet().pk))
    found(f"wallet {one_more} was opened before the checkpoint, it is said, which does not know it")


def test_checkpoint__backdated_entry_is_found_unless_under_way(
    place: Path, ledger: OwnLedger, story: Story
) -> None:
    make()
    wallet = story.wallet
    rewrite(ledger, wallet.pk, dated_back(61))
    found(
        f"wallet {wallet.pk} entry {wallet.entry_count + 1} is dated before the checkpoint, which does not "
        "know it"
    )
    ledger.restore()
    rewrite(ledger, wallet.pk, dated_back(58))
    assert make().number == 2


@pytest.mark.parametrize(("statement", "text"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_checkpoint__finds_a_difference_in_the_database(
    place: Path, ledger: OwnLedger, story: Story, statement: str, text: str
) -> None:
    make()
    make()
    names = {"w": story.other.wallet().pk, "n": story.other.wallet().entry_count}
    assert ledger.owner.execute(statement.format(**names)).rowcount == 1
    found(text.format(**names))


def test_checkpoint__changed_row_is_put_right_when_accepted(place: Path, ledger: OwnLedger) -> None:
    made = [make(), make()]
    ledger.owner.execute(
        "UPDATE wallet_checkpoint SET hash = root, made_at = made_at - interval '1 day' WHERE number = 2"
    )
    found("row of checkpoint 2 is not what was signed")
    third = make(accept="put right")
    assert bytes(third.previous) == bytes(made[1].hash)
    corrected = Checkpoint.objects.get(number=2)
    assert (bytes(corrected.hash), corrected.made_at, corrected.differences) == (
        bytes(made[1].hash),
        made[1].made_at,
        1,
    )
    assert make().number == 4


@pytest.mark.parametrize(("change", "text"), [("UPDATE wallet_currency SET decimals = 3 WHERE code = 'CLF'",
                                               "CLF has 3 decimals, the checkpoint states 4"),
                                              ("DELETE FROM wallet_currency WHERE code = 'CLF'",
                                               "currency CLF is gone")])  # fmt: skip
def test_checkpoint__finds_a_currency_that_means_something_else(
    place: Path, ledger: OwnLedger, change: str, text: str
) -> None:
    make()
    ledger.owner.execute(change)
    found(text)
    ledger.owner.execute(
        "INSERT INTO wallet_currency VALUES ('CLF', 'CLF', 4) ON CONFLICT (code) DO UPDATE SET decimals = 4"
    )
    ledger.owner.execute("INSERT INTO wallet_currency VALUES ('NEW', 'NEW', 1)")
    assert make().number == 2
    ledger.owner.execute("DELETE FROM wallet_currency WHERE code = 'NEW'")


def flipped(data: bytes) -> bytes:
    """The last hash in the leaves begins with another digit."""
    text = gzip.decompress(data)
    place = text.rindex(b',"') + 2
    return gzip.compress(
        text[:place] + (b"1" if text[place : place + 1] != b"1" else b"2") + text[place + 1 :]
    )


def reordered(data: bytes) -> bytes:
    header, first, second, *rest = gzip.decompress(data).splitlines(keepends=True)
    return gzip.compress(b"".join([header, second, first, *rest]))


FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "first line is no header"),
    "cut off": (lambda data: data[:-20], "cannot be read"),
    "not compressed right": (lambda data: data[:-60] + bytes(20) + data[-40:], "the file"),
    "without its last leaf": (
        lambda data: gzip.compress(b"".join(gzip.decompress(data).splitlines(keepends=True)[:-1])),
        "states 3 with",
    ),
    "with a leaf twice": (
        lambda data: gzip.compress(
            gzip.decompress(data) + gzip.decompress(data).splitlines(keepends=True)[-1]
        ),
        "is out of order",
    ),
    "with leaves in another order": (reordered, "is out of order"),
    "with a leaf changed": (flipped, "do not have the root that was signed"),
    "with something else in it": (lambda data: gzip.compress(gzip.decompress(data) + b"[1]\n"), "is no leaf"),
    "with a line that never ends": (
        lambda data: gzip.compress(gzip.decompress(data) + b"[" * 100_000),
        "too long",
    ),
}


@pytest.mark.parametrize(("change", "text"), FILES.values(), ids=FILES.keys())
def test_checkpoint_file__damaged_is_a_difference(
    place: Path, change: Callable[[bytes], bytes], text: str
) -> None:
    path = place / make().file
    path.write_bytes(change(path.read_bytes()))
    found(text)


def test_checkpoint_file__missing_is_a_difference_to_be_accepted(place: Path) -> None:
    first = make()
    (place / first.file).unlink()
    found(f"the file {first.file} cannot be read")
    assert (make(accept="the disk was lost").number, Checkpoint.objects.get(number=2).previous) == (
        2,
        first.hash,
    )


def test_checkpoint_file__plain_copy_is_as_good(place: Path) -> None:
    path = place / make().file
    path.write_bytes(gzip.decompress(path.read_bytes()))
    assert make().number == 2


# --- Keys ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key",
    [
        "",
        "  ",
        "abc",
        "!" * 44,
        base64.b64encode(bytes(31)).decode(),
        base64.b64encode(bytes(33)).decode(),
        f"{KEY},x",
    ],
)
def test_checkpoint_key__without_a_right_one_it_says_what_to_set(place: Path, key: str) -> None:
    with (
        override_settings(CHECKPOINT_KEY=key),
        pytest.raises(ImproperlyConfigured, match="Set CHECKPOINT_KEY in the environment"),
    ):
        make()
    assert not place.exists()


def test_checkpoint_key__is_changed_with_the_old_one_behind_it(place: Path) -> None:
    first = make()
    with override_settings(CHECKPOINT_KEY=NEW_KEY):
        found(f"it was signed with another key, {first.key_id}")
    with override_settings(CHECKPOINT_KEY=f"{NEW_KEY}, {KEY}"):
        second = make()
    assert (second.number, second.key_id, second.note) == (2, key_id(public_bytes(private(NEW_KEY))), "")
    with override_settings(CHECKPOINT_KEY=NEW_KEY):
        assert make().number == 3


def test_checkpoint_key__is_not_shown_in_an_error(place: Path) -> None:
    wrong = KEY[:-5] + "AAAA"
    with override_settings(CHECKPOINT_KEY=wrong), pytest.raises(ImproperlyConfigured) as caught:
        signing_key()
    assert wrong not in str(caught.value)


# --- Interrupted, twice, and in the way ----------------------------------------------------------------


def test_checkpoint_file__is_adopted_if_row_was_never_written(place: Path, ledger: OwnLedger) -> None:
    """As after a kill between the two."""
    make()
    second = make()
    ledger.owner.execute("DELETE FROM wallet_checkpoint WHERE number = 2")
    third = make()
    adopted = Checkpoint.objects.get(number=2)
    assert (bytes(adopted.hash), adopted.made_at, adopted.file, adopted.differences) == (
        bytes(second.hash),
        second.made_at,
        second.file,
        0,
    )
    assert (third.number, bytes(third.previous)) == (3, bytes(second.hash))
    assert not Alert.objects.exists()


def test_checkpoint_file__adopted_is_compared_with_ledger_too(
    place: Path, ledger: OwnLedger, story: Story
) -> None:
    make()
    ledger.owner.execute("DELETE FROM wallet_checkpoint")
    rewrite(ledger, story.wallet.pk, longer)
    assert make_checkpoint(Run("make_checkpoint")) is None
    assert Alert.objects.get().subject == "checkpoint 1"


def test_checkpoint_file__shows_rows_that_were_removed(place: Path, ledger: OwnLedger) -> None:
    made = [make(), make(), make()]
    ledger.owner.execute("DELETE FROM wallet_checkpoint")
    run = Run("make_checkpoint")
    assert make_checkpoint(run) is None
    assert "the rows of checkpoints 1 to 3 were removed" in Alert.objects.get(subject="checkpoint 3").text
    assert [bytes(row.hash) for row in Checkpoint.objects.order_by("number")] == [
        bytes(row.hash) for row in made
    ]
    assert make().number == 4


def test_checkpoint_file__half_is_left_alone_next_has_new_name(place: Path, ledger: OwnLedger) -> None:
    """As after a kill while it was written."""
    make()
    cut_off = place / make().file
    half = cut_off.read_bytes()[:-30]
    cut_off.write_bytes(half)
    ledger.owner.execute("DELETE FROM wallet_checkpoint WHERE number = 2")
    second = make()
    assert (second.number, second.file) == (2, "checkpoint-000000002-2.jsonl.gz")
    assert cut_off.read_bytes() == half
    assert make().file == "checkpoint-000000003.jsonl.gz"


def test_checkpoint_file__following_another_one_is_not_adopted(place: Path, ledger: OwnLedger) -> None:
    first, second = make(), make()
    ledger.owner.execute("DELETE FROM wallet_checkpoint")
    (place / first.file).unlink()
    assert bytes(make().hash) != bytes(first.hash)
    assert make().file == "checkpoint-000000002-2.jsonl.gz"
    assert (place / second.file).exists()


def test_checkpoint_file__of_another_platform_is_not_adopted(place: Path, ledger: OwnLedger) -> None:
    with override_settings(CHECKPOINT_KEY=FOREIGN_KEY):
        make()
        make()
    ledger.clear(Checkpoint)
    assert [make().file, make().file] == [
        "checkpoint-000000001-2.jsonl.gz",
        "checkpoint-000000002-2.jsonl.gz",
    ]
    assert not Alert.objects.exists()


def test_checkpoint_file__number_taken_meanwhile_is_not_reused(place: Path) -> None:
    make()
    with pytest.raises(IntegrityError):
        publish(example_header(number=1), private(KEY), BytesIO())
    assert [path.name for path in place.iterdir()] == ["checkpoint-000000001.jsonl.gz"]
