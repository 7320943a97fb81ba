"""A month goes out of the database into files, and nobody who reads the ledger notices."""

import errno
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from lib.ids import new_id
from tests.support.archives import PRESENT, ArchivableLedger, archivable, as_owner, audited, run
from tests.support.limits import limit
from tests.support.own_database import own_ledger
from wallet.admin.journal import entries_around, entries_of_transaction, journal_page
from wallet.archive import answers, export, files, operations
from wallet.archive.audit import audit_archives
from wallet.archive.entries import AWAY, ArchiveAway, opened
from wallet.archive.files import ArchiveFiles
from wallet.archive.parts import Part, parts_before
from wallet.audit.ledger import audit_ledger, audit_players
from wallet.audit.report import Report
from wallet.audit.rows import snapshot
from wallet.checkpoints.database import comparing
from wallet.checkpoints.export import export_journal
from wallet.checkpoints.stored import fetched
from wallet.limits import read_limits
from wallet.models import ArchivedMovement, ArchivedPart, ArchiveMark, Entry, Transaction, Wallet
from wallet.operations import read_statement
from wallet.proof import exported
from wallet.proof.verification import verify_file
from wallet.statement import balances_at, read_page
from wallet.statement_terms import KINDS, Wanted


class Killed(BaseException):
    """As if the process had been killed."""


@pytest.fixture(scope="module")
def world(
    database: None, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArchivableLedger]:
    with (
        own_ledger(f"{database_name}_archive") as ledger,
        archivable(ledger, tmp_path_factory.mktemp("archivable")) as world,
    ):
        yield world


def journal_rows(world: ArchivableLedger) -> list[tuple[Any, ...]]:
    """Every entry, byte by byte."""
    return world.ledger.owner.execute("SELECT e::text FROM wallet_entry e ORDER BY wallet_id, seq").fetchall()


@contextmanager
def archived(world: ArchivableLedger, *, drop: bool = True, both: bool = False) -> Iterator[None]:
    """The first part is archived, or the next one, too; afterwards all is back, and every row as it was."""
    before = journal_rows(world)
    run("archive_journal", before=world.later if both else world.before, yes=True, drop=drop)
    try:
        yield
    finally:
        run("archive_restore", yes=True, until="first")
    assert journal_rows(world) == before
    assert (ArchivedPart.objects.count(), ArchiveMark.objects.count()) == (0, 0)
    assert ArchivedMovement.objects.count() == 0
    assert (audited(full=False), audit_ledger().problems) == ([], [])
    for path in world.archive.rglob("*"):
        if path.is_file():
            path.unlink()
    for path in world.archive.iterdir():
        path.rmdir()


def everything_read(world: ArchivableLedger) -> dict[str, Any]:
    """What statements, journals, stories and charts show."""
    player, wallets = (
        world.story.player,
        list(Wallet.objects.filter(player=world.story.player).order_by("pk")),
    )
    code = world.story.player_session.currency
    return {
        **{f"statement {kind}": pages(world, Wanted(kind=kind)) for kind in ("", *KINDS)},
        "since": pages(world, Wanted(since=world.ended)),
        "until": pages(world, Wanted(until=world.ended)),
        "entry API": [told(entry) for entry in read_statement(player, code, before=None, limit=1000)[0]],
        "entry API's page": [told(entry) for entry in read_statement(player, code, before=9, limit=3)[0]],
        "journals": [[told(entry) for entry in journal(wallet)] for wallet in wallets],
        "stories": [
            [told(entry) for entry in (*entries_of_transaction(row), *entries_around(row))]
            for row in Transaction.objects.filter(player=player).order_by("opened_at", "pk")
        ],
        "charts": balances_at(
            player, [wallet.pk for wallet in wallets], [world.ended, world.ended.replace(year=2020)]
        ),
    }


def pages(world: ArchivableLedger, wanted: Wanted) -> list[Any]:
    """All pages of a statement, with small pages."""
    wallets, shown, place = (
        list(Wallet.objects.filter(player=world.story.player).order_by("currency_id")),
        [],
        "",
    )
    for _ in range(200):
        page = read_page(world.story.player, wallets, wanted, place, 7)
        shown += [told(entry) for entry in page.entries]
        if not page.following:
            # Of several wallets at the same moment, any may come first.
            assert shown == sorted(shown, key=moment_of, reverse=True)
            return sorted(shown, key=lambda entry: (moment_of(entry), str(entry[0]), entry[1]))
        place = page.following
    raise AssertionError("the pages have no end")


