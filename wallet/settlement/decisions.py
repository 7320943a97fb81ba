"""What operators do about a pending transaction: they decide it, or have the game asked at once."""

import logging
from uuid import UUID

from django.db import transaction

from lib.backoffice.languages import _, format_lazy
from lib.clock import in_words, now
from wallet.ledger import Answer
from wallet.models import Inquiry, Transaction
from wallet.operations import resolve_transaction
from wallet.outcomes import LedgerRefused
from wallet.settlement.inquiries import close

# What a game opens, and what it can be asked about.
FROM_GAMES = (Transaction.Type.WITHDRAWAL, Transaction.Type.DEPOSIT)
logger = logging.getLogger(__name__)


class NotPossible(Exception):
    """What an operator wanted cannot be done any more, or never could; its text says why.

    Nothing has moved.
    """


def decide(transaction_id: UUID, *, event: str, actor: str, reason: str) -> Answer:
    """An operator ends the transaction, due or not: `event` is confirmed or rolled_back.

    Raises `NotPossible` where somebody else has ended it; the next sweep closes its inquiry then.
    """
    try:
        answer = resolve_transaction(
            transaction_id,
            event=event,
            source=Transaction.Source.OPERATOR,
            actor=actor,
            reason=reason,
        )
    except LedgerRefused as refused:
        settled = Transaction.objects.get(pk=transaction_id)
        if settled.settled_at is None:
            said = format_lazy(_("The ledger refuses it ({outcome})."), outcome=refused.outcome)
            raise NotPossible(said) from refused
        raise NotPossible(how_it_ended(settled)) from refused
    for inquiry in Inquiry.objects.filter(transaction_id=transaction_id):
        close(inquiry)
    return answer


def ask_now(pending: Transaction, *, actor: str, reason: str) -> None:
    """Has the game asked what became of a pending transaction, due or not. Raises `NotPossible`."""
    with transaction.atomic():
        at, game = now(), pending.game
        if game is None or pending.type not in FROM_GAMES:
            raise NotPossible(_("No game can be asked about it."))
        begun = {"player_id": pending.player_id, "game": game, "began_at": at, "next_attempt_at": at}
        # A sweep may begin it in the same instant.
        inquiry, _is_new = Inquiry.objects.get_or_create(transaction=pending, defaults=begun)
        requery(inquiry, actor=actor, reason=reason)


def requery(inquiry: Inquiry, *, actor: str, reason: str) -> None:
    """Has the game asked at once, whatever pause it was in; what was in doubt stays so until the answer
    comes. Raises `NotPossible`.
    """
    with transaction.atomic():
        row = (
            Inquiry.objects.select_for_update(of=("self",))
            .select_related("transaction", "game")
            .get(pk=inquiry.pk)
        )
        require_askable(row)
        row.next_attempt_at, row.leased_until = now(), None
        row.save(update_fields=["next_attempt_at", "leased_until"])
    logger.info("%s has the game asked again about %s: %s", actor, row.transaction_id, reason)


def require_askable(inquiry: Inquiry) -> None:
    """Raises `NotPossible` where an answer could change nothing, or nobody could give one."""
    if inquiry.transaction.settled_at is not None:
        raise NotPossible(how_it_ended(inquiry.transaction))
    if inquiry.closed_at is not None:
        raise NotPossible(_("The review is closed: there is nothing left to query."))
    if not inquiry.game.query_url:
        words = _("{game} has no query URL: it cannot be queried.")
        raise NotPossible(format_lazy(words, game=inquiry.game.slug))


def how_it_ended(settled: Transaction) -> str:
    """Who was quicker."""
    words = (
        _("The transaction was {state} meanwhile by {actor}, {at}.")
        if settled.settled_at
        else _("The transaction was {state} meanwhile by {actor}.")
    )
    at = in_words(settled.settled_at) if settled.settled_at else ""
    state = Transaction.State(settled.state).label
    return format_lazy(words, state=state, actor=settled.settled_actor, at=at)
