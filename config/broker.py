"""A short look at the broker, for health checks and metrics;
bounded in time, as nobody must hang on a broker that hangs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# For the connection, and again for the answer.
SECONDS = 1.0


@contextmanager
def broker() -> Iterator[Redis]:
    """A connection to the broker for the time of the block. Raises RedisError where it is away.

    By REDIS_URL: CELERY_BROKER_URL is the same place, as Celery spells it.
    """
    timeouts = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS}
    with Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **timeouts) as client:
        yield client


def key_of(queue: str) -> str:
    """Where the broker keeps the messages of `queue` (or `unacked`: those that workers have taken)."""
    return f"{settings.CELERY_BROKER_TRANSPORT_OPTIONS.get('global_keyprefix', '')}{queue}"
