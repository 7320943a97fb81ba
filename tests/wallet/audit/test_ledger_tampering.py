"""What a superuser changes with triggers off is found.

By the audit, or, where every hash was made to fit, by the last checkpoint.
"""

import os
import random
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from tests.support.busy_wallets import EVENTS, Story, tell_story
from tests.support.checkpoints import checkpoints_in, dated_back
from tests.support.forgeries import FORGERIES, REWRITES, richer
from tests.support.history_forger import Step, forge_acts, rewrite
from tests.support.own_database import TABLES, OwnLedger, own_ledger
from tests.support.raw_rows import (
    Owner,
    Row,
    columns_of,
    delete,
    distinct,
    insert,
    kind_of,
    one,
    others,
    rows_of,
    update,
)
from wallet.audit.ledger import audit_ledger, audit_players
from wallet.audit.rows import snapshot
from wallet.checkpoints import make_checkpoint
from wallet.checkpoints.database import comparing
from wallet.checkpoints.stored import fetched
from wallet.job_runs import Run
from wallet.models import Entry, Transaction
from wallet.proof.verification import verify_file

LONG = bool(os.environ.get("LONG"))
ROUNDS = 3000 if LONG else 150
SEED = int(os.environ.get("SEED", "1"))
# Without them the entry is read, which says the same: nothing is changed then.
ANSWERS = ("opened_balance", "settled_balance")


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    with own_ledger(f"{database_name}_tampering") as ledger:
        yield ledger


