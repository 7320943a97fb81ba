"""Posts the sandbox's callbacks to the platform over HTTP, as a real provider does; called by a worker."""

import logging

from lib.outbound.client import Unanswered, post_json
from payments.providers.sandbox import own_address
from payments.sandbox import memory

logger = logging.getLogger(__name__)


def call_back(slug: str, order: str, what: str, body: str, headers: dict[str, str]) -> None:
    """Posts a callback, and writes down what the platform answered."""
    try:
        reply = post_json(own_address(f"/pay/{slug}"), body.encode(), headers=headers)
        answer = str(reply.status)
    except Unanswered as problem:
        answer = str(problem)
    logger.info("the sandbox called back through %s: %s", slug, answer)
    memory.add_line(slug, order, what, answer)