def moment_of(entry: tuple[Any, ...]) -> datetime:
    moment: datetime = entry[12]
    return moment


def journal(wallet: Wallet) -> list[Entry]:
    shown: list[Entry] = []
    before: int | None = None
    while True:
        page, before, missing = journal_page(wallet, before)
        shown += page
        assert not missing
        if before is None:
            return shown


def told(entry: Entry) -> tuple[Any, ...]:
    transaction = entry.transaction
    return (
        *(entry.wallet_id, entry.seq, entry.event, entry.debit, entry.credit, entry.amount, entry.spendable),
        *(entry.reserved, entry.announced, entry.debt, entry.actor, entry.note, entry.at, entry.version),
        transaction.pk if transaction else None,
        transaction.game.slug if transaction and transaction.game else None,
    )


def checkpoint_differences() -> list[str]:
    with fetched("checkpoint-000000001.jsonl.gz") as source, snapshot() as raw:
        return verify_file(source, comparing(raw), trusted=[]).findings.first


def exported_differences() -> list[str]:
    journal = BytesIO()
    export_journal(journal.write)
    journal.seek(0)
    with fetched("checkpoint-000000001.jsonl.gz") as source:
        return verify_file(source, exported.comparing(journal), trusted=[]).findings.first


def archive_differences() -> list[str]:
    report = Report()
    audit_archives(report)
    return report.problems


def test_archive__says_what_it_would_do(world: ArchivableLedger) -> None:
    before = world.entries
    said = run("archive_journal", before=world.before)
    assert f"into {world.archive}/journal-first" in said
    assert "but:" not in said
    assert "Nothing was done; --yes does it." in said
    assert (world.entries, world.archive.exists()) == (before, False)


@pytest.mark.parametrize("drop", [False, True], ids=["kept beside", "dropped"])
def test_archive__is_noticed_by_no_reader(world: ArchivableLedger, drop: bool) -> None:
    before, answers, entries = everything_read(world), world.answers(), world.entries
    assert entries > 80
    with archived(world, drop=drop):
        assert world.entries == 0
        row = ArchivedPart.objects.get()
        assert (row.entries, row.dropped_at is None) == (entries, not drop)
        assert everything_read(world) == before
        assert world.answers() == answers
        assert (audit_ledger().problems, archive_differences()) == ([], [])
        assert audit_players([str(world.story.player.pk)]).problems == []
        assert (checkpoint_differences(), exported_differences()) == ([], [])


@pytest.mark.parametrize("drop", [False, True], ids=["kept beside", "dropped"])
def test_archive__of_two_parts_is_noticed_by_no_reader(world: ArchivableLedger, drop: bool) -> None:
    before, answers = everything_read(world), world.answers()
    with archived(world, drop=drop, both=True):
        assert {row.part for row in ArchivedPart.objects.all()} == {
            "wallet_entry_first",
            f"wallet_entry_{world.before.replace('-', '')}",
        }
        assert 0 < len(journal_rows(world)) < 20
        assert everything_read(world) == before
        assert world.answers() == answers
        assert (audit_ledger().problems, archive_differences()) == ([], [])
        assert (audited(full=False), audited(full=True)) == ([], [])
        assert audit_players([str(world.story.player.pk)]).problems == []
        assert (checkpoint_differences(), exported_differences()) == ([], [])


def test_archive__whose_files_are_away_is_told_of(world: ArchivableLedger, tmp_path: Path) -> None:
    wallet = world.story.wallet
    with archived(world):
        with override_settings(ARCHIVE_DIRECTORY=str(tmp_path)):
            opened.cache_clear()
            page = journal_page(wallet, None)
            assert (page.following, page.missing) == (None, AWAY.format(part="first"))
            with pytest.raises(ArchiveAway, match="first"):
                pages(world, Wanted())
            assert "cannot be read" in archive_differences()[0]
        opened.cache_clear()


def test_archive__is_built_upon_by_audits_in_parts(world: ArchivableLedger) -> None:
    with archived(world):
        assert audited(full=False) == []
        world.story.second.done("confirmDeposit", world.story.second.opened("deposit", "1.00"))
        assert audited(full=False) == []
        assert audited(full=True) == []
        world.story.second.opened("deposit", "1.00")
        assert audited(full=False) == []


def test_archive__leaves_changed_entries_that_stay_to_be_found(world: ArchivableLedger) -> None:
    wallet = world.story.second.wallet()
    with archived(world):
        world.ledger.owner.execute(
            "UPDATE wallet_archivemark SET spendable = spendable + 1 WHERE wallet_id = %s", [wallet.pk]
        )
        assert audit_ledger().problem_count
        assert archive_differences()
        world.ledger.owner.execute(
            "UPDATE wallet_archivemark SET spendable = spendable - 1 WHERE wallet_id = %s", [wallet.pk]
        )


