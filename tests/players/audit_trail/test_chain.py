"""The hash chain over the audit trail: linked in batches, and nothing in it can be changed unseen."""

import os
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from lib.ids import new_id
from players.audit_trail import chain
from players.audit_trail.chain import differences, link_events, unlinked_since
from players.audit_trail.conditions import id_at
from players.audit_trail.hashing import COLUMNS, START, as_json, canonical, link_hash
from players.audit_trail.record import Origin, record_act
from players.models import AuditEvent, AuditLink
from tests.support.own_database import OwnLedger, own_ledger
from wallet.audit.ledger import audit_ledger, snapshot
from wallet.audit.operators_acts import PATIENCE, link_acts
from wallet.audit.scheduled import audit_recent
from wallet.job_runs import Run
from wallet.models import Alert

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
