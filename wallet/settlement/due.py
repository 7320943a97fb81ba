"""Which transactions are due, and what happens to each of them then."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from lib.clock import in_words
from players.models import Game
from wallet.models import Inquiry, Transaction
from wallet.outages import present_pause

UNASKABLE = Q(game__query_url="")
HOLDS = Q(game__unanswered_policy=Game.Policy.HOLD)
OPEN_INQUIRY = Inquiry.objects.filter(transaction=OuterRef("pk"), closed_at=None)


def due_at(moment: datetime) -> QuerySet[Transaction]:
    """What is pending and due at `moment`, the longest due first."""
    # settled_at besides state: it is what the ledger decides by; state is what the index of due transactions
    # is made of.
    return Transaction.objects.filter(
        state=Transaction.State.PENDING, settled_at=None, due_at__lte=moment
    ).order_by("due_at", "pk")


def expiring(moment: datetime) -> QuerySet[Transaction]:
    """What is due, cannot be asked about, and expires by its game's policy.

    What a person has to decide is left out.
    """
    in_doubt = Exists(OPEN_INQUIRY.exclude(doubt=""))
    return due_at(moment).filter(UNASKABLE & ~HOLDS).exclude(in_doubt)


def uninquired(moment: datetime) -> QuerySet[Transaction]:
    """What is due and has to be asked about, or held, and has no inquiry yet."""
    return (
        due_at(moment)
        .filter(~UNASKABLE | HOLDS)
        .exclude(Exists(Inquiry.objects.filter(transaction=OuterRef("pk"))))
    )


def batches(rows: QuerySet[Transaction], size: int) -> Iterator[list[UUID]]:
    """The ids of `rows`, in the order of their due times.

    Each at most once, also while the sweep takes rows away.
    """
    after: tuple[datetime, UUID] | None = None
    while True:
        page = (
            rows
            if after is None
            else rows.filter(
                Q(due_at__gt=after[0]) | Q(due_at=after[0], pk__gt=after[1]), due_at__gte=after[0]
            )
        )
        found = list(page.values_list("due_at", "pk")[:size])
        if not found:
            return
        yield [pk for _, pk in found]
        last_due, last_pk = found[-1]
        if last_due is None:
            raise AssertionError("what has no due time is not due")
        after = (last_due, last_pk)


def forecast(transaction: Transaction, at: datetime) -> str:
    """What the platform does about a pending transaction on its own, and when.

    For operators, at the moment `at`.
    """
    if transaction.settled_at is not None:
        return "nothing: it is settled"
    if transaction.due_at is None:
        return "nothing: it waits for the end of a refund"
    pause = present_pause(at)
    inquiry = Inquiry.objects.filter(transaction=transaction, closed_at=None).first()
    if transaction.due_at > at:
        is_asked = inquiry and inquiry.next_attempt_at and inquiry.next_attempt_at < transaction.due_at
        asked = "an operator has the game queried now; otherwise " if is_asked else ""
        return f"{asked}due {in_words(transaction.due_at)}; then {first_step(transaction.game)}"
    if inquiry and inquiry.next_attempt_at is None:
        return f"manual review: {inquiry.get_doubt_display()}; an operator decides"
    if pause:
        until = f"until {in_words(pause.until)}" if pause.until else "while this lasts"
        return f"nothing is due {until}: {pause.reason}; then {first_step(transaction.game)}"
    if inquiry and inquiry.next_attempt_at and transaction.game and transaction.game.query_url:
        doubt = f", in manual review ({inquiry.get_doubt_display()})" if inquiry.doubt else ""
        said = inquiry.get_last_answer_display() or "none"
        return (
            f"{inquiry.questions_asked} status queries, last answer {said}{doubt}; "
            f"next query {in_words(max(inquiry.next_attempt_at, at))}"
        )
    return f"due: {first_step(transaction.game)}"


def first_step(game: Game | None) -> str:
    """What happens to a game's transaction when it becomes due."""
    if game is not None and game.query_url:
        return f"the game is queried at {game.query_url}"
    if game is not None and game.unanswered_policy == Game.Policy.HOLD:
        return "manual review (the game's policy is to hold): an operator decides"
    return "it expires (the game has no query URL)"