@pytest.fixture(scope="module")
def story(ledger: OwnLedger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """What happened until the last checkpoint, and a copy of its rows."""
    with checkpoints_in(tmp_path_factory.mktemp("checkpoints")):
        story = tell_story(ledger.callers)
        assert make_checkpoint(Run("test")) is not None
        ledger.keep()
        yield story


@pytest.fixture(autouse=True)
def restored(ledger: OwnLedger, story: Story) -> Iterator[None]:
    """Whatever a test changes is undone, and was sound."""
    yield
    ledger.restore()
    ledger.owner.execute("VACUUM wallet_entry, wallet_transaction, wallet_wallet")
    assert (audit_ledger().problems, checkpoint_differences()) == ([], [])


def checkpoint_differences() -> list[str]:
    with fetched("checkpoint-000000001.jsonl.gz") as source, snapshot() as raw:
        return verify_file(source, comparing(raw), trusted=[]).findings.first


def is_found() -> bool:
    return bool(audit_ledger().problem_count) or bool(checkpoint_differences())


def test_audit__test_story_has_a_row_of_every_kind(story: Story) -> None:
    entries, transactions = (
        Entry.objects.filter(player=story.player),
        Transaction.objects.filter(player=story.player),
    )
    assert set(entries.values_list("event", flat=True)) == EVENTS
    assert set(transactions.values_list("state", flat=True)) == set(Transaction.State.values)
    assert set(transactions.values_list("type", flat=True)) == set(Transaction.Type.values)
    assert set(transactions.values_list("settled_source", flat=True)) == {
        "",
        "game",
        "sweep",
        "operator",
        "provider",
    }
    assert set(transactions.values_list("refusal", flat=True)) == {"", "insufficient_funds", "limit_reached"}


# --- One change at a time -----------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_audit__finds_any_change_of_any_column_of_any_row_kind(ledger: OwnLedger, table: str) -> None:
    """Each column of a row of each kind gets one other value, in turns; `LONG=1` tries them all."""
    unfound, tried = [], 0
    rows = rows_of(ledger.owner, table)
    for turn, row in enumerate(distinct(rows)):
        for place, column in enumerate(columns_of(ledger.owner, table)):
            candidates = others(row[column.name], column)
            if column.name in ANSWERS:
                candidates = [other for other in candidates if other is not None]
            for other in candidates if LONG else [candidates[(turn + place) % len(candidates)]]:
                if update(ledger.owner, table, row, {column.name: other}):
                    tried += 1
                    if not audit_ledger().problem_count:
                        unfound.append(f"{column.name} of {kind_of(row)}: {row[column.name]!r} to {other!r}")
                    assert update(
                        ledger.owner, table, row, {name: row[name] for name in row if name != "ctid"}
                    )
    assert unfound == []
    assert tried > len(distinct(rows)) * len(columns_of(ledger.owner, table)) * 0.7


@pytest.mark.parametrize("table", TABLES)
def test_audit__finds_any_deleted_row(ledger: OwnLedger, table: str) -> None:
    for position in range(len(rows_of(ledger.owner, table))):
        row = rows_of(ledger.owner, table)[position]
        delete(ledger.owner, table, row)
        assert audit_ledger().problem_count, row
        ledger.restore()


@pytest.mark.parametrize("table", TABLES)
def test_audit__finds_any_row_inserted_again_under_another_id(ledger: OwnLedger, table: str) -> None:
    for position in range(len(rows_of(ledger.owner, table))):
        row = rows_of(ledger.owner, table)[position]
        insert(
            ledger.owner,
            table,
            row
            | ({"seq": row["seq"] + 1000} if table == "wallet_entry" else {"id": uuid4(), **new_key(table)}),
        )
        assert audit_ledger().problem_count, row
        ledger.restore()


def new_key(table: str) -> Row:
    """Other values for what must be unique besides the id."""
    return {"mm_transaction_id": "forged"} if table == "wallet_transaction" else {"player_id": uuid4()}


# --- Changes that belong together ---------------------------------------------------------------------


def test_audit__finds_neighbours_that_change_places(ledger: OwnLedger, story: Story) -> None:
    last = story.wallet.entry_count
    for seq in range(1, last):
        # A detour, because the number is unique; the transactions follow, so that only the chain can tell.
        for old, new in ((seq, -1), (seq + 1, seq), (-1, seq + 1)):
            ledger.owner.execute(
                "UPDATE wallet_entry SET seq = %s WHERE wallet_id = %s AND seq = %s",
                [new, story.wallet.pk, old],
            )
        swap = "CASE {0} WHEN %(a)s THEN %(b)s WHEN %(b)s THEN %(a)s ELSE {0} END"
        ledger.owner.execute(
            f"UPDATE wallet_transaction SET opened_seq = {swap.format('opened_seq')}, settled_seq = "
            f"{swap.format('settled_seq')} WHERE wallet_id = %(w)s",
            {"a": seq, "b": seq + 1, "w": story.wallet.pk},
        )
        assert audit_ledger().problem_count, seq
        ledger.restore()


def test_audit__finds_entries_moved_to_another_wallet(ledger: OwnLedger, story: Story) -> None:
    targets = (story.second.wallet(), story.other.wallet())
    for seq in range(2, story.wallet.entry_count + 1):
        target = targets[seq % 2]
        move_step(ledger.owner, story.wallet.pk, seq, target.player_id, target.pk, target.entry_count + 1)
        assert audit_ledger().problem_count, seq
        ledger.restore()


def move_step(
    owner: Owner, wallet_id: UUID, seq: int, player_id: UUID, target_id: UUID, new_seq: int
) -> None:
    """An entry becomes the last one of another wallet, which counts it, and its transaction goes with it."""
    new = [player_id, target_id, new_seq]
    moved = owner.execute(
        "UPDATE wallet_entry SET player_id = %s, wallet_id = %s, seq = %s WHERE wallet_id = %s AND seq = "
        "%s RETURNING transaction_id, hash",
        [*new, wallet_id, seq],
    ).fetchone()
    assert moved
    owner.execute(
        "UPDATE wallet_wallet SET entry_count = %s, head = %s WHERE id = %s", [new_seq, moved[1], target_id]
    )
    owner.execute(
        "UPDATE wallet_transaction SET player_id = %s, wallet_id = %s, opened_seq = %s WHERE id = %s",
        [*new, moved[0]],
    )


def test_audit__finds_two_whole_wallets_that_change_owners(ledger: OwnLedger, story: Story) -> None:
    mine, theirs, nobody = story.player.pk, story.other.player.pk, uuid4()
    ledger.owner.execute("DELETE FROM wallet_wallet WHERE id = %s", [story.second.wallet().pk])
    for old, new in ((mine, nobody), (theirs, mine), (nobody, theirs)):
        for table in map(sql.Identifier, TABLES):
            ledger.owner.execute(
                sql.SQL("UPDATE {} SET player_id = %s WHERE player_id = %s").format(table), [new, old]
            )
    assert audit_ledger().problem_count


@pytest.mark.parametrize("statement", FORGERIES.values(), ids=FORGERIES.keys())
def test_audit__finds_forgeries_over_several_columns_and_rows(ledger: OwnLedger, statement: str) -> None:
    assert ledger.owner.execute(statement).rowcount > 0
    assert audit_ledger().problem_count


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM wallet_adjustment",
        "UPDATE wallet_adjustment SET amount = amount + 1",
        "UPDATE wallet_adjustment SET actor = 'operator:nobody'",
        "UPDATE wallet_adjustment SET reason = 'other'",
        "UPDATE wallet_adjustment SET type = CASE type WHEN 'credit' THEN 'debit' ELSE 'credit' END",
        "UPDATE wallet_adjustment SET currency_id = 'BHD'",
    ],
)
def test_audit__finds_an_adjustment_without_its_act(ledger: OwnLedger, story: Story, change: str) -> None:
    """Of all wallets and of some: it freezes the wallet, as every difference of one does."""
    player, wallet = story.wallet.player_id, str(story.wallet.pk)
    (made,) = ledger.owner.execute(
        "SELECT id::text FROM wallet_transaction WHERE type = 'credit' AND wallet_id = %s LIMIT 1",
        [wallet],
    ).fetchone() or ("",)
    assert audit_ledger().problems == []
    ledger.owner.execute(f"{change} WHERE id = %s", [made])
    said = f"transaction {made} adjusts it without the operator's act"
    for report in (audit_ledger(), audit_players([str(player)])):
        assert report.by_wallet[wallet].key == said


