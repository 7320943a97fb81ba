"""Where acts of operators are recorded. The kit knows no models: an app says how (`use`)."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, TextChoices
from django.http import Http404, HttpRequest

from lib.backoffice.languages import _, english
from lib.database import FAILURES, drop_unfit_connection

logger = logging.getLogger(__name__)

# What is known of a row, for before and after an act: names and plain values, never a secret.
State = Mapping[str, Any]


class Outcome(TextChoices):
    """What came of an act: done; refused by a rule; failed by an error; denied for want of a permission.

    Only what is done has changed anything.
    """

    DONE = "done", _("Done")
    REFUSED = "refused", _("Refused")
    FAILED = "failed", _("Failed")
    DENIED = "denied", _("Denied")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAct:
    """An act, as it is recorded. `action` is a verb phrase in snake case; `note` says what came of it."""

    action: str
    subject: Model | None
    before: State | None = None
    after: State | None = None
    reason: str = ""
    outcome: Outcome = Outcome.DONE
    note: str = ""


class Recorder(Protocol):
    """What an app provides."""

    def state(self, row: Model) -> State | None:
        """The row as the database has it now; None if it has none."""

    def record(self, request: HttpRequest, act: RecordedAct) -> None:
        """Writes it down, in the present atomic block."""

    def record_look(self, request: HttpRequest, row: Model) -> None:
        """Writes down that the operator looks at what the row says of a person, at most once an hour."""

    def history(self, request: HttpRequest, row: Model, number: int) -> tuple[list[Sequence[Any]], bool]:
        """Page `number` of a row's acts as rows of a table, newest first, and whether older ones follow."""


class Recording:
    """The recorder of this process."""

    def __init__(self) -> None:
        self.recorder: Recorder | None = None

    def use(self, recorder: Recorder) -> None:
        """From now on, acts are recorded by it."""
        self.recorder = recorder

    @property
    def there(self) -> Recorder:
        """The recorder. No act is done without one."""
        if self.recorder is None:
            raise RuntimeError("no app says how acts are recorded")
        return self.recorder


RECORDING = Recording()


Subject = Callable[[], Model | None]


@contextmanager
def misses_recorded(
    request: HttpRequest,
    action: str,
    subject: Subject,
    reason: str = "",
    refusals: tuple[type[Exception], ...] = (),
) -> Iterator[None]:
    """What is refused, denied or fails within is written down, after it was rolled back, and raised again.

    `subject` is asked only then.
    """
    try:
        yield
    except Http404:
        raise
    except Exception as problem:
        with english():
            outcome, note = miss(problem, refusals)
        record_miss(
            request,
            lambda: RecordedAct(action=action, subject=subject(), reason=reason, outcome=outcome, note=note),
        )
        raise


def miss(problem: Exception, refusals: tuple[type[Exception], ...]) -> tuple[Outcome, str]:
    """What came of an act that ended in `problem`, and what is noted of it."""
    if isinstance(problem, PermissionDenied):
        return Outcome.DENIED, ""
    if isinstance(problem, refusals):
        return Outcome.REFUSED, " ".join(getattr(problem, "messages", [str(problem)]))
    # Nothing but its kind: its text may hold what was entered.
    return Outcome.FAILED, type(problem).__name__


def record_miss(request: HttpRequest, act: Callable[[], RecordedAct]) -> None:
    """Writes down what was not done. If that fails it is logged: the miss itself is told all the same."""
    try:
        with transaction.atomic():
            RECORDING.there.record(request, act())
    except FAILURES as problem:
        drop_unfit_connection(problem)
        logger.exception("an act of %s that was not done cannot be recorded", request.user)
