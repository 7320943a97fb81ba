"""What stands in the broker and is not ours is dropped, and never stops a worker."""

import json
import pickle
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from logging import getLogger
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from kombu import Connection, Consumer, Message, Queue
from redis import Redis
from redis.exceptions import DataError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeout

from config.broker_transport import problem_of
from config.celery import app
from config.queues import QUEUES, ROUTES, SETTLE
from payments.tasks import sandbox_call_back_task
from wallet.tasks import pulse, purge_expired_task

WORDS = b'[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'
HEADERS: dict[str, Any] = {
    "task": "wallet.pulse",
    "id": "an-id",
    "timelimit": [300, 240],
    "eta": None,
    "expires": None,
    "retries": 0,
    "ignore_result": True,
}
LATE = HEADERS | {"task": "payments.sandbox_call_back"}
PROPERTIES: dict[str, Any] = {
    "delivery_info": {"exchange": "", "routing_key": "settle"},
    "delivery_tag": "a-tag",
    "body_encoding": "base64",
    "correlation_id": "an-id",
    "priority": 0,
}


def message(
    body: bytes | None = WORDS, headers: object = HEADERS, properties: object = PROPERTIES, **more: str
) -> str:
    """A message as a producer of ours writes it, with changes."""
    found = {
        "body": None if body is None else b64encode(body).decode(),
        "content-type": more.get("content_type", "application/json"),
        "content-encoding": more.get("content_encoding", "utf-8"),
        "headers": headers,
        "properties": properties,
    }
    return json.dumps(found)


NO_OBJECT = "it is no object"
TOO_LATE = "eta is of a wrong type, or too late"
UNREADABLE, WRONG_BODY = "the body cannot be read", "the body is of a wrong type"
LIMITS = "timelimit is of a wrong type"
NO_JSON = "the body is no JSON"
PICKLE = pickle.dumps({"task": "wallet.pulse"})


def wrong(name: str) -> str:
    return f"{name} is missing or of a wrong type"


# What stands in a queue, and why it is dropped; nothing if it is no JSON at all.
POISON: dict[str, tuple[str | bytes, str]] = {
    "no JSON": ("poison", ""),
    "nothing": ("", ""),
    "no text": (b"\xff\xfe\x00", ""),
    "deeper than can be read": ("[" * 100_000, ""),
    "a pickle": (PICKLE, ""),
    "null": ("null", NO_OBJECT),
    "a number": ("17", NO_OBJECT),
    "a list": ("[]", NO_OBJECT),
    "an empty object": ("{}", wrong("headers")),
    "headers that are a list": (message(headers=[]), wrong("headers")),
    "no properties": (message(properties=None), wrong("properties")),
    "no body": (message(None), wrong("body")),
    "no task": (message(headers=HEADERS | {"task": None}), wrong("task")),
    "a list as a task": (message(headers=HEADERS | {"task": ["wallet.pulse"]}), wrong("task")),
    "an object as an id": (message(headers=HEADERS | {"id": {}}), wrong("id")),
    "an unknown task": (message(headers=HEADERS | {"task": "os.system"}), "there is no such task"),
    "a task of Celery's": (message(headers=HEADERS | {"task": "celery.starmap"}), "there is no such task"),
    "a compressed body": (
        message(headers=HEADERS | {"compression": "gzip"}),
        "nothing is compressed here",
    ),
    "limits that are a text": (message(headers=HEADERS | {"timelimit": "soon"}), LIMITS),
    "one limit": (message(headers=HEADERS | {"timelimit": [300]}), LIMITS),
    "limits that are no numbers": (message(headers=HEADERS | {"timelimit": [300, "240"]}), LIMITS),
    "limits without an end": (message(headers=HEADERS | {"timelimit": [10**400, None]}), LIMITS),
    "a time far ahead": (message(headers=LATE | {"eta": "2999-01-01T00:00:00+00:00"}), TOO_LATE),
    "a time without a zone": (message(headers=LATE | {"eta": "2026-01-01T00:00:00"}), TOO_LATE),
    "a number as a time": (message(headers=LATE | {"eta": 17}), TOO_LATE),
    "a time for a task that has none": (
        message(headers=HEADERS | {"eta": "2026-01-01T00:00:00+00:00"}),
        TOO_LATE,
    ),
    "a tag that is a list": (message(properties=PROPERTIES | {"delivery_tag": []}), wrong("delivery_tag")),
    "no delivery": (message(properties=PROPERTIES | {"delivery_info": 1}), wrong("delivery_info")),
    "no encoding": (message(properties=PROPERTIES | {"body_encoding": None}), wrong("body_encoding")),
    "an unknown encoding": (message(properties=PROPERTIES | {"body_encoding": "rot13"}), UNREADABLE),
    "a pickled body": (message(PICKLE, content_type="application/x-python-serialize"), NO_JSON),
    "an unknown charset": (message(content_encoding="rot13"), NO_JSON),
    "a body that is no JSON": (message(b"poison"), UNREADABLE),
    "a body that is deep": (message(b"[" * 100_000), UNREADABLE),
    "no list of words": (message(b"{}"), WRONG_BODY),
    "words that are an object": (message(b"[{}, {}, {}]"), WRONG_BODY),
    # Celery takes them, and only finds out then that they mean nothing.
    "a time that is none": (message(headers=HEADERS | {"expires": "soon"}), "taken"),
    "a time before all times": (message(headers=HEADERS | {"expires": "0001-01-01T00:00:00+14:00"}), "taken"),
    "words that the task does not take": (message(b'[[1, 2], {"three": 4}, {}]'), "taken"),
}


@pytest.mark.parametrize("name", POISON)
def test_message__that_cannot_be_ours_has_a_problem(name: str) -> None:
    raw, problem = POISON[name]
    if problem:
        assert (problem_of(json.loads(raw)) or "taken") == problem


