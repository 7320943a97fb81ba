"""Every act of the admin's registry, really done: its row in the audit trail, and nothing without it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from players.audit_trail.snapshots import stored
from players.models import Approval, AuditEvent, Operator
from tests.support.account_acts import OWN_ACTS
from tests.support.admin_acts import ACTS
from tests.support.admin_urls import pages_of, patterns
from tests.support.callers import PlayerSession
from tests.support.doings import Doing, Stage
from tests.support.list_acts import LIST_ACTS
from tests.support.shop import ShopSetup
from tests.support.standby import noting_readers
from tests.support.switches import restored
from tests.support.written_rows import WrittenRows, written_rows

# Pages of the site itself that do nothing; a passkey's ceremony begins with a question.
OF_READERS = {
    *(
        "index",
        "app_list",
        "search",
        "find",
        "error_codes",
        "bulk_report",
        "autocomplete",
        "view_on_site",
        "jsi18n",
    ),
    *("password_change_done", "language", "integration_games", "integration", "all_reports", "report"),
    *("factors", "own_sessions", "add_passkey", "begin_passkey", "begin_show_passkey"),
}
READING = {"changelist", "history", "delete", "find", "raw", ""}
# A file is begun and ended by acts; until it is ended its parts are nothing yet. Progress is only read.
OF_FILES = {"payments.reconciliationfile.part", "payments.reconciliationfile.progress"}
TRAIL = "players_auditevent"
# A cookie's session is written after the page.
NO_ACTS = {"django_session"}


def acts_found() -> set[str]:
    """The acts that the registry has, by their addresses."""
    found = set()
    for page in admin.site._registry.values():
        model = f"{page.opts.app_label}.{page.opts.model_name}"
        forms: Any = {"add": page.add_permission, "change": page.change_permission}  # type: ignore[attr-defined]
        absent = {name for name, permission in forms.items() if permission is None}
        found |= {f"{model}.{name}" for name in set(pages_of(model)) - READING - absent}
    return found - OF_FILES


@pytest.fixture(scope="module")
def rows(owner: "psycopg.Connection[Any]", database: None) -> Iterator[WrittenRows]:
    with written_rows(owner) as rows:
        yield rows


@pytest.fixture
def stage(
    boss: Operator, player_session: PlayerSession, shop_setup: ShopSetup, settings: Any
) -> Iterator[Stage]:
    # The sandbox takes refunds.
    settings.DEMO = True
    client = Client(raise_request_exception=False)
    client.force_login(boss)
    with restored():
        yield Stage(boss, client, player_session, shop_setup)


@pytest.fixture(autouse=True)
def standby_readers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """Whatever is decided here, no standby is asked; only files of lists are read there."""
    with noting_readers(monkeypatch, tmp_path) as noted:
        yield
    assert noted == [] or "export" in request.node.name


def test_acts__all_of_the_registry_are_done_here() -> None:
    assert {name.split(" ")[0] for name in ACTS} == acts_found()


def events_since(newest: AuditEvent | None) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(pk__gt=newest.pk if newest else UUID(int=0)).order_by("pk"))


def key_of(row: Model | None) -> str:
    return str(row.pk) if row else ""


def now_of(row: Model | None) -> Any:
    return stored(row) if row else None


@pytest.mark.parametrize("name", [*ACTS, *LIST_ACTS])
def test_act__is_recorded_with_what_it_did_or_not_at_all(name: str, stage: Stage, rows: WrittenRows) -> None:
    doing = (ACTS | LIST_ACTS)[name](stage)
    before, newest = now_of(doing.row), AuditEvent.objects.order_by("-pk").first()

    # The act comes to its end, and then its transaction does not.
    with rows.spoiled(), rows.noted() as writes:
        assert doing.send().status_code == 500
    assert {(write.table, write.what) for write in writes} == {(TRAIL, "insert")}
    assert now_of(doing.row) == before
    [event] = events_since(newest)
    assert (event.action, event.outcome, event.subject_id) == (doing.missed, "failed", key_of(doing.row))

    with rows.noted() as writes:
        assert doing.send().status_code in (200, 302)
    assert len({write.transaction for write in writes if write.table not in NO_ACTS}) == 1
    [done] = [one for one in events_since(event) if one.action == doing.action]
    assert (done.outcome, done.username, bool(done.address)) == ("done", stage.boss.username, True)
    assert_told(done, doing, before)


def assert_told(event: AuditEvent, doing: Doing, before: Any) -> None:
    """The row of an act says what the database had before and after it."""
    if doing.is_request:
        approval = Approval.objects.latest("pk")
        assert (event.before, event.after, approval.state) == (None, None, "requested")
        assert event.subject_id == key_of(doing.row or approval)
    elif doing.is_removal:
        assert (event.subject_id, event.before, event.after) == (key_of(doing.row), before, None)
        assert now_of(doing.row) is None
    elif doing.row is not None:
        after = now_of(doing.row)
        assert event.subject_id == key_of(doing.row)
        assert {name for name in after if after[name] != before[name]} == doing.changes
        assert (common(event.before, before), common(event.after, after)) == (before, after)
    else:
        assert event.before is None
        assert event.after


def common(state: Any, known: Any) -> Any:
    """Of a recorded state what is known of the row itself: a page may add other rows to it."""
    return {name: state[name] for name in known}


# --- On one's own account ---------------------------------------------------------------------------------


def test_own_acts__all_of_the_site_are_done_here() -> None:
    names = {str(pattern.name) for pattern in patterns()[""]} - {"None"}
    assert names - OF_READERS == (set(OWN_ACTS) - {"new_password"}) | set(LIST_ACTS)


@pytest.mark.parametrize("name", OWN_ACTS)
def test_own_act__is_recorded_with_what_it_did_or_not_at_all(name: str, rows: WrittenRows) -> None:
    doing = OWN_ACTS[name]()
    newest = AuditEvent.objects.order_by("-pk").first()
    passed_over = NO_ACTS | doing.apart

    with rows.spoiled(), rows.noted() as writes:
        assert doing.send().status_code == 500
    assert {write.table for write in writes} <= passed_over
    assert events_since(newest) == []

    with rows.noted() as writes:
        assert doing.send().status_code in (200, 302)
    assert len({write.transaction for write in writes if write.table not in passed_over}) == 1
    events = events_since(newest)
    assert [event.action for event in events] == doing.actions
    told = {(event.outcome, event.username, event.subject_id) for event in events}
    assert told == {("done", doing.who.username, str(doing.who.pk))}
