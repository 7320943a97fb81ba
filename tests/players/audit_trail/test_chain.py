"""The hash chain over the audit trail: linked in batches, and nothing in it can be changed unseen."""

import gzip
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from lib.ids import id_at, new_id
from players.audit_trail import chain
from players.audit_trail.act_hash import COLUMNS, START, as_json, canonical, link_hash
from players.audit_trail.chain import differences, link_events, unlinked_since
from players.audit_trail.record import Origin, record_act
from players.models import AuditEvent, AuditLink
from tests.support.checkpoints import KEY, checkpoints_in, example_header, make, private, public
from tests.support.own_database import OwnLedger, own_ledger
from wallet.audit.ledger import audit_ledger
from wallet.audit.operators_acts import PATIENCE, link_acts
from wallet.audit.rows import snapshot
from wallet.audit.scheduled import audit_recent
from wallet.checkpoints import make_checkpoint
from wallet.checkpoints.database import comparing
from wallet.checkpoints.keys import trusted_keys
from wallet.job_runs import Run
from wallet.models import Alert, Checkpoint
from wallet.proof import exported
from wallet.proof.audit_trail import compare_with_acts
from wallet.proof.findings import Findings
from wallet.proof.header import read_signed, sign
from wallet.proof.verification import Verdict, verify_file

LONG = os.environ.get("LONG") or os.environ.get("FAULTS") == "long"
CHANGES = 500 if LONG else 100
EVENTS = 40
SEED = 12
# For each column, what a forger could write there.
FORGED = {
    "at": "at + interval '1 microsecond'",
    "operator_id": "coalesce(operator_id, 0) + 1",
    "username": "username || 'x'",
    "roles": "roles || '{superuser}'::varchar[]",
    "address": "coalesce(address, '192.0.2.1') + 1",
    "request_id": "'x'",
    "session": "'x'",
    "action": "'view_nothing'",
    "subject_type": "'x'",
    "subject_id": "'x'",
    "subject_name": "subject_name || ' '",
    "before": """CASE WHEN before IS NULL THEN '{}'::jsonb ELSE before || '{"x": 1}' END""",
    "after": "CASE WHEN after IS NULL THEN 'null'::jsonb ELSE NULL END",
    "reason": "'Ä' || reason",
    "note": "upper(note) || '!'",
    "approval_id": "gen_random_uuid()",
    "outcome": "CASE outcome WHEN 'done' THEN 'refused' ELSE 'done' END",
}


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    with own_ledger(f"{database_name}_trail") as ledger:
        yield ledger


@pytest.fixture(autouse=True)
def fresh(ledger: OwnLedger) -> Iterator[None]:
    yield
    ledger.clear(AuditLink, AuditEvent, Alert)


def act(number: int = 0, **attributes: Any) -> AuditEvent:
    known = {"action": "test", "subject": None, "reason": f"Grund {number} ü", "note": "n"}
    state: dict[str, Any] = {"amount": 2**60 + number, "names": ["a", "ö"], "none": None}
    return record_act(Origin.machine("test"), **(known | {"before": state} | attributes))


def found() -> list[str]:
    with snapshot():
        return list(differences())


def test_acts__are_linked_once_in_batches_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "BATCH", 3)
    ids = [act(number).pk for number in range(7)]
    assert (link_events(), link_events()) == (7, 0)
    later = act().pk
    assert link_events() == 1
    links = AuditLink.objects.order_by("seq").values_list("seq", "event_id")
    assert list(links) == list(enumerate([*ids, later], 1))
    assert found() == []


def test_act__that_was_committed_late_is_linked(ledger: OwnLedger) -> None:
    early = new_id()
    act()
    link_events()
    columns = ", ".join(FORGED)
    ledger.owner.execute(
        f"INSERT INTO players_auditevent (id, {columns}) SELECT %s, {columns} FROM players_auditevent",
        [early],
    )
    assert link_events() == 1
    assert AuditLink.objects.latest("seq").event_id == early
    assert found() == []


def test_link_hash__is_of_the_canonical_form_and_the_link_before() -> None:
    act = dict.fromkeys(COLUMNS, None) | {"reason": "ü", "before": as_json({"b": 1, "a": [True]})}
    text = canonical(act)
    assert rb'"before":"{\"a\":[true],\"b\":1}","id":null' in text
    assert b'"reason":"\\u00fc"' in text
    assert link_hash(START, 1, act) != link_hash(START, 2, act) != link_hash(b"1" * 32, 2, act)
    with pytest.raises(ValueError, match="other columns"):
        canonical(act | {"more": 1})


def test_forged__names_every_column_but_the_key() -> None:
    columns = {field.column for field in AuditEvent._meta.concrete_fields}
    assert set(FORGED) == columns - {"id"}


