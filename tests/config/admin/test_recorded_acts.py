"""Every operation that the admin's own registry has is recorded in the atomic block of what it does."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.contrib import admin
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest
from django.test import Client, RequestFactory
from psycopg import sql

from lib.backoffice.confirmation import Act, BoundAction, PageAction
from lib.backoffice.recorded_acts import RECORDING
from lib.backoffice.recorded_forms import RecordedForms
from players.admin.approved_action import ApprovedAction
from players.admin.guarded_forms import GuardedAdmin
from players.audit_trail.record import events_of
from players.audit_trail.recorder import AuditTrail
from players.models import AuditEvent, Game, Operator
from tests.support.admin_pages import operator, page, rows_of
from tests.support.callers import PlayerSession, make_party
from tests.support.doings import filled
from wallet.admin.wallet_actions import SetLimit
from wallet.models import Transaction, Wallet

PAGES: list[Any] = [page for page in admin.site._registry.values() if page.model._meta.app_label != "auth"]
# Django's, and of the ledger's functions the driver's.
WAITED = (OperationalError, psycopg.errors.LockNotAvailable)


def actions_of(page: Any) -> list[BoundAction]:
    """All acts at the top of a page and above its list, by whatever name."""
    names = {
        name for kind in type(page).__mro__ for name, one in vars(kind).items() if isinstance(one, PageAction)
    }
    return [getattr(page, name) for name in sorted(names)]


ACTIONS = [action for page in PAGES for action in actions_of(page)]


def names_of(actions: list[BoundAction]) -> list[str]:
    return [f"{action.admin.opts.model_name}-{action.action.action_name}" for action in actions]


def request_of(operator: Operator) -> HttpRequest:
    request = RequestFactory().post("/admin/", REMOTE_ADDR="192.0.2.9")
    request.user = operator
    request.session = SessionStore()
    return request


@pytest.fixture
def request_by_boss(boss: Operator) -> HttpRequest:
    return request_of(boss)


def test_registry__has_actions_and_they_are_found() -> None:
    assert {"wallet-freeze", "credential-revoke", "delivery-send_range"} <= set(names_of(ACTIONS))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.model_name)
def test_page__records_its_form_in_place_of_djangos_log(page: Any) -> None:
    assert isinstance(page, RecordedForms)
    for name in ("log_addition", "log_change", "save_form", "history_view"):
        # A guarded form's request is recorded by its own, and the rest as of all forms.
        assert getattr(type(page), name) in (getattr(RecordedForms, name), getattr(GuardedAdmin, name))
    assert not page.has_delete_permission(HttpRequest())
    assert page.actions is None or not page.list_editable


@pytest.mark.parametrize("bound", ACTIONS, ids=names_of(ACTIONS))
def test_action__is_recorded_once_or_not_at_all(
    bound: BoundAction, story: PlayerSession, request_by_boss: HttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = rows_of(story)[bound.admin.model][0]
    action, subject = bound.action, (None if "actions_list" in listed(bound) else row)
    monkeypatch.setattr(type(action), "do", lambda self, act: "It is done.")
    act = Act(request_by_boss, subject, {"reason": "r"})
    own = AuditEvent.objects.filter(username=request_by_boss.user.get_username())

    with transaction.atomic():
        action.perform(bound.admin, act)
        assert own.exists()
        transaction.set_rollback(True)
    assert not own.exists()

    before = action.recorded_state(bound.admin, subject)
    action.perform(bound.admin, act)
    (event,) = own
    assert (event.action, event.outcome, event.note) == (action.action_name, "done", "It is done.")
    assert (event.reason, event.address) == ("r", "192.0.2.9")
    if subject is not None:
        assert (event.subject_id, event.subject_type) == (str(row.pk), row._meta.label_lower)
        assert event.before == event.after
        assert (event.before or {}).keys() == (before or {}).keys()


@pytest.mark.parametrize("bound", ACTIONS, ids=names_of(ACTIONS))
def test_action__waits_for_who_is_changing_its_row(
    bound: BoundAction,
    story: PlayerSession,
    request_by_boss: HttpRequest,
    monkeypatch: pytest.MonkeyPatch,
    owner: "psycopg.Connection[Any]",
) -> None:
    row, action = rows_of(story)[bound.admin.model][0], bound.action
    if isinstance(action, ApprovedAction) or "actions_list" in listed(bound):
        return
    monkeypatch.setattr(type(action), "do", lambda self, act: "It is done.")
    act = Act(request_by_boss, row, {"reason": "r"})
    # Transactions are locked by their wallets.
    held = row.wallet if isinstance(row, Transaction) else row
    table = sql.Identifier(held._meta.db_table)
    with owner.transaction():
        # As any change of its columns does.
        owner.execute(sql.SQL("SELECT FROM {} WHERE id = %s FOR NO KEY UPDATE").format(table), [held.pk])
        with pytest.raises(WAITED, match="lock timeout"):
            perform_impatiently(bound, act)


@transaction.atomic
def perform_impatiently(bound: BoundAction, act: Act[Any]) -> None:
    connection.cursor().execute("SET LOCAL lock_timeout = '20ms'")
    bound.action.perform(bound.admin, act)


def test_action__of_two_at_once_each_records_what_itself_has_changed(
    story: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, set_limit = story.wallet(), SetLimit()
    page: Any = admin.site._registry[Wallet]
    monkeypatch.setattr(RECORDING, "recorder", SlowTrail())
    limits = [1_00, 2_00, 3_00, 4_00]

    requests = {limit: request_of(operator(is_superuser=True)) for limit in limits}

    def bound(limit: int) -> None:
        act = Act(requests[limit], wallet, {"reason": "r", "limit": limit})
        try:
            set_limit.perform(page, act)
        except ValidationError:
            # Looser than what another has just set.
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(len(limits)) as pool:
        list(pool.map(bound, limits))
    found = events_of(wallet).filter(action="set_limit").order_by("pk")
    acts: list[Any] = list(found.values_list("before", "after"))
    steps = [(before["withdrawal_limit"], after["withdrawal_limit"]) for before, after in acts]
    assert [before for before, _ in steps] == [None, *(after for _, after in steps[:-1])]
    assert [after for _, after in steps] == sorted({after for _, after in steps}, reverse=True)
    assert steps[-1][1] == min(limits)


def test_form__before_is_what_another_has_just_saved(
    client: Client, owner: "psycopg.Connection[Any]"
) -> None:
    row = make_party().game
    form = filled(client, page(Game, row), name="Mine")

    def save() -> int:
        try:
            return client.post(page(Game, row), form).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with owner.transaction():
            owner.execute("UPDATE players_game SET name = 'Another' WHERE id = %s", [row.pk])
            saved = pool.submit(save)
            time.sleep(0.5)
        assert saved.result() == 302
    act = events_of(row).get(action="change_game")
    assert ((act.before or {})["name"], (act.after or {})["name"]) == ("Another", "Mine")


class SlowTrail(AuditTrail):
    """It reads a row, and what follows comes a moment later."""

    def state(self, row: Any) -> Any:
        found = super().state(row)
        time.sleep(0.02)
        return found


def listed(bound: BoundAction) -> set[str]:
    """Where the page has the action."""
    places = ("actions_detail", "actions_list")
    names = {name: set(getattr(bound.admin, name, None) or ()) for name in places}
    here = {
        name for kind in type(bound.admin).__mro__ for name, one in vars(kind).items() if one is bound.action
    }
    return {place for place, known in names.items() if known & here}


@pytest.mark.parametrize("bound", ACTIONS, ids=names_of(ACTIONS))
def test_action__is_offered_somewhere_and_goes_the_one_way(bound: BoundAction) -> None:
    assert listed(bound)
    assert type(bound.action).perform is PageAction.perform
