"""What an act on many rows did with each. The kit knows no models: an app says where reports are kept."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Model, TextChoices
from django.http import HttpRequest

from lib.backoffice.formatting import counted
from lib.backoffice.languages import _
from lib.database import FAILURES, drop_unfit_connection
from lib.ids import new_id

logger = logging.getLogger(__name__)
# A report has a line for each of so many rows; an act that touches more says how many these are.
MOST_REPORTED = 1_000
BATCH = 100
FAILED_WORDS = _("It failed, and nothing of it was done. The log says more.")


class Came(TextChoices):
    """What came of an act for one row."""

    DONE = "done", _("done")
    WAITING = "waiting", _("under way")
    UNCHANGED = "unchanged", _("unchanged")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")


class RowOutcome(NamedTuple):
    came: Came
    words: str = ""


Outcomes = Mapping[UUID, RowOutcome]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an act on many rows of a model: `words` are recorded, and `outcomes` kept as a page."""

    words: str
    model: type[Model]
    outcomes: Outcomes
    id: UUID = field(default_factory=new_id)


class ReportKeeper(Protocol):
    """What an app provides."""

    def keep(self, request: HttpRequest, title: str, report: Report, back: str) -> None:
        """Keeps the report for whoever acts, in the present atomic block; `back` is where the act belongs."""

    def place(self, report: Report) -> str:
        """The address of its page."""


class Reporting:
    """The keeper of this process."""

    def __init__(self) -> None:
        self.keeper: ReportKeeper | None = None

    def use(self, keeper: ReportKeeper) -> None:
        """From now on, reports are kept there."""
        self.keeper = keeper

    @property
    def there(self) -> ReportKeeper:
        if self.keeper is None:
            raise RuntimeError("no app says where reports are kept")
        return self.keeper


REPORTING = Reporting()


def in_batches(
    keys: Sequence[UUID], act: Callable[[Sequence[UUID]], Outcomes], size: int = BATCH
) -> dict[UUID, RowOutcome]:
    """Acts on rows, some at a time. If that fails, each of them by itself: one stops none of the others."""
    found: dict[UUID, RowOutcome] = {}
    for first in range(0, len(keys), size):
        part = keys[first : first + size]
        try:
            with transaction.atomic():
                found.update(act(part))
        except FAILURES as problem:
            drop_unfit_connection(problem)
            found.update(in_batches(part, act, 1) if len(part) > 1 else failed(part[0], problem))
    return found


def failed(key: UUID, problem: Exception) -> Outcomes:
    """A row that failed, told without what an error says: it may hold anything."""
    logger.error("an act on many rows failed for %s", key, exc_info=problem)
    return {key: RowOutcome(Came.FAILED, FAILED_WORDS)}


def in_sum(outcomes: Sequence[RowOutcome]) -> list[tuple[Came, str]]:
    """How many rows came to what, in the order of `Came`."""
    numbers = {came: sum(one.came == came for one in outcomes) for came in Came}
    return [(came, counted(number, MOST_REPORTED)) for came, number in numbers.items() if number]
