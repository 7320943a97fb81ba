"""Rows that a worker takes for a time, so that a lost worker's are taken by another."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet

Row = TypeVar("Row", bound="Leased")


class Leased(models.Model):
    """A row that is due at `next_attempt_at` (absent: not any more), and a worker's until `leased_until`."""

    next_attempt_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


def lease_due(
    rows: "QuerySet[Row]",
    at: datetime,
    *,
    lease: timedelta,
    limit: int,
    related: Sequence[str] = (),
    **changes: Any,
) -> list[Row]:
    """Takes at most `limit` of the rows that are due at a moment and nobody's, and writes that down.

    The longest due come first. The rows are given as they were before `changes`. The caller is in an atomic
    block; rows that somebody else is taking in the same instant are left to them.
    """
    free = rows.filter(next_attempt_at__lte=at).filter(Q(leased_until=None) | Q(leased_until__lte=at))
    due = free.order_by("next_attempt_at").select_for_update(of=("self",), skip_locked=True)
    taken = list(due.select_related(*related)[:limit] if related else due[:limit])
    every = rows.model._default_manager  # noqa: SLF001 (documented)
    every.filter(pk__in=[row.pk for row in taken]).update(leased_until=at + lease, **changes)
    return taken


def fair_share(under_way: Counter[UUID], most_of_one: int) -> tuple[set[UUID], int]:
    """Whom to take nothing of now, and how many rows of the others may be taken at once.

    `under_way` counts the calls that wait for each partner's answer. Even if all that are taken are one
    partner's, no more than `most_of_one` of its calls are under way: one that is slow leaves the others their
    places.
    """
    full = {partner for partner, count in under_way.items() if count >= most_of_one}
    widest = max((count for partner, count in under_way.items() if partner not in full), default=0)
    return full, most_of_one - widest
