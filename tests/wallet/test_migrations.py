"""A migrated instance of an earlier version keeps its runs, daily totals, alerts and permissions."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import environ
import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests.config.test_identifiers import KEYS
from tests.conftest import in_database
from tests.support.own_database import remake, use
from wallet.audit.ledger import UNASKED

Owner = psycopg.Connection[Any]
OLD, HISTORY = ("wallet", "0006_payment_functions"), ("admin", "0003_logentry_add_action_flag_choices")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RUNS = [
    (
        "audit_recent",
        "Read the journal up to 2026-03-02T11:58:00.25+00:00. 1 wallets, 5 entries: no difference.",
    ),
    ("audit_recent", "0 wallets, 0 entries: no difference."),
    ("fold_accounts", "3 days folded."),
    ("keep_house", "Cleared 0 sessions."),
    ("settle_due", "Read the journal up to nowhere. "),
]
ALERTS = [
    (
        "ledger_difference",
        "folded days",
        "2026-03-02: XAG debt was folded to (1, 0, 1), the journal has (2, 0, 1)",
    ),
    ("ledger_difference", "players", "this was folded to that"),
    ("sweep_failed", "fold_accounts", "OperationalError"),
    ("sweep_failed", "keep_house", "OperationalError"),
]
# Of the last, NFC has more characters than its column.
NICKNAMES = {"a": "Zoe\u0308 K.", "b": "", "c": "\u0958" * 64}
ADJUSTMENTS = [("credit", "operator:ann", 5), ("debit", "seed", 3)]
MODELS = ("foldedday", "accountday", "sweeprun")


@pytest.fixture(scope="module")
def upgraded(database: None, database_name: str) -> Iterator[Owner]:
    """A database of the old version with rows in it, after `migrate`."""
    server, before, name = (
        os.environ["DATABASE_OWNER_URL"],
        dict(connection.settings_dict),
        f"{database_name}_old",
    )
    with psycopg.connect(server, autocommit=True) as server_connection:
        remake(server_connection, name)
        try:
            theirs = environ.Env.db_url_config(server)
            use(NAME=name, USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
            MigrationExecutor(connection).migrate([OLD, HISTORY])
            with psycopg.connect(in_database(server, name), autocommit=True) as owner:
                fill(owner)
                call_command("migrate", verbosity=0)
                yield owner
        finally:
            use(**{key: before[key] for key in ("NAME", "USER", "PASSWORD")})
            remake(server_connection, name, again=False)


def fill_adjustments(owner: Owner) -> None:
    """Two adjustments of a wallet: by an operator who is there, and by the seed of a demonstration."""
    owner.execute(
        "INSERT INTO players_operator (password, is_superuser, username, first_name, last_name, email, "
        "is_staff, is_active, date_joined) VALUES ('', false, 'ann', '', '', '', true, true, %s)",
        [NOON],
    )
    owner.execute(
        "INSERT INTO wallet_wallet (id, player_id, currency_id, spendable, reserved, announced, debt, "
        "entry_count, head, opened_at)"
        " SELECT gen_random_uuid(), id, 'XAG', 0, 0, 0, 0, 0, '', %s FROM players_player WHERE uid = 'a'",
        [NOON],
    )
    for type, actor, amount in ADJUSTMENTS:
        owner.execute(
            "INSERT INTO wallet_transaction (id, player_id, wallet_id, type, amount, state, refusal, "
            "description, source, actor, opened_at, opened_seq, settled_source, settled_actor, reason)"
            " SELECT gen_random_uuid(), player_id, id, %s, %s, 'confirmed', '', '', 'operator', %s, %s, 1, "
            "'', '', 'why' FROM wallet_wallet",
            [type, amount, actor, NOON],
        )


def fill(owner: Owner) -> None:
    """What the old version left behind."""
    for number, (task, note) in enumerate(RUNS):
        owner.execute(
            "INSERT INTO wallet_sweeprun (id, task, worker, began_at, ended_at, looked_at, done, failed, "
            "note, error)"
            " VALUES (gen_random_uuid(), %s, %s, %s, %s, 0, 0, 0, %s, '')",
            [task, f"worker {number}", NOON, NOON, note],
        )
    for kind, subject, text in ALERTS:
        owner.execute(
            "INSERT INTO wallet_alert (id, kind, subject, text, raised_at, last_seen_at, times_seen, "
            "resolved_by, reason)"
            " VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, 1, '', '')",
            [kind, subject, text, NOON, NOON],
        )
    for uid, nickname in NICKNAMES.items():
        owner.execute(
            "INSERT INTO players_player (id, uid, nickname, country, language, status, status_set_by, "
            "is_test, created_at, updated_at)"
            " VALUES (gen_random_uuid(), %s, %s, '', '', 'active', 'front', false, %s, %s)",
            [uid, nickname, NOON, NOON],
        )
    owner.execute("INSERT INTO wallet_currency (code, decimals, name) VALUES ('XAG', 2, 'Silver')")
    for number in (1, 2):
        owner.execute(
            "INSERT INTO wallet_transaction (id, player_id, wallet_id, game_id, type, mm_transaction_id, "
            "state, refusal, description, source, actor, opened_at, opened_seq, settled_source, "
            "settled_actor, reason) VALUES (gen_random_uuid(), %s, gen_random_uuid(), %s, 'withdrawal', "
            "'1-12', 'confirmed', '', '', 'game', 'us', %s, 1, '', '', '')",
            [f"{number:032x}", f"{number:032x}", NOON],
        )
    fill_adjustments(owner)
    for seq in (1, 2):
        owner.execute(
            "INSERT INTO wallet_entry (player_id, wallet_id, seq, event, spendable, reserved, announced, "
            "debt, actor, note, at, version, hash) "
            "SELECT player_id, id, %s, 'frozen', 0, 0, 0, 0, 'us', '', %s, 2, '' FROM wallet_wallet",
            [seq, NOON],
        )
    owner.execute("INSERT INTO wallet_foldedday VALUES (%s, 5, %s)", [NOON.date(), NOON])
    owner.execute(
        "INSERT INTO wallet_accountday (day_id, currency_id, account, debits, credits, entries)"
        " VALUES (%s, 'XAG', 'debt', 1, 0, 1)",
        [NOON.date()],
    )
    owner.execute("INSERT INTO auth_group (id, name) VALUES (1, 'Auditors')")
    for number, model in enumerate(MODELS, 1):
        owner.execute(
            "INSERT INTO django_content_type (id, app_label, model) VALUES (%s, 'wallet', %s)",
            [number, model],
        )
        owner.execute(
            "INSERT INTO auth_permission (id, content_type_id, codename, name) VALUES (%s, %s, %s, 'Can "
            "view it')",
            [number, number, f"view_{model}"],
        )
        owner.execute("INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, %s)", [number])
    owner.execute(
        "INSERT INTO django_content_type (id, app_label, model) VALUES (90, 'wallet', 'transaction')"
    )
    owner.execute(
        "INSERT INTO auth_permission (id, content_type_id, codename, name) "
        "VALUES (90, 90, 'add_transaction', 'Can')"
    )
    for id, name in enumerate(("clerk", "treasurer", "newcomer"), 90):
        owner.execute(
            "INSERT INTO players_operator (id, username, password, is_superuser, first_name, last_name, "
            "email, is_staff, is_active, date_joined) VALUES (%s, %s, '', false, '', '', '', true, true, %s)",
            [id, name, NOON],
        )
    owner.execute("INSERT INTO players_operator_groups (operator_id, group_id) VALUES (90, 1), (91, 1)")
    owner.execute(
        "INSERT INTO players_operator_user_permissions (operator_id, permission_id) VALUES (91, 90)"
    )
    for number, message in enumerate(('[{"changed": {"fields": ["Name"]}}]', "Frozen. Reason: odd")):
        owner.execute(
            "INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message, "
            "content_type_id, user_id) VALUES (%s, %s, 'a transaction', 2, %s, 90, 91)",
            [NOON, str(number), message],
        )
    for table in ("django_content_type", "auth_permission", "auth_group", "players_operator_groups"):
        owner.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), 100)")


def test_job_runs__keep_their_rows_and_where_they_had_read_to(upgraded: Owner) -> None:
    rows = upgraded.execute("SELECT task, note, read_up_to FROM wallet_jobrun ORDER BY worker").fetchall()
    tasks = ["audit_recent", "audit_recent", "daily_totals", "purge_expired", "settle_due"]
    assert [(task, note) for task, note, _ in rows] == list(
        zip(tasks, [note for _, note in RUNS], strict=True)
    )
    read = datetime(2026, 3, 2, 11, 58, 0, 250_000, UTC)
    assert [read_up_to for _, _, read_up_to in rows] == [read, None, None, None, None]


def test_daily_totals__keep_their_rows(upgraded: Owner) -> None:
    assert upgraded.execute("SELECT day, entries, closed_at FROM wallet_closedday").fetchall() == [
        (NOON.date(), 5, NOON)
    ]
    totals = "SELECT day_id, currency_id, account, debits, credits, entries FROM wallet_dailytotal"
    assert upgraded.execute(totals).fetchall() == [(NOON.date(), "XAG", "debt", 1, 0, 1)]


def test_alerts__follow_the_names_of_jobs_and_the_audits_words(upgraded: Owner) -> None:
    found = upgraded.execute("SELECT kind, subject, text FROM wallet_alert").fetchall()
    assert set(found) == {
        (
            "ledger_difference",
            "daily totals",
            "2026-03-02: XAG debt was totalled as (1, 0, 1), the journal has (2, 0, 1)",
        ),
        ("ledger_difference", "players", "this was folded to that"),
        ("sweep_failed", "daily_totals", "OperationalError"),
        ("sweep_failed", "purge_expired", "OperationalError"),
    }


def test_nicknames__are_stored_as_nfc_and_found(upgraded: Owner) -> None:
    found = upgraded.execute(
        "SELECT uid, nickname, nickname_key, updated_at FROM players_player ORDER BY uid"
    )
    assert found.fetchall() == [
        ("a", "Zoë K.", "zoë k.", NOON),
        ("b", "", "", NOON),
        ("c", "\u0958" * 64, "\u0915\u093c" * 64, NOON),
    ]


def test_operators__have_roles_for_what_they_were_permitted(upgraded: Owner) -> None:
    given = upgraded.execute(
        "SELECT o.username, array_agg(g.name ORDER BY g.name) FROM players_operator o "
        "LEFT JOIN players_operator_groups m ON m.operator_id = o.id "
        "LEFT JOIN auth_group g ON g.id = m.group_id WHERE o.id BETWEEN 90 AND 92 "
        "GROUP BY o.username ORDER BY o.username"
    ).fetchall()
    assert given == [("clerk", ["viewer"]), ("newcomer", [None]), ("treasurer", ["finance", "viewer"])]
    assert upgraded.execute("SELECT count(*) FROM players_operator_user_permissions").fetchone() == (0,)
    assert upgraded.execute("SELECT count(*) FROM auth_group WHERE name = 'Auditors'").fetchone() == (0,)
    names = "foldedday|accountday|sweeprun|add_transaction"
    stale = f"SELECT count(*) FROM auth_permission WHERE codename ~ '{names}'"
    assert upgraded.execute(stale).fetchone() == (0,)


def test_history__is_kept_in_the_audit_trail(upgraded: Owner) -> None:
    rows = upgraded.execute(
        "SELECT at, username, action, subject_type, outcome, operator_id, subject_id, note "
        "FROM players_auditevent ORDER BY id"
    ).fetchall()
    common = (NOON, "treasurer", "change_transaction", "wallet.transaction", "done", 91)
    assert rows == [(*common, "0", "Changed Name."), (*common, "1", "Frozen. Reason: odd")]


def test_identifiers__are_ordered_by_their_bytes(upgraded: Owner) -> None:
    """Also where there were rows, whose indexes are built beside the old ones."""
    assert {row for row in upgraded.execute(KEYS) if row[2] != "C"} == set()
    with pytest.raises(psycopg.errors.UniqueViolation, match="transaction_once_per_game_and_player"):
        upgraded.execute("UPDATE wallet_transaction SET player_id = %s, game_id = %s", [f"{3:032x}"] * 2)


def test_rows__of_the_version_before_can_be_written_until_it_is_reloaded(upgraded: Owner) -> None:
    """It knows nothing of the columns that are new."""
    unknown = ["nickname_key", "is_final", "made_at", "told_at"]
    refused = upgraded.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE column_name = ANY(%s) AND table_name IN ('players_player', 'payments_refund')"
        " AND is_nullable = 'NO' AND column_default IS NULL",
        [unknown],
    )
    assert refused.fetchall() == []


def test_adjustments__get_an_act_for_each(upgraded: Owner) -> None:
    acts = upgraded.execute(
        "SELECT a.type, a.actor, a.amount, a.reason, a.at, a.currency_id, o.username"
        " FROM wallet_adjustment a LEFT JOIN players_operator o ON o.id = a.operator_id"
        " ORDER BY a.amount DESC"
    ).fetchall()
    names = ["ann", None]
    assert acts == [
        (type, actor, amount, "why", NOON, "XAG", name)
        for (type, actor, amount), name in zip(ADJUSTMENTS, names, strict=True)
    ]
    unasked = upgraded.execute(f"SELECT count(*) FROM ({UNASKED}) found").fetchone()
    assert unasked == (0,)


def test_upgrade__makes_the_journal_its_first_part(upgraded: Owner) -> None:
    found = upgraded.execute(
        "SELECT seq, at, tableoid::regclass::text FROM wallet_entry ORDER BY seq"
    ).fetchall()
    assert found == [(seq, NOON, "wallet_entry_first") for seq in (1, 2)]
    [(began, ended)] = upgraded.execute("SELECT isfinite(began), ended FROM journal_parts()").fetchall()
    assert (began, ended > datetime.now(UTC)) == (False, True)
    for name in ("wallet_entry", "wallet_entry_first"):
        for statement in (f"UPDATE {name} SET seq = 9", f"DELETE FROM {name}", f"TRUNCATE {name}"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                upgraded.execute(statement)
    with pytest.raises(psycopg.errors.UniqueViolation):
        upgraded.execute("INSERT INTO wallet_entry SELECT * FROM wallet_entry")