def tamper(owner: "psycopg.Connection[Any]", way: str, dice: random.Random) -> str:
    """One random change by a superuser, to whom no trigger applies. Returns what was done."""
    seq, id = dice.choice(list(AuditLink.objects.values_list("seq", "event_id")))
    statements = {
        "change": f"UPDATE players_auditevent SET {(name := dice.choice(sorted(FORGED)))} = {FORGED[name]} "
        "WHERE id = %(id)s",
        "delete": "DELETE FROM players_auditevent WHERE id = %(id)s",
        "other id": "UPDATE players_auditevent SET id = gen_random_uuid() WHERE id = %(id)s",
        "forget": "DELETE FROM players_auditlink WHERE seq = %(seq)s",
        "delete both": "DELETE FROM players_auditevent WHERE id = %(id)s",
        "forge hash": "UPDATE players_auditlink SET hash = sha256(hash) WHERE seq = %(seq)s",
    }
    owner.execute(statements[way], {"id": id, "seq": seq})
    if way == "delete both":
        owner.execute(statements["forget"], {"seq": seq})
    return f"{way} {name if way == 'change' else ''} at {seq}"


def test_tampering__by_a_superuser_is_all_found(ledger: OwnLedger) -> None:
    dice = random.Random(SEED)
    for number in range(EVENTS):
        act(number, outcome=dice.choice(["done", "refused"]))
    link_events()
    # The last link is what checkpoints are for.
    act()
    link_events()
    kept = [("players_auditevent", "id"), ("players_auditlink", "seq")]
    for table, _ in kept:
        ledger.owner.execute(f"DROP TABLE IF EXISTS kept_{table}; CREATE TABLE kept_{table} AS TABLE {table}")
    last = AuditLink.objects.latest("seq").seq
    ways = ["change", "change", "change", "delete", "other id", "forget", "delete both", "forge hash"]
    missed = []
    for number in range(CHANGES):
        done = tamper(ledger.owner, ways[number % len(ways)], dice)
        is_cut_off = done.startswith(("forget", "delete both")) and done.endswith(f" {last}")
        if not found() and not is_cut_off:
            missed.append(done)
        for table, _ in kept:
            ledger.owner.execute(f"DELETE FROM {table}; INSERT INTO {table} TABLE kept_{table}")
    assert missed == []
    assert found() == []


def test_link__that_is_computed_anew_does_not_fit_the_next(ledger: OwnLedger) -> None:
    for number in range(3):
        act(number)
    link_events()
    first = AuditLink.objects.order_by("seq")[0]
    ledger.owner.execute("UPDATE players_auditevent SET note = 'x' WHERE id = %s", [first.event_id])
    with snapshot():
        (forged, *_) = chain.read_links(connection.connection)
        assert forged.act
        right = link_hash(START, 1, forged.act)
    ledger.owner.execute("UPDATE players_auditlink SET hash = %s WHERE seq = 1", [right])
    (problem,) = found()
    assert problem.startswith("link 2 does not fit")


def test_act__that_was_put_in_with_an_old_date_is_found(ledger: OwnLedger) -> None:
    act()
    link_events()
    old = id_at(AuditEvent.objects.latest("pk").at - timedelta(days=2))
    other = act()
    ledger.owner.execute("UPDATE players_auditevent SET id = %s WHERE id = %s", [old, other.pk])
    assert link_events() == 0
    assert found() == [f"act {old} is in no link"]


def test_audit__finds_differences_of_the_audit_trail(ledger: OwnLedger) -> None:
    one = act()
    link_events()
    assert audit_ledger().problems == []
    ledger.owner.execute("UPDATE players_auditevent SET reason = 'another' WHERE id = %s", [one.pk])
    (problem,) = audit_ledger().problems
    assert problem.startswith("audit trail: link 1 does not fit")


def test_unlinked_act__raises_an_alert_until_it_is_linked(ledger: OwnLedger) -> None:
    one, open_ones = act(), Alert.objects.filter(kind="acts_not_linked", resolved_at=None)
    audit_recent(Run("audit_recent"))
    assert (unlinked_since(), open_ones.exists()) == (one.at, False)
    ledger.owner.execute("UPDATE players_auditevent SET at = at - %s", [PATIENCE])
    audit_recent(Run("audit_recent"))
    assert open_ones.exists()
    run = Run("link_acts")
    link_acts(run)
    assert (run.done, unlinked_since(), open_ones.exists()) == (1, None, False)


@pytest.mark.parametrize(
    "statement", ["UPDATE players_auditlink SET hash = ''", "DELETE FROM players_auditlink"]
)
def test_links__are_never_changed_nor_deleted(ledger: OwnLedger, statement: str) -> None:
    act()
    link_events()
    with psycopg.connect(
        ledger.owner.info.dsn, autocommit=True, password=ledger.owner.info.password
    ) as owner:
        for words in (statement, "TRUNCATE players_auditlink"):
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(words)


# --- Against checkpoints ---------------------------------------------------------------------------------


