"""`/metrics`: the web server's counts,
and what the database and the broker say at this moment (contract 5).
"""

import hmac
import os

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from config.gauges import Gauges
from lib.http.addresses import client_address, contains, parse_networks
from lib.http.metrics import REGISTRY, SLOT


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """All numbers, for those who may read them; for everybody else there is no such page."""
    if not (comes_from_allowed_network(request) or shows_token(request)):
        raise Http404
    registry = CollectorRegistry()
    if SLOT:
        MultiProcessCollector(registry, os.environ["PROMETHEUS_MULTIPROC_DIR"])  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    registry.register(Gauges())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def comes_from_allowed_network(request: HttpRequest) -> bool:
    return contains(parse_networks(tuple(settings.METRICS_ALLOWED_NETWORKS)), client_address(request.META))


def shows_token(request: HttpRequest) -> bool:
    """Whether the request carries METRICS_TOKEN, where there is one; compared in constant time."""
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())
