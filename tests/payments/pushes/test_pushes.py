"""Events are sent in their order, at least once, and whoever takes none holds up nobody else."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction

from config.gauges import read_payments
from lib.clock import now
from lib.ids import new_id
from payments.approvals.endpoints import RECEIVER_CHANGE
from payments.models import EventReceiver
from payments.pushes import operations
from payments.pushes.operations import (
    LEASE,
    lease,
    next_push,
    pause_receiver,
    record_answer,
    resume_receiver,
)
from payments.pushes.worker import PushResponse, push_due, send
from payments.tasks import push_events_task
from players.approvals.kinds import Execution, NotExecutable
from tests.conftest import Clock
from tests.support.admin_pages import operator
from tests.support.callers import Callers, PlayerSession, unique
from tests.support.event_feed import feed_end
from tests.support.event_receiver_server import ReceiverServer, receiver_at, receiving
from tests.support.game_order_server import answers, closes, hangs, late
from wallet.events.cursor import Cursor, cursor_at
from wallet.job_runs import Run
from wallet.models import Alert, Event, EventHead


@pytest.fixture(autouse=True)
def only_ours(database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Other tests' receivers get nothing, and those of a test nothing after it."""
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", 0.4)
    EventReceiver.objects.filter(paused_at=None).update(paused_at=now())
    feed_end()
    yield
    EventReceiver.objects.filter(paused_at=None).update(paused_at=now())


@pytest.fixture
def server() -> Iterator[ReceiverServer]:
    with receiving() as server:
        yield server
    assert server.problems == []


@pytest.fixture
def receiver(player_session: PlayerSession, server: ReceiverServer) -> EventReceiver:
    return receiver_at(server)


def push() -> Run:
    run = Run("push_events")
    push_due(run)
    return run


def fresh(receiver: EventReceiver) -> EventReceiver:
    return EventReceiver.objects.get(pk=receiver.pk)


def book(player_session: PlayerSession, times: int = 1) -> None:
    for _ in range(times):
        player_session.adjust("credit", 1)


def lines(server: ReceiverServer) -> list[int]:
    return [event["line"] for event in server.events]


def alerts(receiver: EventReceiver) -> list[str]:
    rows = Alert.objects.filter(kind="events_not_taken", subject=str(receiver.pk), resolved_at=None)
    return list(rows.values_list("text", flat=True))


# --- In order, at least once ----------------------------------------------------------------------------


def test_push__sends_events_as_the_feed_tells_them(
    callers: Callers, player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer
) -> None:
    before = feed_end()
    book(player_session, 2)
    push_events_task()
    feed = callers.front.send("GET", f"/entry/events?after={before}").body
    [sent] = server.sent
    assert sent.data == {"events": feed["events"], "after": before, "next": feed["next"]}
    assert len(sent.data["events"]) == 2
    assert str(operations.cursor_of(fresh(receiver))) == feed["next"]
    assert push().looked_at == 0
    assert len(server.sent) == 1


def test_push__divides_many_into_messages_that_follow_each_other(
    player_session: PlayerSession,
    receiver: EventReceiver,
    server: ReceiverServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "MOST_IN_A_MESSAGE", 2)
    first = player_session.wallet().entry_count + 1
    book(player_session, 5)
    assert push().done == 5
    assert lines(server) == list(range(first, first + 5))
    assert [len(one.types) for one in server.sent] == [2, 2, 1]
    places = [(one.data["after"], one.data["next"]) for one in server.sent]
    assert [after for after, _ in places[1:]] == [following for _, following in places[:-1]]
    assert len({one.id for one in server.sent}) == 3


@pytest.mark.parametrize("failure", [answers(500), answers(302), closes, late(0.6)])
def test_push__repeats_the_same_message_until_it_is_taken(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer, clock: Clock, failure: Any
) -> None:
    server.turns = [failure, answers(200)]
    book(player_session)
    assert (push().done, fresh(receiver).attempts) == (0, 1)
    book(player_session)
    assert push().looked_at == 0
    clock.go_ahead(timedelta(seconds=6))
    assert push().done == 2
    first, again, following = server.sent
    assert first == again
    assert (len(first.data["events"]), len(following.data["events"])) == (1, 1)
    assert following.data["after"] == first.data["next"]
    assert (fresh(receiver).attempts, fresh(receiver).failing_since) == (0, None)


def test_push__repeats_what_a_lost_worker_had_sent(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer, clock: Clock
) -> None:
    book(player_session)
    feed_end()
    [leased] = lease(now())
    message = next_push(leased)
    assert message
    assert send(message).status == 200
    # It dies here. Its lease holds for a while.
    book(player_session)
    assert push().looked_at == 0
    clock.go_ahead(LEASE + timedelta(seconds=1))
    assert push().done == 2
    assert server.sent[0] == server.sent[1]
    assert len(server.sent) == 3
    # It comes back after all: what it writes is too late.
    assert not record_answer(message, status=500, problem="status 500", took_ms=1)
    assert fresh(receiver).attempts == 0