def test_audit__finds_an_act_that_adjusted_nothing(ledger: OwnLedger, story: Story) -> None:
    ledger.owner.execute(
        "INSERT INTO wallet_adjustment"
        " (id, operator_id, player_id, currency_id, type, amount, actor, reason, at)"
        " SELECT gen_random_uuid(), operator_id, player_id, currency_id, type, amount, actor, reason, at"
        " FROM wallet_adjustment LIMIT 1"
    )
    assert list(audit_ledger().of_ledger) == ["operators' acts that adjusted nothing"]


def test_audit__finds_forged_tombstones_and_refusals(ledger: OwnLedger, story: Story) -> None:
    """Copied to the end of the wallet, which counts them: only the hash is not right."""
    wallet, forged = story.wallet, 0
    for original in rows_of(ledger.owner, "wallet_entry"):
        if original["wallet_id"] == wallet.pk and original["event"] in ("tombstone", "declined"):
            forge(ledger.owner, original, wallet.entry_count + 1)
            assert audit_ledger().problem_count, original
            ledger.restore()
            forged += 1
    assert forged > 4


def forge(owner: Owner, entry: Row, seq: int) -> None:
    """The same happens once more, to another transaction id."""
    named, fresh = one(rows_of(owner, "wallet_transaction"), id=entry["transaction_id"]), uuid4()
    settled = {"settled_seq": seq} if entry["event"] == "tombstone" else {}
    insert(
        owner,
        "wallet_transaction",
        named | {"id": fresh, "mm_transaction_id": "forged", "opened_seq": seq} | settled,
    )
    insert(owner, "wallet_entry", entry | {"seq": seq, "transaction_id": fresh})
    owner.execute(
        "UPDATE wallet_wallet SET entry_count = %s, head = %s WHERE id = %s",
        [seq, entry["hash"], entry["wallet_id"]],
    )


def test_audit__finds_a_tail_that_is_cut_off(ledger: OwnLedger, story: Story) -> None:
    """The wallet's row is made to fit the entry that is now its last; transactions are left as they are."""
    for last in range(1, story.wallet.entry_count):
        ledger.owner.execute(
            "DELETE FROM wallet_entry WHERE wallet_id = %s AND seq > %s", [story.wallet.pk, last]
        )
        ledger.owner.execute(
            "UPDATE wallet_wallet w SET spendable = e.spendable, reserved = e.reserved, announced = "
            "e.announced, debt = e.debt, entry_count = e.seq,"
            " head = e.hash, frozen_at = NULL, withdrawal_limit = NULL FROM wallet_entry e WHERE "
            "e.wallet_id = w.id AND w.id = %s AND e.seq = %s",
            [story.wallet.pk, last],
        )
        assert is_found(), last
        ledger.restore()


# --- Rewritten with correct hashes --------------------------------------------------------------------


@pytest.mark.parametrize("change", REWRITES, ids=lambda change: str(change.__name__))
def test_checkpoint__finds_history_rewritten_with_correct_hashes(
    ledger: OwnLedger, story: Story, change: Callable[[list[Step]], list[Step]]
) -> None:
    wallet_id = story.wallet.pk
    rewrite(ledger, wallet_id, change)
    assert audit_ledger().problems == []
    (difference,) = checkpoint_differences()
    assert difference.startswith(f"wallet {wallet_id} ")


