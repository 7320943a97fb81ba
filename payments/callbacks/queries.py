"""Providers are asked what became of payments, at an operator's wish.

What a provider answers is taken in as its callback would be (`intake`): it is stored, acts once, and
contradicts what it contradicts. The callback that comes after all is then a repeat. If no answer can be read,
nothing changes.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, QuerySet

from lib.backoffice.languages import _, stored
from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.texts import storable
from payments.callbacks.intake import PROBLEM_LENGTH, IntakeResult, take_answer
from payments.models import Callback, Order, Payment
from payments.orders.events import Actor, record_event
from payments.providers.adapters import ADAPTERS, adapter_for
from payments.providers.protocol import PaymentQuery, ProviderConfig, ProviderUnavailable
from payments.providers.registry import PROVIDERS
from wallet.job_runs import Run

logger = logging.getLogger(__name__)
# What an order's history calls it.
ASKED, UNANSWERED = "provider_asked", "provider_unanswered"
# One that was being asked about when its worker ended is asked about again after this.
RETRY = timedelta(minutes=2)
# What an operator reads of an answer.
CONTRADICTION = stored("{said}, which contradicts the order: {problem}")
NO_ANSWER = stored("no answer ({why})")
# After this a run begins nothing more; the next one goes on.
RUN_SECONDS = 20.0
# Of one order at once, the newest.
MOST_ASKED = 5
NONE_LEFT = _("No provider can be asked: no payment of this order is open at one that answers.")


class NotAskable(Exception):
    """Why no provider can be asked about an order; the text is for operators."""


def open_payments() -> QuerySet[Payment]:
    """The payments that are undecided here, and whose provider can say how they stand."""
    schemes = [scheme for scheme, adapter in ADAPTERS.items() if adapter.can_query]
    undecided = (Payment.State.STARTED, Payment.State.FAILED)
    begun = Payment.objects.filter(state__in=undecided).exclude(start_reference="")
    return begun.filter(provider__scheme__in=schemes)


def askable(order_id: UUID | OuterRef) -> QuerySet[Payment]:
    """Those of an order, the newest first."""
    return open_payments().filter(order_id=order_id).order_by("-pk")


def request_query(order: Order, *, actor: str, reason: str) -> list[Payment]:
    """Has the providers of an order asked, in the present atomic block. Returns the payments.

    Raises `NotAskable`. The caller nudges after the commit; a sweep asks.
    """
    payments = list(askable(order.pk).select_related("provider")[:MOST_ASKED])
    if not payments:
        raise NotAskable(NONE_LEFT)
    at = now()
    Payment.objects.filter(pk__in=[payment.pk for payment in payments]).update(query_due_at=at)
    by = Actor(actor, "operator", at)
    for slug in dict.fromkeys(payment.provider.slug for payment in payments):
        record_event(order, ASKED, by, old_state=order.state, note=f"{slug}: {reason}")
    return payments


def query_due(run: Run) -> None:
    """Asks about what is due, the oldest first. One run at a time."""
    ends = time.monotonic() + RUN_SECONDS
    configs = {config.id: config for config in PROVIDERS.all(0).values()}
    for payment in due_payments():
        if time.monotonic() > ends:
            break
        run.looked_at += 1
        try:
            run.done += ask(payment, configs[payment.provider_id])
        except FAILURES as problem:
            drop_unfit_connection(problem)
            run.failed += 1
            logger.exception("the answer about payment %s cannot be taken in", payment.pk)


def due_payments() -> Iterator[Payment]:
    """What is due now. Each is due again later before anybody is asked, so that none stops the others."""
    at = now()
    due = Payment.objects.filter(query_due_at__lte=at).order_by("query_due_at", "pk")
    for id in list(due.values_list("pk", flat=True)):
        Payment.objects.filter(pk=id).update(query_due_at=at + RETRY)
        yield Payment.objects.select_related("order").get(pk=id)


def ask(payment: Payment, config: ProviderConfig) -> bool:
    """Asks about one payment, outside of every atomic block. Returns whether it says that money came in."""
    adapter = adapter_for(config.scheme)
    try:
        body = adapter.query(config, PaymentQuery(payment.order_id, payment.start_reference))
    except ProviderUnavailable as problem:
        write_unanswered(payment, config, str(problem))
        return False
    event = adapter.read_answer(body)
    if event.order_id != payment.order_id:
        write_unanswered(payment, config, stored("it answered about another order"))
        return False
    taken = take_answer(config, event, body)
    write_answer(payment, event.said or "paid", taken, now())
    return taken.outcome in (Callback.Outcome.ACTED, Callback.Outcome.DUPLICATE)


def write_answer(payment: Payment, said: str, taken: IntakeResult, at: datetime) -> None:
    """Writes down what the provider said, and that nobody has to ask any more."""
    is_contradiction = taken.outcome == Callback.Outcome.CONTRADICTS
    answer = CONTRADICTION.format(said=said, problem=taken.problem) if is_contradiction else said
    Payment.objects.filter(pk=payment.pk).update(
        query_due_at=None, queried_at=at, query_answer=storable(answer, PROBLEM_LENGTH)
    )


def write_unanswered(payment: Payment, config: ProviderConfig, problem: str) -> None:
    """Nobody knows: nothing is guessed, and the operator reads why."""
    logger.warning("%s did not say what became of payment %s: %s", config.slug, payment.pk, problem)
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.order_id)
        at, why = now(), storable(problem, PROBLEM_LENGTH)
        by = Actor("sweep", "sweep", at)
        record_event(order, UNANSWERED, by, old_state=order.state, note=f"{config.slug}: {why}")
        Payment.objects.filter(pk=payment.pk).update(
            query_due_at=None, queried_at=at, query_answer=storable(NO_ANSWER.format(why=why), PROBLEM_LENGTH)
        )
