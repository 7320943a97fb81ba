"""Acts in the audit trail: what stands in a row, when there is one, and that it stays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import ProgrammingError, connection
from django.db.utils import Error

from lib.backoffice.pages import view_permission
from payments.models import Order
from players.audit_trail.record import Origin, record_act, session_name
from players.models import AuditEvent, Game, Operator, OperatorSession, Player
from tests.conftest import Clock
from tests.support.admin_pages import address, operator, page, signed_in, with_reason
from tests.support.callers import Callers, PlayerSession, unique
from tests.support.shop import make_shop_setup
from wallet.admin import wallet_actions
from wallet.models import Wallet
from wallet.operations import freeze_wallet

FREEZE = ("wallet.view_wallet", "wallet.freeze_wallet")


def events_of(row: Any) -> list[Any]:
    return list(AuditEvent.objects.filter(subject_id=str(row.pk)).order_by("pk"))


def test_act__is_recorded_with_who_from_where_before_and_after(player_session: PlayerSession) -> None:
    who, wallet = operator(*FREEZE, is_superuser=True), player_session.wallet()
    client = signed_in(who)
    client.post(page(Wallet, wallet, "freeze"), {"reason": "a leak"}, headers={"X-Request-ID": "of mine"})
    (event,) = events_of(wallet)
    assert (event.operator, event.username, event.roles) == (who, who.username, ["superuser"])
    assert (event.action, event.outcome, event.reason) == ("freeze", "done", "a leak")
    assert (event.note, event.address) == ("Withdrawals are frozen.", "127.0.0.1")
    assert (event.subject_type, event.subject_name) == ("wallet.wallet", str(wallet))
    assert event.session == session_name(client.session[OperatorSession.KEY])
    assert len(event.request_id) == 32
    assert (event.before["frozen_at"], event.after["frozen_at"][:2]) == (None, "20")
    assert {name for name in event.before if event.before[name] != event.after[name]} == {
        *("entry_count", "frozen_at")
    }


def test_denied_act__is_recorded(player_session: PlayerSession) -> None:
    viewer, wallet = operator("wallet.view_wallet"), player_session.wallet()
    assert signed_in(viewer).post(page(Wallet, wallet, "freeze"), {"reason": "r"}).status_code == 403
    (event,) = events_of(wallet)
    assert (event.username, event.outcome, event.before, event.after) == (
        viewer.username,
        "denied",
        None,
        None,
    )


def test_failed_act__is_recorded_without_its_effect(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, wallet = signed_in(operator(*FREEZE)), player_session.wallet()
    done = freeze_wallet

    def break_down(*args: Any, **named: Any) -> bool:
        done(*args, **named)
        raise RuntimeError("the secret is abc")

    monkeypatch.setattr(wallet_actions, "freeze_wallet", break_down)
    with pytest.raises(RuntimeError):
        client.post(page(Wallet, wallet, "freeze"), {"reason": "a leak"})
    (event,) = events_of(wallet)
    assert (event.outcome, event.note, event.reason) == ("failed", "RuntimeError", "a leak")
    assert player_session.wallet().frozen_at is None


def test_act__is_not_done_if_it_cannot_be_recorded(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, wallet = signed_in(operator(*FREEZE)), player_session.wallet()

    def refuse(*args: Any, **named: Any) -> AuditEvent:
        raise Error("no room")

    monkeypatch.setattr("players.audit_trail.recorder.record_act", refuse)
    with pytest.raises(Error, match="no room"):
        client.post(page(Wallet, wallet, "freeze"), {"reason": "a leak"})
    assert (player_session.wallet().frozen_at, events_of(wallet)) == (None, [])


def test_form__is_recorded_with_before_and_after() -> None:
    client = signed_in(operator("players.view_game", "players.change_endpoints"))
    given = {
        "name": "Second",
        "launch_url": "https://g.example/",
        "is_active": "on",
        "pending_hours": "",
        "unanswered_policy": "hold",
        "query_url": "",
        "query_username": "",
    }
    game = Game.objects.create(
        slug=unique("g"), name="First", launch_url=given["launch_url"], unanswered_policy="hold"
    )
    assert client.post(page(Game, game), with_reason(given)).status_code == 302
    (changed,) = events_of(game)
    assert (changed.action, changed.note, changed.reason) == ("change_game", "Changed Name.", "Ticket 7")
    assert (changed.before["name"], changed.after) == ("First", {**changed.before, "name": "Second"})


def test_denied_form__is_recorded() -> None:
    game = Game.objects.order_by("pk")[0]
    viewer = operator("players.view_game")
    assert signed_in(viewer).post(page(Game, game), {"name": "Mine"}).status_code == 403
    event = events_of(game)[-1]
    assert (event.username, event.action, event.outcome) == (viewer.username, "change_game", "denied")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE players_auditevent SET reason = ''", "DELETE FROM players_auditevent"],
)
def test_audit_events__are_never_changed_nor_deleted(
    owner: "psycopg.Connection[Any]", statement: str
) -> None:
    record_act(Origin.machine("test"), action="test", subject=None)
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(statement)
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute(statement)


def test_audit_events__are_never_truncated(owner: "psycopg.Connection[Any]") -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("TRUNCATE players_auditevent CASCADE")


@pytest.mark.parametrize("model", [Player, Order, Operator])
def test_look__at_a_person_is_recorded_once_an_hour(
    model: Any, player_session: PlayerSession, callers: Callers, clock: Clock
) -> None:
    clock.stand(moment := datetime(2032, 2, 3, 12, 0, tzinfo=UTC))
    person: Any = operator()
    if model is Player:
        person = player_session.player
    elif model is Order:
        person = make_shop_setup(callers).order()
    viewer, other = (operator(view_permission(model)) for _ in range(2))
    browser = signed_in(viewer)
    for _ in range(2):
        assert browser.get(page(model, person)).status_code == 200
    assert signed_in(other).get(page(model, person)).status_code == 200
    assert looks(person) == [viewer.username, other.username]
    # A list, and who is denied the page, see nothing of it.
    assert browser.get(address(model)).status_code == 200
    assert signed_in(operator()).get(page(model, person)).status_code == 403
    clock.stand(moment + timedelta(minutes=59))
    browser.get(page(model, person))
    assert looks(person) == [viewer.username, other.username]
    clock.stand(moment + timedelta(minutes=61))
    signed_in(viewer).get(page(model, person))
    assert looks(person) == [viewer.username, other.username, viewer.username]


def looks(row: Any) -> list[str]:
    return [event.username for event in events_of(row) if event.action == "view_personal_data"]