def test_checkpoint__rewrite_changing_nothing_is_no_difference(ledger: OwnLedger, story: Story) -> None:
    rewrite(ledger, story.wallet.pk, lambda steps: steps)
    assert (audit_ledger().problems, checkpoint_differences()) == ([], [])


def test_checkpoint__finds_whole_ledger_rewrite_by_wallet(ledger: OwnLedger, story: Story) -> None:
    wallets = sorted(
        str(player_session.wallet().pk)
        for player_session in (story.player_session, story.second, story.other)
    )
    for wallet_id in wallets:
        rewrite(ledger, wallet_id, richer)
    assert audit_ledger().problems == []
    assert [difference.split()[1] for difference in checkpoint_differences()] == wallets


def test_checkpoint__finds_a_wallet_gone_with_all_it_had(ledger: OwnLedger, story: Story) -> None:
    wallet = story.other.wallet()
    for table, column in (
        ("wallet_entry", "wallet_id"),
        ("wallet_transaction", "wallet_id"),
        ("wallet_wallet", "id"),
    ):
        ledger.owner.execute(
            sql.SQL("DELETE FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column)),
            [wallet.pk],
        )
    forge_acts(ledger)
    assert audit_ledger().problems == []
    assert checkpoint_differences() == [f"wallet {wallet.pk} is gone"]


def test_checkpoint__finds_what_is_added_and_dated_back(ledger: OwnLedger, story: Story) -> None:
    wallet = story.wallet
    rewrite(ledger, wallet.pk, dated_back(120))
    assert audit_ledger().problems == []
    assert checkpoint_differences() == [
        (
            f"wallet {wallet.pk} entry {wallet.entry_count + 1} is dated before the checkpoint, which does "
            "not know it"
        )
    ]


# --- At random ----------------------------------------------------------------------------------------


def test_audit__finds_random_changes(ledger: OwnLedger) -> None:
    """`SEED` in the environment chooses others, `LONG=1` makes more of them."""
    chance, tried = random.Random(SEED), 0
    for number in range(ROUNDS):
        before = [rows_of(ledger.owner, table) for table in TABLES]
        told = [change_something(ledger.owner, chance) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        if same(before, [rows_of(ledger.owner, table) for table in TABLES]):
            continue
        tried += 1
        assert is_found(), f"seed {SEED}, change {number}: {told}"
        ledger.restore()
    assert tried > ROUNDS * 0.6


def same(before: list[list[Row]], after: list[list[Row]]) -> bool:
    return all(
        len(rows) == len(later) and all(map(is_same_row, rows, later))
        for rows, later in zip(before, after, strict=True)
    )


def is_same_row(before: Row, after: Row) -> bool:
    forgotten = {name: after[name] for name in ANSWERS if name in after and after[name] is None}
    return before | {"ctid": ""} | forgotten == after | {"ctid": ""}


def change_something(owner: Owner, chance: random.Random) -> str:
    """One random change, if the database takes it. Returns what was tried."""
    table = chance.choice(TABLES)
    rows = rows_of(owner, table)
    if not rows:
        return "nothing is left"
    row, another = chance.choice(rows), chance.choice(rows)
    columns = columns_of(owner, table)
    column, names = chance.choice(columns), [column.name for column in columns]
    action = chance.choice(["other", "other", "copied", "several", "deleted", "inserted", "swapped"])
    if action == "other":
        update(owner, table, row, {column.name: chance.choice(others(row[column.name], column))})
    elif action == "copied":
        update(owner, table, row, {column.name: another[column.name]})
    elif action == "several":
        update(
            owner, table, row, {name: another[name] for name in chance.sample(names, chance.randint(2, 6))}
        )
    elif action == "deleted":
        delete(owner, table, row)
    elif action == "inserted":
        try_insert(
            owner, table, row | {name: another[name] for name in chance.sample(names, chance.randint(1, 6))}
        )
    elif row is not another:
        update(owner, table, row, {column.name: another[column.name]})
        update(owner, table, another, {column.name: row[column.name]})
    return f"{action} {column.name} of {table} {kind_of(row)}"


def try_insert(owner: Owner, table: str, row: Row) -> None:
    key = {"seq": row["seq"] + 1} if table == "wallet_entry" else {"id": uuid4()}
    try:
        insert(owner, table, row | key)
    except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
        return
