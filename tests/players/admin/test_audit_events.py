"""The audit trail in the admin: found by every condition, shown side by side, exported."""

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from lib.clock import now
from players.audit_trail.record import Origin, Outcome, record_act
from players.models import AuditEvent, Game, Operator
from tests.support.admin_pages import address, get, operator, page, signed_in
from tests.support.callers import Callers, unique

READ = ("players.read_audit",)


@pytest.fixture
def reader(database: None) -> Client:
    return signed_in(operator(*READ))


def event(**attributes: Any) -> AuditEvent:
    """An act that nothing else in the tests has done."""
    origin = Origin(None, unique("who"), ("finance",), attributes.pop("address", "192.0.2.1"))
    subject = attributes.pop("subject", None)
    return record_act(origin, **({"action": unique("act"), "subject": subject} | attributes))


def listed(client: Client, **wanted: str) -> list[str]:
    text = get(client, f"{address(AuditEvent)}?{urlencode(wanted)}")
    return [
        str(id) for id in AuditEvent.objects.order_by("-pk").values_list("pk", flat=True) if str(id) in text
    ]


def test_audit_list__finds_by_each_condition(reader: Client, callers: Callers) -> None:
    game = callers.game.game
    at = now()
    one = event(subject=game, address="192.0.2.77", outcome=Outcome.FAILED)
    other = event()
    for wanted in (
        {"operator": one.username},
        {"action": one.action},
        {"operator": one.username, "outcome": "failed"},
        {"action": one.action, "kind": "players.game", "object": str(game.pk)},
        {"address": "192.0.2.77"},
        {"action": one.action, "since": (at - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M")},
        {"action": one.action, "until": (at + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M")},
    ):
        assert listed(reader, **wanted)[:1] == [str(one.pk)], wanted
    assert str(other.pk) not in listed(reader, address="192.0.2.77")


@pytest.mark.parametrize(
    "wanted",
    [
        {"outcome": "undone"},
        {"address": "nowhere"},
        {"since": "soon"},
        {"since": "0001-01-01T00:00"},
        {"until": "9999-12-31T23:59"},
        {"until": "2000-01-01"},
        {"operator": "nobody of that name"},
    ],
)
def test_audit_list__finds_nothing_where_nothing_can_be_meant(reader: Client, wanted: dict[str, str]) -> None:
    one = event()
    assert listed(reader, action=one.action, **wanted) == []


def test_audit_list__refuses_conditions_without_an_index(reader: Client) -> None:
    assert reader.get(f"{address(AuditEvent)}?note__contains=x").status_code == 400


def test_audit_page__shows_before_and_after_side_by_side(reader: Client, callers: Callers) -> None:
    one = event(
        subject=callers.game.game,
        before={"name": "Old <b>", "slug": "same", "roles": []},
        after={"name": "New", "slug": "same", "roles": ["finance", "risk"]},
        reason="because",
    )
    text = get(reader, page(AuditEvent, one))
    shown = text[text.index("Before and after") :]
    assert shown.index("name") < shown.index("Old &lt;b&gt;") < shown.index("New") < shown.index("same")
    assert "finance; risk" in shown
    assert "because" in text
    assert page(Game, callers.game.game) in text


def test_audit_trail__is_for_those_who_may_read_it(callers: Callers) -> None:
    one = event(subject=callers.game.game)
    other = signed_in(operator("players.view_game", "players.export"))
    for place in (address(AuditEvent), page(AuditEvent, one)):
        assert other.get(place).status_code == 403
    assert other.post(address(AuditEvent, "export")).status_code == 403
    assert AuditEvent.objects.latest("pk").outcome == "denied"
    assert "Audit trail" not in get(other, "/admin/")
    history = get(other, address(Game, "history", callers.game.game.pk))
    assert one.username in history
    assert str(one.pk) not in history


def test_history__links_to_acts_for_those_who_may_read_them(callers: Callers) -> None:
    one = event(subject=callers.game.game)
    client = signed_in(operator("players.view_game", *READ))
    assert page(AuditEvent, one) in get(client, address(Game, "history", callers.game.game.pk))


def test_history__turns_its_pages() -> None:
    row = operator()
    events = [event(subject=row) for _ in range(51)]
    client, place = signed_in(operator("players.view_operator", *READ)), address(Operator, "history", row.pk)
    pages = [get(client, f"{place}?p={number}") for number in (1, 2, 3)]
    shown = [[str(one.pk) in text for one in reversed(events)] for text in pages]
    assert [row.count(True) for row in shown] == [25, 25, 1]
    assert ["Older" in text for text in pages] == [True, True, False]
    assert ["Newer" in text for text in pages] == [False, True, True]
    assert "No operator has acted on it" in get(client, f"{place}?p=4")


def test_audit_list__says_that_nothing_meets_the_conditions(reader: Client) -> None:
    assert "No act meets these conditions." in get(reader, f"{address(AuditEvent)}?operator=nobody")


def test_history__of_nothing_is_no_error(reader: Client) -> None:
    assert (
        signed_in(operator("players.view_game")).get(address(Game, "history", unique("x"))).status_code == 302
    )


def test_export__is_a_file_of_what_was_found_and_an_act() -> None:
    exporter = operator(*READ, "players.export")
    one = event(reason="=1+1", before={"a": 1}, after={"a": "ü"})
    answer = signed_in(exporter).post(address(AuditEvent, "export"), {"action": one.action})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["id"], row["operator"], row["roles"]) == (str(one.pk), one.username, "finance")
    assert (row["reason"], row["before"], row["after"]) == ("'=1+1", '{"a": 1}', '{"a": "ü"}')
    done = AuditEvent.objects.filter(username=exporter.username).latest("pk")
    assert (done.action, done.outcome, done.after) == (
        *("export_audit_trail", "done"),
        {"action": one.action},
    )
    assert done.note == "1 acts were exported."


def test_export__refuses_more_than_it_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("players.admin.audit_events.MOST_EXPORTED", 1)
    client = signed_in(operator(*READ, "players.export"))
    action = event().action
    event(action=action)
    answer = client.post(address(AuditEvent, "export"), {"action": action}, follow=True)
    assert "narrow the conditions" in answer.content.decode()
