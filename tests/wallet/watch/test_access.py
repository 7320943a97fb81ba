"""Changes of who may do what, and locked doors, are told from the audit trail, each once."""

from datetime import datetime
from typing import Any

import pytest

from lib.clock import now
from players.audit_trail.record import Origin, Outcome, record_act
from players.models import Credential, Game, Operator
from tests.support.callers import make_party, unique
from wallet.models import Alert
from wallet.watch.access import watch_access


@pytest.fixture
def since(database: None) -> datetime:
    return now()


def who(name: str = "mia") -> Operator:
    return Operator.objects.create(username=unique(name))


def by(operator: Operator) -> Origin:
    return Origin(operator, operator.username, (), "10.0.0.7")


def test_access__each_change_is_told_once(since: datetime) -> None:
    mia, party = who(), make_party()
    event = record_act(by(mia), action="rotate", subject=party.credential, note="It is live.")
    assert watch_access(since, now()) == 1
    alert = Alert.objects.get(kind="access_changed", subject=str(event.pk))
    name = party.credential.username
    assert alert.text == f"{mia.username} from 10.0.0.7: rotate, credential {name}. It is live."
    assert alert.severity == Alert.Severity.NOTICE
    assert watch_access(since, now()) == 0
    record_act(by(mia), action="rotate", subject=party.credential)
    assert watch_access(since, now()) == 1


def test_access__acts_on_others_are_told_and_ones_own_are_not(since: datetime) -> None:
    mia, noa = who(), who("noa")
    record_act(by(mia), action="log_in", subject=mia)
    record_act(by(mia), action="change_password", subject=mia)
    record_act(by(mia), action="view_personal_data", subject=noa)
    assert watch_access(since, now()) == 0
    event = record_act(by(mia), action="change_operator", subject=noa)
    machine = record_act(Origin.machine("createsuperuser"), action="add_operator", subject=noa)
    assert watch_access(since, now()) == 2
    for act in (event, machine):
        assert Alert.objects.filter(kind="access_changed", subject=str(act.pk)).count() == 1


def test_access__that_the_first_operator_was_made_is_not_told(since: datetime) -> None:
    first = Operator.objects.order_by("pk").first() or who()
    machine = Origin.machine("manage.py createsuperuser")
    record_act(machine, action="add_operator", subject=first)
    assert watch_access(since, now()) == 0
    record_act(machine, action="change_operator", subject=first)
    record_act(machine, action="add_operator", subject=who())
    assert watch_access(since, now()) == 2


@pytest.mark.parametrize(
    ("subject", "outcome"),
    [(Game, Outcome.REFUSED), (Credential, Outcome.FAILED), (Game, Outcome.DENIED), (None, Outcome.DONE)],
)
def test_access__what_changed_nothing_is_not_told(since: datetime, subject: Any, outcome: Outcome) -> None:
    row = subject.objects.order_by("pk").first() if subject else None
    record_act(by(who()), action="change_game", subject=row, outcome=outcome)
    assert watch_access(since, now()) == 0


def test_lock_out__is_one_alert_for_each_name_and_one_for_all_strangers(since: datetime) -> None:
    mia = who()
    Alert.objects.filter(kind="lock_out", resolved_at=None).update(resolved_at=since)
    for name, known in ((mia.username, mia), ("x1", None), ("x2", None), ("x3", None)):
        record_act(Origin(None, name, (), "10.0.0.9"), action="lock_out", subject=known)
    assert watch_access(since, now()) == 2
    found = Alert.objects.filter(kind="lock_out", resolved_at=None).values_list("subject", "text")
    assert dict(found) == {
        mia.username: f"Log-ins as {mia.username} from 10.0.0.9 are locked for a time.",
        "unknown names": "Log-ins as unknown names from 10.0.0.9 are locked for a time.",
    }
