"""What operators decide about differences, without moving money: that is for the acts that are approved."""

from uuid import UUID

from django.db import transaction

from lib.backoffice.languages import _, stored
from lib.clock import now
from payments.models import Difference
from players.models import Approval

State = Difference.State
# Of one run.
MOST_FOLLOWED = 500
BY_APPROVAL = stored("Resolved by an approved act: {title}")
NOT_APPROVED = stored("What was requested was not done: {title}")
DECIDED_ALREADY = _("It is decided already, or waits for an approval.")


class NotDecidable(Exception):
    """Why nothing was decided; the text is for operators."""


def explain(id: UUID, *, actor: str, reason: str) -> None:
    """The cause is known, and written down; it stays on the list. Raises `NotDecidable`."""
    decide(id, State.EXPLAINED, actor, reason)


def accept(id: UUID, *, actor: str, reason: str) -> None:
    """It stays as it is, and no later file of the source brings it back. Raises `NotDecidable`."""
    decide(id, State.ACCEPTED, actor, reason)


def resolve(id: UUID, *, actor: str, reason: str) -> None:
    """Something outside of it has put it right. Raises `NotDecidable`."""
    decide(id, State.RESOLVED, actor, reason)


def reopen(id: UUID, *, actor: str, reason: str) -> None:
    """It is to be decided again. Raises `NotDecidable`."""
    decided = (State.ACCEPTED, State.RESOLVED, State.EXPLAINED)
    if not change(id, decided, State.OPEN, actor, reason):
        raise NotDecidable(_("It is open, or waits for an approval."))


def decide(id: UUID, state: Difference.State, actor: str, reason: str) -> None:
    if not change(id, (State.OPEN, State.EXPLAINED), state, actor, reason):
        raise NotDecidable(DECIDED_ALREADY)


def change(
    id: UUID, before: tuple[Difference.State, ...], state: Difference.State, actor: str, reason: str
) -> bool:
    rows = Difference.objects.filter(pk=id, state__in=before)
    return bool(rows.update(state=state, note=reason[:255], decided_by=actor[:80], decided_at=now()))


def await_approval(id: UUID, approval: Approval, *, actor: str) -> None:
    """What was requested resolves it, once it is approved; at once, if it was done alone."""
    state = State.RESOLVING if approval.state == Approval.State.REQUESTED else State.RESOLVED
    words = approval.title if state == State.RESOLVING else BY_APPROVAL.format(title=approval.title)
    Difference.objects.filter(pk=id).update(
        state=state, approval=approval.pk, decided_by=actor[:80], decided_at=now(), note=words[:255]
    )


def follow_approvals() -> int:
    """What became of requests since: done is resolved, else it is open again. Returns how many ended."""
    waiting = Difference.objects.filter(state=State.RESOLVING).order_by("decided_at")[:MOST_FOLLOWED]
    by_approval = {row.approval: row for row in waiting if row.approval}
    ended = Approval.objects.filter(pk__in=list(by_approval)).exclude(state=Approval.State.REQUESTED)
    number = 0
    for approval in ended:
        number += follow(by_approval[approval.pk].pk, approval)
    return number


@transaction.atomic
def follow(id: UUID, approval: Approval) -> bool:
    is_done = approval.state == Approval.State.EXECUTED
    words = BY_APPROVAL if is_done else NOT_APPROVED
    rows = Difference.objects.filter(pk=id, state=State.RESOLVING, approval=approval.pk)
    return bool(
        rows.update(
            state=State.RESOLVED if is_done else State.OPEN,
            note=words.format(title=approval.title)[:255],
            decided_at=now(),
        )
    )