@pytest.mark.parametrize(
    "place",
    [
        (operations, "fill_answers"),
        (answers, "one"),
        (operations, "export_part"),
        (export, "entry_line"),
        (export, "write_lines"),
        (files.HashedFile, "finish"),
        (operations, "take_out"),
        (operations, "save_marks"),
        (operations, "add_movements"),
        (operations, "detach"),
    ],
    ids=lambda place: place[1],
)
@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_archive__goes_on_after_a_kill(
    world: ArchivableLedger, place: tuple[Any, str], is_done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name = place
    true, before = getattr(where, name), world.entries

    def killing(*args: Any, **kwargs: Any) -> Any:
        if is_done:
            true(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(where, name, killing)
        with pytest.raises(Killed):
            run("archive_journal", before=world.before, yes=True)
    is_out = is_done and name == "take_out"
    assert (world.entries, ArchivedPart.objects.count()) == ((0, 1) if is_out else (before, 0))
    assert audit_ledger().problems == []
    if is_out:
        run("archive_restore", yes=True)
    with archived(world):
        assert audit_ledger().problems == []


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk of ARCHIVE_DIRECTORY"),
        (
            PermissionError(errno.EACCES, "Permission denied"),
            "cannot be written by this user: Permission denied",
        ),
    ],
    ids=["full disk", "no rights"],
)
def test_archive__says_why_it_cannot_write(
    world: ArchivableLedger, problem: OSError, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> int:
        raise problem

    with monkeypatch.context() as patch:
        patch.setattr(files.HashedFile, "write", refuse)
        with pytest.raises(CommandError, match=said):
            run("archive_journal", before=world.before, yes=True)
    assert list(world.archive.iterdir()) == []


def damaged(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def more_money(path: Path) -> None:
    """An amount is another one, and every hash of the files fits."""
    directory = path.parent
    lines = gzip.decompress(path.read_bytes()).replace(b'"amount":1000,', b'"amount":1001,', 1)
    again = files.HashedFile(directory / "again")
    state = json.loads((directory / files.MANIFEST).read_text())
    again.write(gzip.compress(lines, mtime=0))
    made = again.finish()
    (directory / "again").rename(path)
    for file in state["manifest"]["files"]:
        if file["name"] == path.name:
            file.update(size=made.size, sha256=made.sha256)
    (directory / files.MANIFEST).write_text(json.dumps(state | {"publicKey": "", "signature": ""}))


@pytest.mark.parametrize(
    ("change", "said"),
    [(damaged, "is not what its manifest says"), (more_money, "")],
)
def test_archive__takes_nothing_out_if_its_files_differ(
    world: ArchivableLedger, change: Callable[[Path], None], said: str
) -> None:
    before = world.entries
    with as_owner():
        export.export_part(part_of(world))
    change(world.archive / "journal-first" / files.ENTRIES)
    with pytest.raises(CommandError, match=said):
        run("archive_journal", before=world.before, yes=True)
    assert (world.entries, ArchivedPart.objects.count()) == (before, 0)
    for path in (world.archive / "journal-first").iterdir():
        path.unlink()
    (world.archive / "journal-first").rmdir()


def part_of(world: ArchivableLedger) -> Part:
    with as_owner():
        [part] = parts_before(world.ended.date())
    return part


def test_archives__find_a_transaction_that_none_of_their_entries_opened(world: ArchivableLedger) -> None:
    known = Transaction.objects.filter(player=world.story.player, state="confirmed", opened_seq__lt=20)[0]
    with archived(world):
        forged = new_id()
        world.ledger.owner.execute(
            "INSERT INTO wallet_transaction SELECT (jsonb_populate_record(t, %s)).* "
            "FROM wallet_transaction t WHERE id = %s",
            [json.dumps({"id": str(forged), "mm_transaction_id": "forged"}), known.pk],
        )
        [found] = archive_differences()
        assert found.startswith("archive first: it opened ")
        world.ledger.owner.execute("DELETE FROM wallet_transaction WHERE id = %s", [forged])


def test_archives__that_were_changed_are_found(world: ArchivableLedger) -> None:
    with archived(world):
        path = world.archive / "journal-first" / files.ENTRIES
        whole = path.read_bytes()
        damaged(path)
        assert archive_differences() == [
            f"archive first: {path} is not what its manifest says: its SHA-256 is "
            + hashlib.sha256(path.read_bytes()).hexdigest()
        ]
        with pytest.raises(CommandError, match="is not what its manifest says"):
            run("archive_restore", yes=True)
        path.write_bytes(whole)


def test_archive__is_the_same_bytes_each_time(world: ArchivableLedger, tmp_path: Path) -> None:
    part = part_of(world)
    with as_owner():
        export.export_part(part)
        with override_settings(ARCHIVE_DIRECTORY=str(tmp_path)):
            export.export_part(part)
    for name in (files.ENTRIES, files.INDEX, files.CALLS, files.MANIFEST):
        path = world.archive / "journal-first" / name
        assert path.read_bytes() == (tmp_path / "journal-first" / name).read_bytes()
        path.unlink()
    assert ArchiveFiles(tmp_path / "journal-first").manifest.calls > 20
    (world.archive / "journal-first").rmdir()


@pytest.mark.parametrize(("kept", "rest"), [(30, 70), (68, 70), (80, 82)])
def test_archive__takes_no_month_that_is_still_read(world: ArchivableLedger, kept: int, rest: int) -> None:
    with override_settings(EVENTS_KEEP_DAYS=kept):
        for moment, is_early in ((rest, False), (rest - 1, True)):
            world.clock.stand(world.ended + timedelta(days=moment))
            said = run("archive_journal", before=world.before)
            assert (f"can be archived {rest} days later" in said) == is_early
    world.clock.stand(world.ended + PRESENT)


@pytest.mark.parametrize("table", ["wallet_event", "wallet_newevent"])
def test_archive__waits_for_events_that_tell_of_it(world: ArchivableLedger, table: str) -> None:
    owner = world.ledger.owner
    moment = world.ended - timedelta(microseconds=1)
    columns = {"wallet_event": "position, day,", "wallet_newevent": ""}[table]
    values = {"wallet_event": "1000000, current_date,", "wallet_newevent": ""}[table]
    if table == "wallet_event":
        owner.execute("SELECT event_prepare_day(current_date)")
    owner.execute(
        f"INSERT INTO {table} ({columns} at, seq, player_id, subject_id, kind) "
        f"VALUES ({values} %s, 1, %s, %s, 'entry')",
        [moment, world.story.player.pk, world.story.wallet.pk],
    )
    with pytest.raises(CommandError, match="are still told as events"):
        run("archive_journal", before=world.before, yes=True)
    owner.execute(f"DELETE FROM {table} WHERE at = %s", [moment])


def test_archive__leaves_limits_that_count_as_before(world: ArchivableLedger) -> None:
    with archived(world):
        limit(world.story.second, "spend", "month", 50_00)
        assert audit_ledger().problems == []
        assert [known.used for known in read_limits(world.story.player, "EUR")] == [0]


def test_archive__is_the_owners_to_make(world: ArchivableLedger) -> None:
    with pytest.raises(CommandError, match="Only the owner"):
        call_command("archive_journal", before=world.before)
    with pytest.raises(CommandError, match="Only the owner"):
        call_command("archive_restore")


def test_archive__waits_for_what_is_pending(world: ArchivableLedger) -> None:
    owner = world.ledger.owner
    rows = owner.execute(
        "UPDATE wallet_transaction SET state = 'pending' WHERE state = 'confirmed' AND opened_at < %s "
        "RETURNING id",
        [world.ended],
    ).fetchall()
    with pytest.raises(CommandError, match="transactions that it opened have not ended"):
        run("archive_journal", before=world.before, yes=True)
    owner.execute(
        "UPDATE wallet_transaction SET state = 'confirmed' WHERE id = ANY(%s)", [[id for (id,) in rows]]
    )


def test_archive__wants_an_audit_and_a_checkpoint(world: ArchivableLedger) -> None:
    owner = world.ledger.owner
    owner.execute("CREATE TABLE kept_marks AS TABLE wallet_auditmark; DELETE FROM wallet_auditmark")
    with pytest.raises(CommandError, match="were not found right by an audit in parts"):
        run("archive_journal", before=world.before, yes=True)
    owner.execute("INSERT INTO wallet_auditmark TABLE kept_marks; DROP TABLE kept_marks")
    owner.execute("CREATE TABLE kept_points AS TABLE wallet_checkpoint; DELETE FROM wallet_checkpoint")
    with pytest.raises(CommandError, match="no checkpoint was made since it ended"):
        run("archive_journal", before=world.before, yes=True)
    owner.execute("INSERT INTO wallet_checkpoint TABLE kept_points; DROP TABLE kept_points")
