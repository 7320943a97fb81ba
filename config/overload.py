"""Which calls are urgent, and what is said to those that would wait too long (config.web_admission)."""

import logging
import time
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from django.conf import settings
from prometheus_client import Counter, Gauge

from config.web_admission import PATIENCE, Urgency
from lib.http.addresses import client_address, contains, parse_networks
from lib.http.metrics import REGISTRY
from lib.http.responses import unavailable
from payments.providers.registry import PROVIDERS
from players.access.credentials import CREDENTIALS, parse_basic
from players.access.gate import CALLBACKS, KINDS

logger = logging.getLogger(__name__)

OPENINGS = frozenset({"/wallet/withdraw", "/wallet/deposit", "/payments/initiate", "/entry/launch"})
# Probes, too: a server that has much to do is not dead.
SETTLING = (
    "/wallet/confirmWithdrawal",
    "/wallet/rollbackWithdrawal",
    "/wallet/confirmDeposit",
    "/wallet/rollbackDeposit",
    CALLBACKS,
    "/healthz",
    "/readyz",
)
READING = tuple(KINDS)
# How often a log's line says that calls are refused, in seconds.
TELL_SECONDS = 10.0

SHED = Counter(
    "wallet_shed_calls",
    "Calls that were refused at once (503), because they would have waited too long.",
    ["urgency"],
    registry=REGISTRY,
)
WAITING = Gauge(
    "wallet_waiting_requests",
    "Whole requests that wait for their turn.",
    ["urgency"],
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
# There from the start: rate() would not see the first of a series that begins with it.
COUNTERS = {urgency: SHED.labels(urgency.name.lower()) for urgency in PATIENCE}
GAUGES = [WAITING.labels(urgency.name.lower()) for urgency in Urgency]

REFUSAL = unavailable()
STATUS, HEADERS, BODY = f"503 {REFUSAL.reason_phrase}", list(REFUSAL.items()), [REFUSAL.content]


def urgency_of(path: str) -> Urgency:
    """Which place in the line a path has."""
    if path in OPENINGS:
        return Urgency.OPENING
    if path.startswith(SETTLING):
        return Urgency.SETTLING
    return Urgency.READING if path.startswith(READING) else Urgency.PAGE


def refuse_call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The answer to a call that would wait too long: it reads no body, and asks nobody.

    Raises ConnectionResetError, as config.wsgi does, where no answer is due (contract 1.3).
    """
    if not may_be_answered(environ):
        raise ConnectionResetError
    COUNTERS[urgency_of(environ["PATH_INFO"])].inc()
    REFUSALS.count += 1
    start_response(STATUS, HEADERS)
    return BODY


def may_be_answered(environ: dict[str, Any]) -> bool:
    """Whether the caller's address is on every list that the gate would look at."""
    address = client_address(environ)
    if environ["PATH_INFO"].startswith(CALLBACKS):
        return not (networks := provider_networks(environ["PATH_INFO"])) or contains(networks, address)
    allowed = parse_networks(tuple(settings.API_ALLOWED_NETWORKS))
    if allowed and not contains(allowed, address):
        return False
    networks = credential_networks(environ.get("HTTP_AUTHORIZATION", ""))
    return not networks or contains(networks, address)


Networks = tuple[IPv4Network | IPv6Network, ...]
NOWHERE: Networks = (IPv4Network("0.0.0.0/32"),)


def credential_networks(authorization: str) -> Networks:
    """The list of the credential that is shown, as the process remembers it: nobody is asked here."""
    snapshot = CREDENTIALS.snapshot
    if snapshot is None:
        # Nobody is known yet: nobody is answered.
        return NOWHERE
    given = parse_basic(authorization)
    known = snapshot.by_username.get(given[0]) if given else None
    return known.networks if known else ()


def provider_networks(path: str) -> Networks:
    """The list of the provider that calls back, as the process remembers it."""
    providers = PROVIDERS.by_slug
    if providers is None:
        return NOWHERE
    config = providers.get(path.removeprefix(CALLBACKS))
    return config.networks if config else ()


class Refusals:
    """Says now and then how many there were: a line for each would be one more thing to do."""

    def __init__(self) -> None:
        self.count = 0
        self.told_at = 0.0

    def tell(self) -> None:
        if self.count and time.monotonic() - self.told_at > TELL_SECONDS:
            logger.warning("overloaded: %d calls were refused that would have waited too long", self.count)
            self.count, self.told_at = 0, time.monotonic()


REFUSALS = Refusals()


def tell_waiting(counts: Sequence[int]) -> None:
    """Is told now and then how many requests wait in this process, by their urgency."""
    for gauge, count in zip(GAUGES, counts, strict=True):
        gauge.set(count)
    REFUSALS.tell()