def test_push__is_tried_for_ever_at_last_every_hour(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer
) -> None:
    server.turns = [answers(500)]
    EventReceiver.objects.filter(pk=receiver.pk).update(attempts=1000)
    book(player_session)
    push()
    row = fresh(receiver)
    assert row.attempted_at
    assert row.next_attempt_at
    assert row.next_attempt_at - row.attempted_at == timedelta(hours=1)
    assert (row.status, row.problem, row.paused_at) == (500, "status 500", None)


# --- Which ----------------------------------------------------------------------------------------------


def test_types__others_are_left_out_and_passed(player_session: PlayerSession, server: ReceiverServer) -> None:
    receiver = receiver_at(server, types=["withdrawal.", "wallet.frozen"])
    book(player_session, 3)
    player_session.opened("withdraw", "1.00")
    book(player_session)
    push()
    assert [one.types for one in server.sent] == [["withdrawal.opened"]]
    assert fresh(receiver).cursor_position == EventHead.objects.get().position
    book(player_session)
    assert push().done == 0
    assert fresh(receiver).cursor_position == EventHead.objects.get().position


def test_types__end_a_message_at_the_last_that_it_holds(
    player_session: PlayerSession, server: ReceiverServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST_IN_A_MESSAGE", 1)
    receiver_at(server, types=["credit."])
    for _ in range(2):
        book(player_session)
        player_session.opened("withdraw", "0.01")
    push()
    assert [one.types for one in server.sent] == [["credit.adjusted"]] * 2


# --- Nobody holds up another ----------------------------------------------------------------------------


def test_push__one_that_hangs_holds_up_no_other(
    player_session: PlayerSession, server: ReceiverServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "MOST_IN_A_MESSAGE", 1)
    with receiving() as other:
        other.turns = [hangs]
        hanging, quick = receiver_at(other), receiver_at(server)
        book(player_session, 3)
        push()
    assert (len(other.sent), len(server.sent)) == (1, 3)
    assert (fresh(hanging).attempts, fresh(quick).attempts) == (1, 0)


def test_push__two_workers_send_nothing_twice(
    player_session: PlayerSession,
    receiver: EventReceiver,
    server: ReceiverServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operations, "MOST_IN_A_MESSAGE", 1)
    server.turns = [late(0.05)]
    book(player_session, 8)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(in_thread, push) for _ in range(2)]
        assert sum(one.result().done for one in runs) == 8
    assert len(server.sent) == 8
    assert (lines(server), server.overlaps) == (sorted(lines(server)), [])


def in_thread(work: Callable[[], Run]) -> Run:
    try:
        return work()
    finally:
        connection.close()


def test_push__nobody_without_a_secret_and_none_that_is_retired(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer
) -> None:
    receiver.secrets.update(retired_at=now(), retired_by="test")
    book(player_session)
    assert push().looked_at == 0
    assert (server.sent, fresh(receiver).attempts) == ([], 0)


