"""Refused callbacks that are verified again, once the secret that signed them is there.

A genuine one is then taken in exactly as if it arrived now (`intake.take_in`): it is stored, acts once, and
moves what its provider's signature says. Nobody decides anything about money by asking for it, and the secret
has taken two people, so it takes one.

The age of a signature is judged by when the callback was received. That is safe: it shows that whoever holds
the secret had signed it shortly before, so it was no replay of something old then, and a copy of it acts no
second time, whenever it comes. The time is the database's, and nothing that a sender writes changes it.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.texts import storable
from payments.callbacks.intake import PROBLEM_LENGTH, take_in
from payments.models import RefusedCallback
from payments.providers.protocol import ProviderConfig, ProviderUnavailable, RawCallback
from payments.providers.registry import PROVIDERS
from payments.providers.secret_use import SECRET_USE
from payments.providers.signatures.refused import Refused
from wallet.job_runs import Run

logger = logging.getLogger(__name__)
# One whose provider has to be asked and cannot be, or that failed, is tried again after this.
RETRY = timedelta(minutes=1)
# After this a run begins nothing more; the next one goes on.
RUN_SECONDS = 20.0
BATCH = 100


def unverified(rows: QuerySet[RefusedCallback]) -> QuerySet[RefusedCallback]:
    """Those that nobody has vouched for yet."""
    return rows.filter(verified_at=None)


def request_verification(rows: QuerySet[RefusedCallback]) -> int:
    """Has refused callbacks verified again. Returns how many; the caller nudges after the commit."""
    return unverified(rows).update(due_at=now())


def verify_due(run: Run) -> None:
    """Verifies what is due, the oldest first. One run at a time."""
    ends = time.monotonic() + RUN_SECONDS
    configs = {config.id: config for config in PROVIDERS.all(0).values()}
    for row in due_rows():
        if time.monotonic() > ends:
            break
        run.looked_at += 1
        try:
            run.done += verify_again(row, configs[row.provider_id])
        except FAILURES as problem:
            drop_unfit_connection(problem)
            run.failed += 1
            logger.exception("refused callback %s cannot be taken in", row.pk)


def due_rows() -> Iterator[RefusedCallback]:
    """What is due now. Each is due again later before it is worked on, so that none stops the others."""
    at = now()
    while ids := list(due(at).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        for id in ids:
            postpone(id, at + RETRY)
            yield RefusedCallback.objects.get(pk=id)


def due(at: Any) -> QuerySet[RefusedCallback]:
    return unverified(RefusedCallback.objects.filter(due_at__lte=at))


def postpone(id: UUID, until: Any) -> None:
    RefusedCallback.objects.filter(pk=id).update(due_at=until)


def verify_again(row: RefusedCallback, config: ProviderConfig) -> bool:
    """Verifies one, and takes it in if it is genuine. Returns whether it is."""
    raw = RawCallback(row.headers, bytes(row.body), row.address, int(row.at.timestamp()))
    try:
        taken = take_in(config, raw)
    except Refused as problem:
        end(row, problem=storable(str(problem), PROBLEM_LENGTH))
        return False
    except ProviderUnavailable as problem:
        logger.warning("a callback of %s is verified again later: %s", config.slug, problem)
        return False
    SECRET_USE.note(config, raw)
    end(row, verified_at=now(), outcome=taken.outcome, problem=storable(taken.problem, PROBLEM_LENGTH))
    return True


def end(row: RefusedCallback, **fields: Any) -> None:
    RefusedCallback.objects.filter(pk=row.pk).update(due_at=None, **fields)