def test_message__of_ours_has_none() -> None:
    assert problem_of(json.loads(message())) == ""
    assert problem_of(json.loads(message(headers=HEADERS | {"timelimit": [None, 0.5]}))) == ""


# --- A conversation with the broker ---------------------------------------------------------------------


@dataclass
class Conversation:
    """A connection under a prefix of its own, and what came to its consumer."""

    connection: Connection
    prefix: str
    client: Redis
    came: list[Message] = field(default_factory=list)

    def push(self, raw: str | bytes) -> None:
        self.client.lpush(f"{self.prefix}settle", raw)

    def read(self, callback: Callable[[Message], object] | None = None, times: int = 1) -> None:
        """Reads so many messages, whatever they are."""
        with Consumer(self.connection, [Queue("settle")], on_message=callback or self.came.append):
            for _ in range(times):
                with suppress(TimeoutError):
                    self.connection.drain_events(timeout=0.2)

    def left(self) -> list[str]:
        """The keys that the broker holds."""
        return sorted(key.decode().removeprefix(self.prefix) for key in self.client.keys(f"{self.prefix}*"))


@pytest.fixture
def broker() -> Iterator[Conversation]:
    prefix = f"test-{uuid4()}:"
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS | {"global_keyprefix": prefix}
    with (
        Redis.from_url(settings.REDIS_URL) as client,
        app.connection_for_read() as usual,
        Connection(usual.as_uri(include_password=True), transport_options=options) as connection,
    ):
        yield Conversation(connection, prefix, client)
        for key in client.keys(f"{prefix}*"):
            client.delete(key)


def test_broker__takes_what_our_producers_send(broker: Conversation) -> None:
    sent = {"expires": 3600, "connection": broker.connection, "queue": "settle"}
    for task in (pulse, purge_expired_task):
        task.apply_async(**sent)
    sandbox_call_back_task.apply_async(("slug", "order", "what", "{}", {}), countdown=10, **sent)
    broker.read(times=3)
    assert [one.headers["task"] for one in broker.came] == [
        "wallet.pulse",
        "wallet.purge_expired",
        "payments.sandbox_call_back",
    ]
    before = broker.left()
    with broker.connection.clone() as other:
        assert other.default_channel
    # Nothing of Celery's own was taken for a misfit.
    assert broker.left() == before


def test_broker__drops_poison_and_goes_on(broker: Conversation, caplog: pytest.LogCaptureFixture) -> None:
    poison = [raw for raw, problem in POISON.values() if problem != "taken"]
    for raw in [*poison, message()]:
        broker.push(raw)
    broker.read(times=len(poison) + 1)
    assert [one.headers["task"] for one in broker.came] == ["wallet.pulse"]
    dropped = [line for line in caplog.messages if line.startswith("a message of the broker is dropped: ")]
    assert len(dropped) == len(poison)
    assert not any("os.system" in line for line in caplog.messages)
    broker.came[0].ack()
    assert broker.left() == []


@pytest.mark.parametrize("problem", [KeyError("id"), TypeError("unhashable"), DataError("a list")])
def test_broker__message_that_cannot_be_handled_comes_once(broker: Conversation, problem: Exception) -> None:
    def fail(one: Message) -> None:
        broker.came.append(one)
        raise problem

    broker.push(message())
    broker.read(fail, times=2)
    assert (len(broker.came), broker.left()) == (1, [])


def test_broker__that_fails_is_no_poison(broker: Conversation) -> None:
    def fail(one: Message) -> None:
        raise ReadOnlyError("You can't write against a read only replica.")

    broker.push(message())
    with pytest.raises(ReadOnlyError):
        broker.read(fail)
    assert "unacked" in broker.left()


def test_broker__failed_acknowledgement_gives_the_place_back(
    broker: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = broker.connection.default_channel
    channel.basic_qos(0, 1, False)
    broker.push(message())
    broker.read()
    assert not channel.qos.can_consume()

    def hang(tag: str, pipe: object = None) -> None:
        raise RedisTimeout("Timeout reading from socket")

    monkeypatch.setattr(channel.qos, "_remove_from_indices", hang)
    broker.came[0].ack_log_error(getLogger(), broker.connection.connection_errors)
    assert channel.qos.can_consume()


def test_broker__keys_of_a_wrong_type_are_removed(broker: Conversation) -> None:
    for key in ("settle", "check\x06\x169", "unacked", "unacked_index", "_kombu.binding.settle", "other"):
        if key in ("settle", "check\x06\x169", "other"):
            broker.client.set(broker.prefix + key, "of a wrong type")
        else:
            broker.client.lpush(broker.prefix + key, "of a wrong type")
    broker.client.lpush(f"{broker.prefix}deliver", message())
    assert broker.connection.default_channel
    assert broker.left() == ["deliver", "other"]


def test_broker__lost_message_that_is_none_is_removed(broker: Conversation) -> None:
    broker.client.hset(f"{broker.prefix}unacked", mapping={"lost": "no JSON", "other": "[1, 2]"})
    broker.client.zadd(f"{broker.prefix}unacked_index", {"lost": 0, "other": 0})
    qos = broker.connection.default_channel.qos
    qos.restore_visible(interval=1)
    assert broker.left() == []


def test_celery__takes_no_orders_and_reads_only_json() -> None:
    assert (app.conf.worker_enable_remote_control, app.conf.accept_content) == (False, ["json"])
    assert app.conf.task_routes == ROUTES
    assert {route["queue"] for route in ROUTES.values()} | {SETTLE} == set(QUEUES)
    ours = {name for name in app.tasks if not name.startswith("celery.")}
    assert set(ROUTES) <= ours