@pytest.fixture
def place(ledger: OwnLedger, tmp_path: Path) -> Iterator[Path]:
    """The directory of checkpoints; one of three acts is made."""
    ledger.clear(Checkpoint)
    with checkpoints_in(tmp_path):
        for number in range(3):
            act(number)
        make()
        yield tmp_path


def forge(ledger: OwnLedger, change: str) -> None:
    """Changes acts and links, then computes all hashes anew."""
    ledger.owner.execute(change)
    head = START
    with snapshot():
        links = list(chain.read_links(connection.connection))
    for link in links:
        assert link.act
        head = link_hash(head, link.seq, link.act)
        ledger.owner.execute("UPDATE players_auditlink SET hash = %s WHERE seq = %s", [head, link.seq])
    assert found() == []


def verified(place: Path) -> Verdict:
    """The first checkpoint, compared with the database."""
    with (place / Checkpoint.objects.get(number=1).file).open("rb") as source, snapshot() as raw:
        return verify_file(source, comparing(raw), trusted=trusted_keys())


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE players_auditevent SET note = 'x'", "link 3 of the audit trail has another hash"),
        (
            """
            DELETE FROM players_auditlink WHERE seq = 3;
            DELETE FROM players_auditevent WHERE id NOT IN (SELECT event_id FROM players_auditlink)
            """,
            "link 3 of the audit trail, which the checkpoint knows, is gone",
        ),
    ],
)
def test_checkpoint__finds_acts_rewritten_with_right_hashes(
    ledger: OwnLedger, place: Path, change: str, problem: str
) -> None:
    forge(ledger, change)
    assert problem in verified(place).findings.summary()
    assert make_checkpoint(Run("make_checkpoint")) is None


def test_checkpoint__finds_acts_dated_before_it(ledger: OwnLedger, place: Path) -> None:
    assert verified(place).findings.count == 0
    one = act()
    ledger.owner.execute("UPDATE players_auditevent SET at = at - interval '2 h' WHERE id = %s", [one.pk])
    link_events()
    assert f"act {one.pk} of link 4 is dated before" in verified(place).findings.summary()


def test_exported_acts__are_verified_without_a_database(place: Path) -> None:
    act(9)
    path, journal = place / "acts.jsonl.gz", place / "journal.jsonl"
    call_command("export_audit_trail", output=path, stderr=StringIO())
    call_command("export_journal", output=journal, stderr=StringIO())
    assert AuditEvent.objects.latest("pk").username == "machine:export_audit_trail"
    file = place / Checkpoint.objects.get(number=1).file
    done, warned = alone(file, journal, "--audit-trail", path), alone(file, journal)
    assert (done.returncode, "no difference" in done.stdout, "Warning" in done.stderr) == (0, True, False)
    assert "no --audit-trail was given" in warned.stderr
    text = gzip.decompress(path.read_bytes())
    for change, problem in (
        (text.replace(b"Grund 1", b"Grund 8"), "act 2 of the audit trail does not fit its hash"),
        (without(text, 2), "act 3 of the audit trail follows act 1"),
        (b"".join(text.splitlines(keepends=True)[:-1]), "does not end as it should"),
        (cut(text, 2), "ends with act 2, the checkpoint knows 3"),
        (text.replace(b'"note":', b'"remark":', 1), "other columns"),
    ):
        assert problem in compared(file, journal, change).findings.summary()


def alone(file: Path, journal: Path, *more: Any) -> "subprocess.CompletedProcess[str]":
    """Verifies as a third party does."""
    command: list[Any] = [sys.executable, "-m", "wallet.proof", file]
    command += ["--export", journal, "--public-key", public(KEY)]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [*command, *more], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )


def without(text: bytes, number: int) -> bytes:
    """An export without one of its acts, which its end does not count."""
    kept = text.splitlines(keepends=True)
    kept.pop(number)
    return b"".join([*kept[:-1], b'{"line":"end","acts":%d}\n' % (len(kept) - 2)])


def cut(text: bytes, acts: int) -> bytes:
    """An export of the first acts only."""
    kept = text.splitlines(keepends=True)[: acts + 1]
    return b"".join([*kept, b'{"line":"end","acts":%d}\n' % acts])


def compared(file: Path, journal: Path, acts: bytes) -> Verdict:
    with file.open("rb") as source, journal.open("rb") as lines:
        return verify_file(source, exported.comparing(lines, BytesIO(acts)), trusted=trusted_keys())


def test_checkpoint__of_format_1_still_verifies_and_says_nothing_of_acts() -> None:
    header = example_header()
    assert (b"audit" in header.canonical(), header.audit_links) == (False, None)
    assert read_signed(sign(header, private(KEY)).line()).header == header
    findings = Findings()
    compare_with_acts(iter(()), header, findings)
    assert (findings.count, "format 1" in findings.warnings[0]) == (0, True)


@pytest.mark.parametrize("changes", [{"format": 2}, {"audit_links": 1}, {"format": 2, "audit_links": 1}])
def test_header__states_the_head_in_format_2_alone(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="stands in format 2"):
        example_header(**changes)
