"""Who is sent events next, which ones, and what follows from the answer.

Of one receiver one message is under way at a time, and the next one holds what comes after it: whoever
misses none and repeats none has read the feed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import Exists, OuterRef

from lib.backoffice.languages import stored
from lib.clock import now, timestamp
from lib.http.responses import ENCODER
from lib.ids import new_id
from lib.security import webhook_signatures
from lib.security.encryption import Unreadable
from payments.deliveries.schedule import HOUR, pause_after
from payments.models import EventReceiver, Secret
from payments.providers.signing_secrets import event_secrets
from wallet.alerts import clear_alert, raise_alert
from wallet.events.cursor import TOO_OLD, Cursor, CursorRefused, cursor_at, end_of_feed, require_known
from wallet.events.feed import messages_of, next_events
from wallet.events.message import EventMessage
from wallet.models import Alert, Event
from wallet.models.leased import lease_due

# Longer than a try can take: a lost worker's is sent again after it.
LEASE = timedelta(minutes=2)
MOST_IN_A_MESSAGE = 100
# Looked at for those that a receiver wants.
MOST_READ = 1000
# Not taken for so long, and people hear of it.
PATIENCE = timedelta(hours=1)
GONE = 410
KIND = Alert.Kind.EVENTS_NOT_TAKEN
# What an answer changes, and a resumption.
WRITTEN = (
    *("leased_until", "next_attempt_at", "attempts", "failing_since", "paused_at", "lost_at", "taken_at"),
    *("cursor_day", "cursor_position", "cursor_mark", "batch_id", "batch_end", "batch_at"),
    *("attempted_at", "status", "problem", "took_ms"),
)
NO_KEY = stored("a secret of the receiver was sealed with a key that is not in ENCRYPTION_KEYS")
NO_SECRET = stored("the receiver has no secret")
LOST = stored("the next events are not there any more")
TOO_OLD_TEXT = (
    "The receiver {receiver} is so far behind that some of its events are not kept any more. It has to read "
    "the balances anew; resume it then, at the present end."
)
FOREIGN_TEXT = (
    "The receiver {receiver} has taken events that this database does not have, as after a restore. It has "
    "to read the balances anew; resume it then, at the present end."
)


class EventsData(msgspec.Struct):
    """`after` is the `next` of the message before; None is the beginning of the feed."""

    events: list[EventMessage]
    after: str | None
    next: str


class PushBody(msgspec.Struct):
    """What is posted: events as the feed tells them, and the cursor after them."""

    type: str
    timestamp: str
    data: EventsData


@dataclass(frozen=True, slots=True)
class Push:
    """A message to a receiver, and the place after it."""

    receiver: EventReceiver
    following: Cursor
    count: int
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    problem: str = ""


def cursor_of(receiver: EventReceiver) -> Cursor:
    return Cursor(receiver.cursor_day, receiver.cursor_position, receiver.cursor_mark)


def at_cursor(cursor: Cursor) -> dict[str, object]:
    """The columns of a receiver that has taken everything up to there, and has no message under way."""
    place = {"cursor_day": cursor.day, "cursor_position": cursor.position, "cursor_mark": cursor.mark}
    return {**place, "batch_id": None, "batch_end": None, "batch_at": None}


def lease(
    at: datetime, *, left_out: Collection[UUID] = (), with_failing: bool = True, limit: int = 1
) -> list[EventReceiver]:
    """Takes at most `limit` receivers that are due, without those `left_out`; nobody else sends to them."""
    live = Secret.objects.filter(receiver=OuterRef("pk"), retired_at=None)
    rows = EventReceiver.objects.filter(Exists(live), paused_at=None, lost_at=None).exclude(pk__in=left_out)
    if not with_failing:
        rows = rows.filter(failing_since=None)
    with transaction.atomic():
        taken = lease_due(rows, at, lease=LEASE, limit=limit)
    for receiver in taken:
        receiver.leased_until = at + LEASE
    return taken


def release(receiver: EventReceiver, **changes: object) -> None:
    """Gives a receiver back, unless the lease had run out and somebody else has it."""
    rows = EventReceiver.objects.filter(pk=receiver.pk, leased_until=receiver.leased_until)
    rows.update(leased_until=None, **changes)


def next_push(receiver: EventReceiver) -> Push | None:
    """The message that a leased receiver is sent now; the one that was under way, if it is not taken yet.

    None if there is no event that it wants among the next ones; these are then behind its cursor. Raises
    `CursorRefused` if some of the next ones are not there any more.
    """
    after = cursor_of(receiver)
    require_known(after)
    if receiver.batch_end is None:
        limit = MOST_READ if receiver.types else MOST_IN_A_MESSAGE
    else:
        # Positions have no gap.
        limit = receiver.batch_end - after.position
    events, told = wanted(receiver, next_events(after, limit))
    if not events:
        return None
    following = cursor_at(events[-1])
    if not told:
        skip(receiver, following)
        return None
    if receiver.batch_id is None:
        begin(receiver, following)
    return signed(receiver, told, following)


def wanted(receiver: EventReceiver, events: list[Event]) -> tuple[list[Event], list[EventMessage]]:
    """The first of some events with at most as many as a message holds, and what is told of these."""
    pairs = zip(events, messages_of(events), strict=True)
    beginnings = tuple(receiver.types) or ("",)
    kept = [(number, told) for number, (_, told) in enumerate(pairs) if told.type.startswith(beginnings)]
    if len(kept) > MOST_IN_A_MESSAGE:
        kept = kept[:MOST_IN_A_MESSAGE]
        events = events[: kept[-1][0] + 1]
    return events, [told for _, told in kept]


def skip(receiver: EventReceiver, following: Cursor) -> None:
    """Goes on behind events that the receiver does not want."""
    for name, value in at_cursor(following).items():
        setattr(receiver, name, value)
    mine = EventReceiver.objects.filter(pk=receiver.pk, leased_until=receiver.leased_until, batch_id=None)
    mine.update(**at_cursor(following))


def begin(receiver: EventReceiver, following: Cursor) -> None:
    """Writes down which events the next message has, before it is sent."""
    receiver.batch_id, receiver.batch_end, receiver.batch_at = new_id(), following.position, now()
    EventReceiver.objects.filter(pk=receiver.pk, leased_until=receiver.leased_until).update(
        batch_id=receiver.batch_id, batch_end=receiver.batch_end, batch_at=receiver.batch_at
    )


def signed(receiver: EventReceiver, told: list[EventMessage], following: Cursor) -> Push:
    assert receiver.batch_at is not None
    after = cursor_of(receiver)
    data = EventsData(told, str(after) if after.position else None, str(following))
    body = ENCODER.encode(PushBody("events", timestamp(receiver.batch_at), data))
    try:
        secrets = event_secrets(receiver)
    except Unreadable:
        return Push(receiver, following, len(told), b"", {}, NO_KEY)
    if not secrets:
        return Push(receiver, following, len(told), b"", {}, NO_SECRET)
    at = int(now().timestamp())
    headers = webhook_signatures.headers(str(receiver.batch_id), at, body, secrets)
    return Push(receiver, following, len(told), body, headers)


def record_answer(push: Push, *, status: int | None, problem: str, took_ms: int | None) -> bool:
    """Writes down what came of a message, and does what follows. Returns whether it is taken.

    Nothing is written if the lease had run out, or the receiver was changed meanwhile: then the same events
    are sent again.
    """
    at, is_taken = now(), status is not None and 200 <= status < 300
    with transaction.atomic():
        rows = EventReceiver.objects.select_for_update().filter(pk=push.receiver.pk)
        receiver = rows.filter(leased_until=push.receiver.leased_until).first()
        if receiver is None:
            return False
        receiver.leased_until = None
        receiver.attempted_at, receiver.status, receiver.took_ms = at, status, took_ms
        receiver.problem = problem[:120]
        if receiver.batch_id != push.receiver.batch_id:
            is_taken = False
        elif is_taken:
            taken(receiver, push.following, at)
        else:
            failed(receiver, status, at)
        receiver.save(update_fields=WRITTEN)
    return is_taken


def taken(receiver: EventReceiver, following: Cursor, at: datetime) -> None:
    for name, value in at_cursor(following).items():
        setattr(receiver, name, value)
    receiver.attempts, receiver.failing_since, receiver.taken_at, receiver.next_attempt_at = 0, None, at, at
    clear_alert(KIND, str(receiver.pk), reason="The receiver takes events again.")


def failed(receiver: EventReceiver, status: int | None, at: datetime) -> None:
    """The same again after a pause, for ever: later events must not overtake these.

    Unless the receiver has said that it wants none (410): then an operator has to.
    """
    receiver.attempts += 1
    receiver.failing_since = receiver.failing_since or at
    receiver.next_attempt_at = at + (pause_after(receiver.attempts) or HOUR)
    if status == GONE:
        receiver.paused_at = receiver.paused_at or at
        text = f"The receiver {receiver} answered 410 to events, and is paused until an operator resumes it."
        raise_alert(KIND, str(receiver.pk), text)


def lose(receiver: EventReceiver, problem: CursorRefused) -> None:
    """Stops sending: the events after the cursor are not there any more."""
    release(receiver, lost_at=now(), problem=LOST)
    why = TOO_OLD_TEXT if str(problem) == TOO_OLD else FOREIGN_TEXT
    raise_alert(KIND, str(receiver.pk), why.format(receiver=receiver))


def watch_failing(at: datetime) -> None:
    """Tells people of receivers that have not taken for an hour what they are sent."""
    late = EventReceiver.objects.filter(failing_since__lte=at - PATIENCE, paused_at=None, lost_at=None)
    for receiver in late:
        text = (
            f"The receiver {receiver} has not taken events since {receiver.failing_since:%Y-%m-%d %H:%M} UTC."
        )
        raise_alert(KIND, str(receiver.pk), text)


def begin_at_end(receiver: EventReceiver) -> None:
    """Sets what a new receiver, or one that lost events, begins with: the present end of the feed."""
    for name, value in at_cursor(end_of_feed()).items():
        setattr(receiver, name, value)
    receiver.next_attempt_at = now()


def begin_anew(receiver: EventReceiver) -> tuple[str, ...]:
    """Sets what follows from another URL or other types: the next message has an id of its own, and is sent
    at once. Returns the names of the columns.
    """
    receiver.batch_id = receiver.batch_end = receiver.batch_at = receiver.failing_since = None
    receiver.attempts, receiver.next_attempt_at = 0, now()
    return ("batch_id", "batch_end", "batch_at", "failing_since", "attempts", "next_attempt_at")


def pause_receiver(receiver: EventReceiver) -> bool:
    """Sends a receiver nothing until it is resumed. Returns whether that is new."""
    return bool(EventReceiver.objects.filter(pk=receiver.pk, paused_at=None).update(paused_at=now()))


def resume_receiver(receiver: EventReceiver) -> bool:
    """Goes on at once where it ended, or at the present end if the next events are lost.

    One that fails is tried at once. Returns whether there was anything to resume.
    """
    with transaction.atomic():
        row = EventReceiver.objects.select_for_update().get(pk=receiver.pk)
        if not (row.paused_at or row.lost_at or row.failing_since):
            return False
        if row.lost_at is not None:
            begin_at_end(row)
        row.paused_at = row.lost_at = row.failing_since = None
        row.attempts, row.next_attempt_at = 0, now()
        row.save(update_fields=WRITTEN)
        clear_alert(KIND, str(row.pk), reason="An operator has resumed it.")
    return True
