"""Which transactions are due, and what happens to each of them then."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from lib.backoffice.languages import _
from lib.clock import in_words
from players.models import Game
from wallet.models import Inquiry, Transaction
from wallet.outages import Pause, present_pause

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
        return _("nothing: it is settled")
    if transaction.due_at is None:
        return _("nothing: it waits for the end of a refund")
    pause = present_pause(at)
    inquiry = Inquiry.objects.filter(transaction=transaction, closed_at=None).first()
    if transaction.due_at > at:
        is_asked = inquiry and inquiry.next_attempt_at and inquiry.next_attempt_at < transaction.due_at
        words = (
            _("an operator has the game queried now; otherwise due {at}; then {step}")
            if is_asked
            else _("due {at}; then {step}")
        )
        return words.format(at=in_words(transaction.due_at), step=first_step(transaction.game))
    if inquiry and inquiry.next_attempt_at is None:
        doubt = inquiry.get_doubt_display()
        return _("manual review: {doubt}; an operator decides").format(doubt=doubt)
    if pause:
        return paused(pause, transaction.game)
    if inquiry and inquiry.next_attempt_at and transaction.game and transaction.game.query_url:
        return queried(inquiry, max(inquiry.next_attempt_at, at))
    return _("due: {step}").format(step=first_step(transaction.game))


def paused(pause: Pause, game: Game | None) -> str:
    """What becomes of what is due, while nothing is."""
    words = (
        _("nothing is due until {until}: {reason}; then {step}")
        if pause.until
        else _("nothing is due while this lasts: {reason}; then {step}")
    )
    until = in_words(pause.until) if pause.until else ""
    return words.format(until=until, reason=pause.reason, step=first_step(game))


def queried(inquiry: Inquiry, next_query: datetime) -> str:
    """What the game has said so far, and when it is queried again."""
    words = (
        _("{number} status queries, last answer {answer}, in manual review ({doubt}); next query {at}")
        if inquiry.doubt
        else _("{number} status queries, last answer {answer}; next query {at}")
    )
    return words.format(
        number=inquiry.questions_asked,
        answer=inquiry.get_last_answer_display() or _("none"),
        doubt=inquiry.get_doubt_display(),
        at=in_words(next_query),
    )


def first_step(game: Game | None) -> str:
    """What happens to a game's transaction when it becomes due."""
    if game is not None and game.query_url:
        return _("the game is queried at {address}").format(address=game.query_url)
    if game is not None and game.unanswered_policy == Game.Policy.HOLD:
        return _("manual review (the game's policy is to hold): an operator decides")
    return _("it expires (the game has no query URL)")
