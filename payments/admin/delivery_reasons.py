"""Since when a game does not take what was paid, and what comes next, in a sentence for operators."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, Count, F, Max, Min, Window

from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.stored_texts import reworded_failure
from lib.clock import in_words
from payments.models import Delivery, DeliveryAttempt

State = Delivery.State


@dataclass(frozen=True, slots=True)
class Failures:
    """The attempts to deliver that failed one after another: since when, how many, and the last of them.

    `is_same` says whether all of them had the same status, or all of them none.
    """

    since: datetime
    number: int
    last: DeliveryAttempt
    is_same: bool


def failures_of(deliveries: Iterable[Delivery]) -> dict[UUID, Failures]:
    """The failures of deliveries, by their ids; by one query for all of them."""
    # What the game has never taken has nothing but failures, so the first attempt began them.
    untaken = [delivery.pk for delivery in deliveries if delivery.delivered_at is None]
    ended = DeliveryAttempt.objects.filter(delivery__in=untaken).exclude(ended_at=None)
    counted = ended.annotate(
        since=of_delivery(Min("began_at")),
        number=of_delivery(Count("pk")),
        answered=of_delivery(Count("status")),
        lowest=of_delivery(Min("status")),
        highest=of_delivery(Max("status")),
    )
    last = counted.order_by("delivery_id", F("pk").desc()).distinct("delivery_id")
    return {row.delivery_id: Failures(row.since, row.number, row, is_same(row)) for row in last}


def of_delivery(sum: Aggregate) -> Window:
    return Window(sum, partition_by=F("delivery"))


def is_same(row: Any) -> bool:
    return row.lowest == row.highest and row.answered in (0, row.number)


# --- The sentence -----------------------------------------------------------------------------------------


def undelivered(delivery: Delivery | None, failures: Failures | None, *, is_paused: bool) -> str:
    """Why the game has not taken the delivery yet."""
    if delivery is None:
        return _("the game has not been told yet.")
    if failures is None and delivery.state == State.PENDING and not is_paused:
        return _("the game is being told.")
    told = [failing(failures)] if failures else []
    return f"{'; '.join([*told, str(following(delivery, is_paused=is_paused))])}."


def failing(failures: Failures) -> str:
    """How the game fails, and since when."""
    last, since = failures.last, in_words(failures.since)
    attempts = in_number(failures.number)
    if failures.is_same and last.status is not None:
        words = _("the game answers {status} since {since} ({attempts})")
        return words.format(status=last.status, since=since, attempts=attempts)
    if failures.is_same:
        words = _("the game gives no answer since {since} ({attempts}, the last: {last})")
    else:
        words = _("the game fails since {since} ({attempts}, the last: {last})")
    return words.format(since=since, attempts=attempts, last=last.status or reworded_failure(last.problem))


def in_number(attempts: int) -> str:
    """So many attempts, in words."""
    return ngettext_lazy("{number} attempt", "{number} attempts", attempts).format(number=f"{attempts:,}")


def following(delivery: Delivery, *, is_paused: bool) -> str:
    """What comes next."""
    match delivery.state:
        case State.GONE:
            return _("it has stopped its delivery by that: no attempt follows")
        case State.EXHAUSTED:
            return _("given up after 48 hours: no attempt follows")
        case State.PENDING if is_paused:
            return _("deliveries to this game are paused")
        case State.PENDING if delivery.next_attempt_at:
            return _("next attempt at {at}").format(at=in_words(delivery.next_attempt_at))
    return _("its delivery is {state}").format(state=delivery.get_state_display())
