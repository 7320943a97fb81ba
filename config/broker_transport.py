"""Kombu's transport for Redis, which whoever can write to the broker cannot stop.

A message that is not like ours is logged and dropped before Celery sees it. A key of a type that cannot be
ours is removed. A message whose acknowledgement fails gives its place back.
"""

import json
import logging
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from queue import Empty
from typing import Any

from celery import current_app
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.transport import redis as kombu_redis
from redis import Redis
from redis.exceptions import DataError, RedisError

from config.queues import QUEUES

logger = logging.getLogger(__name__)
# Celery has tasks of its own, which are never sent here.
FOREIGN = "celery."
# The task that may be sent for later, and how much later at most.
LATER = "payments.sandbox_call_back"
LATEST = timedelta(minutes=1)
# What a task may take at most is less, in seconds.
LONGEST_LIMIT = 24 * 3600
SHAPE = {"headers": dict, "properties": dict, "body": str}
HEADERS = {"id": str, "task": str}
PROPERTIES = {"delivery_tag": str, "delivery_info": dict, "body_encoding": str}


def problem_of(raw: Any) -> str:
    """Why a message cannot be one of ours; nothing if it can.

    `raw` is what JSON said. The rules are Celery's message protocol 2, as far as our tasks use it.
    """
    problem = wrong_types(raw, SHAPE)
    if problem:
        return problem
    headers, properties = raw["headers"], raw["properties"]
    problem = wrong_types(headers, HEADERS) or wrong_types(properties, PROPERTIES)
    if problem:
        return problem
    if headers["task"].startswith(FOREIGN) or headers["task"] not in current_app.tasks:
        return "there is no such task"
    if (raw.get("content-type"), raw.get("content-encoding")) != ("application/json", "utf-8"):
        return "the body is no JSON"
    if headers.get("compression"):
        return "nothing is compressed here"
    if headers.get("eta") and not (headers["task"] == LATER and is_soon(headers["eta"])):
        return "eta is of a wrong type, or too late"
    if not are_limits(headers.get("timelimit", [None, None])):
        return "timelimit is of a wrong type"
    return problem_of_body(raw["body"], properties["body_encoding"])


def wrong_types(found: Any, types: Mapping[str, type]) -> str:
    if not isinstance(found, dict):
        return "it is no object"
    wrong = [name for name, wanted in types.items() if not isinstance(found.get(name), wanted)]
    return f"{wrong[0]} is missing or of a wrong type" if wrong else ""


def is_soon(found: Any) -> bool:
    """Whether a time, as Celery writes it, is one until which a worker can hold a message."""
    try:
        return datetime.fromisoformat(found) <= datetime.now(UTC) + LATEST
    except (TypeError, ValueError, OverflowError):
        return False


def are_limits(found: Any) -> bool:
    """Whether it is a pair of seconds that a task may take, either of which can be absent."""
    return (
        isinstance(found, list)
        and len(found) == 2
        and all(one is None or (type(one) in (int, float) and 0 < one <= LONGEST_LIMIT) for one in found)
    )


def problem_of_body(body: str, encoding: str) -> str:
    """The body is the list of positional words, named words, and what Celery embeds."""
    try:
        found = json.loads(b64decode(body, validate=True) if encoding == "base64" else "")
    except (ValueError, RecursionError):
        return "the body cannot be read"
    if not isinstance(found, list) or [type(part) for part in found] != [list, dict, dict]:
        return "the body is of a wrong type"
    return ""


def is_trouble(problem: Exception) -> bool:
    """Whether it is the broker that failed, and not a message: Celery then connects anew."""
    return isinstance(problem, OSError | RedisError) and not isinstance(problem, DataError)


def drop(problem: str) -> None:
    """Says that a message is left out. Never what stands in it, which may be secret."""
    logger.error("a message of the broker is dropped: %s", problem)


class QoS(kombu_redis.QoS):  # type: ignore[misc]
    """The messages that this process has taken."""

    def ack(self, delivery_tag: str) -> None:
        """Celery only notes a failure: without this, the message's place would stay taken for ever."""
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Puts a message that a lost worker took back into its queue, or removes it if it is none."""
        try:
            super().restore_by_tag(tag, client=client, leftmost=leftmost)
        except Exception as problem:
            if is_trouble(problem):
                raise
            drop(type(problem).__name__)
            self._remove_from_indices(tag).execute()


class Channel(kombu_redis.Channel):  # type: ignore[misc]
    """One conversation with the broker."""

    QoS = QoS

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        remove_misfits(Redis(connection_pool=self.pool), self.expected_types())

    def expected_types(self) -> dict[str, bytes]:
        """The keys that Celery uses, and their types in Redis."""
        types = {
            self.unacked_key: b"hash",
            self.unacked_index_key: b"zset",
            self.unacked_mutex_key: b"string",
        }
        for queue in QUEUES:
            types[self.keyprefix_queue % queue] = types[self.keyprefix_binding_permanent % queue] = b"set"
            types |= {self._q_for_pri(queue, step): b"list" for step in self.priority_steps}
        return {f"{self.global_keyprefix}{key}": wanted for key, wanted in types.items()}

    def basic_consume(
        self, queue: str, no_ack: bool, callback: Callable[[Any], Any], *words: Any, **options: Any
    ) -> Any:
        """As the base class, but a message that fails is rejected, so that it does not come again."""

        def careful(message: Any) -> Any:
            try:
                return callback(message)
            except Exception as problem:
                if is_trouble(problem):
                    raise
                drop(type(problem).__name__)
                message.reject()

        return super().basic_consume(queue, no_ack, careful, *words, **options)

    def _brpop_read(self, **options: Any) -> bool:
        """Reads one message, if there is one. Its connection has read all of it whatever it is."""
        try:
            return bool(super()._brpop_read(**options))
        except Empty:
            raise
        except Exception as problem:
            if is_trouble(problem):
                raise
            drop(type(problem).__name__)
            raise Empty from None


def remove_misfits(client: Redis, expected: Mapping[str, bytes]) -> None:
    """Removes keys of ours that have another type than Celery gives them: every command on them fails."""
    with client.pipeline(transaction=False) as pipe:
        for key in expected:
            pipe.type(key)
        found = dict(zip(expected, pipe.execute(), strict=True))
    misfits = [key for key, wanted in expected.items() if found[key] not in (wanted, b"none")]
    if misfits:
        logger.error("the broker's %s cannot be Celery's, and is removed", ", ".join(misfits))
        client.delete(*misfits)


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """What Celery connects with."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        problem = problem_of(message)
        if problem:
            drop(problem)
        else:
            super()._deliver(message, queue)


def install() -> None:
    """Makes this the transport of every redis: and rediss: address, also of unix sockets."""
    name = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update(redis=name, rediss=name)
