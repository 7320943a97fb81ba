"""Requests refunds of providers (contract 4.2).

An outcome that is not known is asked about, never guessed.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextvars import copy_context
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F

from lib.backoffice.languages import stored
from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.texts import storable
from payments.models import Order, Payment, Refund, RefundTotal
from payments.orders.events import Actor
from payments.providers.adapters import adapter_for
from payments.providers.protocol import ProviderConfig, RefundRequest, RefundResult, RefundStatus
from payments.providers.registry import PROVIDERS
from payments.settlement.commit import commit
from payments.settlement.plan import plan
from payments.settlement.snapshot import snapshot_of
from payments.settlement.steps import Complete, Refuse, Step
from wallet.alerts import clear_alert, raise_alert
from wallet.job_runs import Run
from wallet.models import Alert
from wallet.models.leased import fair_share, lease_due

logger = logging.getLogger(__name__)
# Longer than a call can take: a lost worker's refunds are asked about again after it.
LEASE = timedelta(minutes=2)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Growing pauses between status checks; the last one stays.
PAUSES = (10 * timedelta(seconds=1), MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR)
# After this long without an end, a person is told; it is asked about all the same.
PATIENCE = 3 * DAY
PROBLEM_LENGTH = 200
# A provider's own id of a refund, as its column and its callbacks have it.
OUR_MISTAKE = stored("our own mistake: {type}")
NO_REFERENCE = stored("a reference that cannot be one. {problem}")
REFERENCE = re.compile(r"[!-~]{1,255}")
# Under way at once, of which so many of one provider: one that is slow leaves the others their places.
AT_ONCE, MOST_OF_A_PROVIDER = 16, 4
# After this a run begins nothing more, so that a worker that is told to end can; the next one goes on.
RUN_SECONDS = 20.0
# While nobody answers, so often a run looks for what has become due since.
LOOK_SECONDS = 0.25


def settle_refunds(run: Run) -> None:
    """Requests what operators initiated, and asks about what is not known yet.

    The caller sees to it that one run at a time does so: the bounds are each run's.
    """
    under_way: dict[Future[RefundResult], Refund] = {}
    ends = time.monotonic() + RUN_SECONDS
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while begin(under_way, pool, run, ends):
            ended, _ = wait_for(under_way, LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                run.done += write_down(under_way.pop(future), future.result())


def begin(
    under_way: dict[Future[RefundResult], Refund], pool: ThreadPoolExecutor, run: Run, ends: float
) -> bool:
    """Asks about as many as there is room and time for. Returns whether any are under way."""
    while (room := AT_ONCE - len(under_way)) and time.monotonic() < ends:
        waiting = Counter(refund.provider_id for refund in under_way.values() if refund.provider_id)
        full, share = fair_share(waiting, MOST_OF_A_PROVIDER)
        leased = lease(now(), left_out=full, limit=min(room, share))
        if not leased:
            break
        run.looked_at += len(leased)
        for refund, is_first in leased:
            asked = partial(ask, config_of(refund), refund_request(refund), is_first=is_first)
            under_way[pool.submit(copy_context().run, asked)] = refund
    return bool(under_way)


def lease(
    at: datetime, *, only: UUID | None = None, left_out: Collection[UUID] = (), limit: int = AT_ONCE
) -> list[tuple[Refund, bool]]:
    """Takes refunds that it is time to ask about; with each, whether it was never asked for.

    Written down before anybody is asked. Not of the providers `left_out`.
    """
    with transaction.atomic():
        rows = Refund.objects.exclude(provider_id__in=left_out)
        taken = lease_due(
            rows if only is None else rows.filter(pk=only),
            at,
            lease=LEASE,
            limit=limit,
            related=("provider", "payment", "order"),
            state=Refund.State.UNKNOWN,
            times_asked=F("times_asked") + 1,
        )
    return [(row, row.state == Refund.State.ASKED) for row in taken]


def config_of(refund: Refund) -> ProviderConfig:
    config = PROVIDERS.find(refund.provider.slug)
    if config is None:
        raise AssertionError("providers are never deleted")
    return config


def write_down(refund: Refund, result: RefundResult) -> bool:
    """Records the result of a request. Returns whether the refund has come to an end."""
    try:
        return record_result(refund.pk, result)
    except FAILURES as problem:
        drop_unfit_connection(problem)
        # It is asked about again when its lease runs out, and keeps no other one waiting.
        logger.exception("the result of refund %s cannot be written down", refund.pk)
        return False


def refund_request(refund: Refund) -> RefundRequest:
    payment = refund.payment
    if payment is None:
        raise AssertionError("a refund that we initiated is of a payment")
    return RefundRequest(
        refund.pk,
        refund.order_id,
        payment.start_reference,
        payment.reference,
        refund.amount,
        refund.order.currency_id,
        refund.reference,
    )


def ask(config: ProviderConfig, request: RefundRequest, *, is_first: bool) -> RefundResult:
    """The provider's answer: to the request, later to a status check.

    Requested again only if the provider does not know it.
    """
    adapter = adapter_for(config.scheme)
    try:
        result = adapter.refund(config, request) if is_first else adapter.status(config, request)
        if result.status == RefundStatus.NOT_FOUND and not is_first:
            result = adapter.refund(config, request)
    except Exception as problem:
        logger.exception("a provider's answer about refund %s cannot be understood", request.id)
        return RefundResult(RefundStatus.UNKNOWN, problem=OUR_MISTAKE.format(type=type(problem).__name__))
    return readable(result)


def readable(result: RefundResult) -> RefundResult:
    """An answer that can be stored: one whose reference cannot be a provider's says nothing certain."""
    problem = storable(result.problem, PROBLEM_LENGTH)
    if result.reference and not REFERENCE.fullmatch(result.reference):
        return RefundResult(RefundStatus.UNKNOWN, problem=NO_REFERENCE.format(problem=problem))
    return replace(result, problem=problem)