def test_push__sends_nothing_where_the_database_is_divided(
    player_session: PlayerSession,
    receiver: EventReceiver,
    server: ReceiverServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book(player_session)
    monkeypatch.setattr(settings, "DATABASE_DISTRIBUTED", True)
    assert push().looked_at == 0
    assert server.sent == []


# --- What people hear of --------------------------------------------------------------------------------


def test_gauge__says_how_many_wait_for_each(player_session: PlayerSession, receiver: EventReceiver) -> None:
    book(player_session, 2)
    feed_end()
    families = {family.name: family for family in read_payments()}
    samples = families["wallet_events_waiting"].samples
    assert {one.labels["receiver"]: one.value for one in samples}[receiver.name] == 2


def test_change__begins_at_the_end_and_never_where_there_is_no_feed(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = EventReceiver(name=unique("receiver"), url="https://platform.example/events")
    payload = RECEIVER_CHANGE.payload_of(row, None, RECEIVER_CHANGE.values(row))
    boss, end = operator(), feed_end()
    execution = Execution(new_id(), boss, boss, "Ticket 7")
    with transaction.atomic():
        RECEIVER_CHANGE.execute(payload, execution)
    assert str(operations.cursor_of(fresh(row))) == end
    again = EventReceiver(name=unique("receiver"), url="https://platform.example/events")
    monkeypatch.setattr(settings, "DATABASE_DISTRIBUTED", True)
    with pytest.raises(NotExecutable, match="divided over several machines"):
        RECEIVER_CHANGE.preview(RECEIVER_CHANGE.payload_of(again, None, RECEIVER_CHANGE.values(again)))


def test_change__of_the_types_gives_the_events_another_id(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer
) -> None:
    server.turns = [answers(500), answers(200)]
    book(player_session)
    push()
    before, boss = RECEIVER_CHANGE.values(fresh(receiver)), operator()
    payload = RECEIVER_CHANGE.payload_of(receiver, before, {**before, "types": ["credit."]})
    with transaction.atomic():
        RECEIVER_CHANGE.execute(payload, Execution(new_id(), boss, boss, "Ticket 7"))
    assert push().done == 1
    assert [one.data["events"] for one in server.sent] == [server.sent[0].data["events"]] * 2
    assert server.sent[0].id != server.sent[1].id


def test_alert__after_an_hour_until_it_takes_events(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer, clock: Clock
) -> None:
    server.turns = [answers(503)]
    book(player_session)
    push()
    clock.go_ahead(timedelta(minutes=59))
    push()
    assert alerts(receiver) == []
    clock.go_ahead(timedelta(minutes=61))
    push()
    [text] = alerts(receiver)
    assert "has not taken events since" in text
    server.turns = [answers(200)]
    clock.go_ahead(timedelta(hours=3))
    push()
    assert alerts(receiver) == []


def test_gone__pauses_until_an_operator_resumes_it_where_it_ended(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer, clock: Clock
) -> None:
    server.turns = [answers(410)]
    book(player_session)
    push()
    assert fresh(receiver).paused_at
    assert "410" in alerts(receiver)[0]
    clock.go_ahead(timedelta(hours=2))
    assert push().looked_at == 0
    server.turns = [answers(200)]
    assert resume_receiver(receiver)
    assert alerts(receiver) == []
    assert push().done == 1
    assert server.sent[0] == server.sent[1]


def test_resume__has_one_that_fails_tried_at_once(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer
) -> None:
    server.turns = [answers(500), answers(200)]
    book(player_session)
    push()
    assert push().looked_at == 0
    assert resume_receiver(receiver)
    assert push().done == 1
    assert server.sent[0] == server.sent[1]


def test_pause__sends_nothing_and_loses_nothing(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer
) -> None:
    assert (pause_receiver(receiver), pause_receiver(receiver)) == (True, False)
    book(player_session)
    assert push().looked_at == 0
    assert (resume_receiver(receiver), resume_receiver(receiver)) == (True, False)
    assert push().done == 1


@pytest.mark.parametrize(
    ("place", "sentence"), [("dropped", "not kept any more"), ("foreign", "as after a restore")]
)
def test_cursor__that_is_lost_waits_for_an_operator(
    player_session: PlayerSession,
    receiver: EventReceiver,
    server: ReceiverServer,
    owner: Any,
    place: str,
    sentence: str,
) -> None:
    book(player_session, 2)
    last = feed_end()
    if place == "foreign":
        EventReceiver.objects.filter(pk=receiver.pk).update(cursor_mark="00000000")
    else:
        # As if it had begun with an empty feed, and some were dropped since.
        EventReceiver.objects.filter(pk=receiver.pk).update(**operations.at_cursor(Cursor()))
        owner.execute("UPDATE wallet_eventhead SET dropped_position = dropped_position + 1")
    try:
        push()
    finally:
        if place == "dropped":
            owner.execute("UPDATE wallet_eventhead SET dropped_position = dropped_position - 1")
    assert server.sent == []
    assert sentence in alerts(receiver)[0]
    assert push().looked_at == 0
    assert resume_receiver(receiver)
    assert (alerts(receiver), fresh(receiver).lost_at) == ([], None)
    assert str(operations.cursor_of(fresh(receiver))) == last
    book(player_session)
    assert push().done == 1
    last_event = Event.objects.order_by("-position").first()
    assert last_event
    assert server.sent[0].data["next"] == str(cursor_at(last_event))


def test_answer__of_another_message_changes_nothing(
    player_session: PlayerSession, receiver: EventReceiver, server: ReceiverServer
) -> None:
    """An operator changed what is sent while an answer was awaited: the events are sent again."""
    book(player_session)
    feed_end()
    [leased] = lease(now())
    message = next_push(leased)
    assert message
    row = fresh(receiver)
    row.save(update_fields=operations.begin_anew(row))
    answer = PushResponse(200)
    assert not record_answer(message, status=answer.status, problem="", took_ms=1)
    assert fresh(receiver).cursor_position == leased.cursor_position
    assert push().done == 1


def test_answer__too_late_leaves_the_other_workers_lease(
    player_session: PlayerSession, receiver: EventReceiver, clock: Clock
) -> None:
    book(player_session)
    feed_end()
    [first] = lease(now())
    message = next_push(first)
    assert message
    clock.go_ahead(LEASE + timedelta(seconds=1))
    [second] = lease(now())
    assert not record_answer(message, status=200, problem="", took_ms=1)
    row = fresh(receiver)
    assert (row.leased_until, row.cursor_position) == (second.leased_until, second.cursor_position)
