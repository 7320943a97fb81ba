"""A bounded sample of callbacks that could not be verified (contract 4.2, rule 1)."""

import logging
import time
from uuid import UUID

from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.ids import new_id
from lib.texts import storable
from payments.callbacks.intake import KEPT_HEADERS, PROBLEM_LENGTH
from payments.models import RefusedCallback
from payments.providers.protocol import ProviderConfig, RawCallback

logger = logging.getLogger(__name__)
# Of each provider: how many are kept, how many bytes of each body,
# and how many seconds one process waits after keeping one.
MOST_ROWS = 100
MOST_BYTES = 2048
PAUSE_SECONDS = 1.0
HEADER_LENGTH = 500


class Samples:
    """Whoever floods us with forgeries fills no table: each process keeps at most one in a second."""

    def __init__(self) -> None:
        self.kept_at: dict[UUID, float] = {}

    def keep(self, config: ProviderConfig, raw: RawCallback, problem: str) -> None:
        """Keeps a refused callback, where it is time for one.

        Whether it can be kept changes nothing for the caller.
        """
        at = time.monotonic()
        if at - self.kept_at.get(config.id, -PAUSE_SECONDS) < PAUSE_SECONDS:
            return
        self.kept_at[config.id] = at
        try:
            write(config, raw, problem)
        except FAILURES as problem:
            drop_unfit_connection(problem)
            logger.exception("a refused callback cannot be kept")


def write(config: ProviderConfig, raw: RawCallback, problem: str) -> None:
    rows = RefusedCallback.objects.filter(provider_id=config.id)
    RefusedCallback.objects.create(
        id=new_id(),
        provider_id=config.id,
        at=now(),
        address=raw.address,
        problem=storable(problem, PROBLEM_LENGTH),
        headers={
            name: storable(raw.headers[name], HEADER_LENGTH) for name in KEPT_HEADERS if name in raw.headers
        },
        body=raw.body[:MOST_BYTES],
    )
    oldest = rows.order_by("-pk").values_list("pk", flat=True)[MOST_ROWS : MOST_ROWS + 1]
    for pk in oldest:
        rows.filter(pk__lte=pk).delete()


SAMPLES = Samples()
