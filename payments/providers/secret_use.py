"""Which secret a provider's callbacks are signed with, and since when it has not: to the minute."""

import logging
import time
from dataclasses import replace
from uuid import UUID

from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from payments.models import Secret
from payments.providers.adapters import adapter_for
from payments.providers.protocol import ProviderConfig, RawCallback
from payments.providers.signatures.refused import Refused
from payments.providers.signing_secrets import fingerprint_of

logger = logging.getLogger(__name__)
PAUSE_SECONDS = 60.0


class SecretUse:
    """A process notes at most one use of a provider's secrets in a minute."""

    def __init__(self) -> None:
        self.noted_at: dict[UUID, float] = {}

    def note(self, config: ProviderConfig, raw: RawCallback) -> None:
        """Notes the secret that a verified callback was signed with, if it is time for that.

        Whether it can be written changes nothing for the caller.
        """
        at = time.monotonic()
        if at - self.noted_at.get(config.id, -PAUSE_SECONDS) < PAUSE_SECONDS:
            return
        self.noted_at[config.id] = at
        used = [fingerprint_of(secret) for secret in config.callback_secrets if is_of(config, secret, raw)]
        try:
            Secret.objects.filter(fingerprint__in=used).update(last_used_at=now())
        except FAILURES as problem:
            drop_unfit_connection(problem)
            logger.exception("the use of a secret of %s cannot be noted", config.slug)


def is_of(config: ProviderConfig, secret: str, raw: RawCallback) -> bool:
    """Whether a secret signed a callback."""
    try:
        adapter_for(config.scheme).verify(replace(config, callback_secrets=(secret,)), raw)
    except Refused:
        return False
    return True


SECRET_USE = SecretUse()