def record_result(refund_id: UUID, result: RefundResult) -> bool:
    """Commits what follows from a provider's answer about a refund.

    Returns whether that is its end, and new.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(of=("self",)).get(refunds=refund_id)
        # Under the lock: what happens to an order is replayed in the order of time.
        at = now()
        refunds = list(Refund.objects.filter(order=order).select_for_update(of=("self",)).order_by("pk"))
        refund = next(row for row in refunds if row.pk == refund_id)
        if refund.state not in Refund.OPEN:
            return False
        step = step_after(refund, result, at)
        if step is None:
            wait(refund, result, at)
            return False
        if result.status in (RefundStatus.DONE, RefundStatus.REFUSED) and not is_booked(refund, result):
            clear_alert(Alert.Kind.REFUND_OPEN, str(refund.pk), reason="The provider has answered.")
        payments = list(Payment.objects.filter(order=order).order_by("pk"))
        totals = list(RefundTotal.objects.filter(order=order).order_by("pk"))
        snapshot = snapshot_of(order, refund.provider_id, payments, refunds, totals=totals)
        commit(plan(snapshot, step, Actor(f"provider:{refund.provider.slug}", "provider", at)))
    return True


def step_after(refund: Refund, result: RefundResult, at: datetime) -> Step | None:
    """The step that a provider's answer leads to; none while nobody knows."""
    made = {"made_at": result.made_at} if result.made_at else {}
    if result.status == RefundStatus.DONE and is_booked(refund, result):
        words = stored("the provider's {reference} is booked already")
        return Refuse(refund, words.format(reference=result.reference))
    if result.status == RefundStatus.DONE:
        return Complete(refund, result.reference, made)
    if result.status != RefundStatus.REFUSED:
        return None
    # If the provider shows the refund itself as failed, it is never done. Since when is an event's to say, by
    # the provider's clock: until then our time of the look stands for that.
    failed = {**made, "told_at": at, "is_final": False} if result.is_final else {}
    return Refuse(refund, result.problem, failed)


def is_booked(refund: Refund, result: RefundResult) -> bool:
    """Whether another refund stands for what the provider calls this one, so that its money is counted."""
    same = Refund.objects.filter(provider_id=refund.provider_id, kind=refund.kind, reference=result.reference)
    return bool(result.reference) and same.exclude(pk=refund.pk).exists()


def wait(refund: Refund, result: RefundResult, at: datetime) -> None:
    """Nobody knows: it is asked about again, and after days a person is told."""
    refund.reference = refund.reference or ("" if is_booked(refund, result) else result.reference)
    refund.problem = result.problem
    pause = PAUSES[min(refund.times_asked, len(PAUSES)) - 1]
    refund.next_attempt_at, refund.leased_until = at + pause, None
    refund.save(update_fields=["reference", "problem", "next_attempt_at", "leased_until"])
    if at - refund.created_at >= PATIENCE:
        checks = f"{refund.times_asked} status checks: {result.problem}"
        text = f"Order {refund.order_id}: refund still unconfirmed after {checks}"
        raise_alert(Alert.Kind.REFUND_OPEN, str(refund.pk), text)
