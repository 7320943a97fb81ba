"""Sends deliveries over HTTP: outside of every atomic block, a few at once, and to no game for longer than it answers (contract 4.3)."""

import json
import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

from django.db.utils import DatabaseError

from payments.deliveries import lease, record_answer
from payments.models import Delivery, DeliveryTry, Order, Shop
from payments.secrets import delivery_secrets
from payments.signatures import order_notify, standard_webhooks
from payments.signatures.order_notify import Notification
from players.clock import now
from players.outgoing import Unanswered, post_json
from players.vault import Unreadable
from wallet.currencies import decimals_of
from wallet.money import to_major
from wallet.runs import Run

logger = logging.getLogger(__name__)
AT_ONCE = 8
# A game that failed so often in a run is left alone until the next one.
MOST_FAILURES = 3
RUN_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Message:
    """All that sending needs, so that nothing of the database is touched meanwhile."""

    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of a try: a status, or why there was none."""

    status: int | None
    problem: str = ""
    body: str = ""
    took_ms: int | None = None


def message_of(one: DeliveryTry, order: Order) -> Message:
    """The eight fields with the game's own cpOrderId, signed twice with the game's own secret: `sign`, and the headers of Standard Webhooks."""
    try:
        secrets = delivery_secrets(order.game)
    except Unreadable:
        return Message(one.url, b"", {}, "a secret of the game was sealed with a key that is not in ENCRYPTION_KEYS")
    if not secrets:
        return Message(one.url, b"", {}, "the game has no delivery secret")
    at = now()
    decimals = decimals_of(order.currency_id)
    if decimals is None:
        raise AssertionError("currencies are never deleted")
    # Texts, all of them: what is signed are the characters, and a number may be written in several ways.
    fields = {
        "uid": order.player.uid,
        "serverId": str(order.server_id),
        "cpOrderId": order.cp_order_id,
        "productId": order.product_code,
        "productPrice": str(to_major(order.price, decimals)),
        "extParams": order.ext_params,
        "ts": str(int(at.timestamp() * 1000)),
    }
    signed = fields | {"sign": order_notify.sign(Notification(**fields, sign=""), secrets[0])}
    body = json.dumps(signed, ensure_ascii=False).encode()
    id, seconds = str(one.delivery_id), int(at.timestamp())
    signature = " ".join(standard_webhooks.sign(id, seconds, body, secret) for secret in secrets)
    return Message(one.url, body, {"webhook-id": id, "webhook-timestamp": str(seconds), "webhook-signature": signature})


def send(message: Message) -> Heard:
    """Tells the game once. Touches no database, and raises nothing: a time-out is no answer, and it is told again."""
    if message.problem:
        return Heard(None, message.problem)
    try:
        reply = post_json(message.url, message.body, headers=message.headers)
    except Unanswered as problem:
        return Heard(None, f"{problem.kind}: {problem}", took_ms=problem.took_ms)
    body = reply.body.decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return Heard(reply.status, "" if 200 <= reply.status < 300 else f"status {reply.status}", body, reply.took_ms)


def deliver_due(run: Run) -> bool:
    """Sends everything that is due. Returns whether it came to the end."""
    ends, failures = time.monotonic() + RUN_SECONDS, Counter[UUID]()
    while time.monotonic() < ends:
        left_out = [game for game, count in failures.items() if count >= MOST_FAILURES]
        tries = lease(now(), run.worker, left_out=left_out, limit=AT_ONCE)
        if not tries:
            return True
        run.looked_at += len(tries)
        for delivery, state in send_all(tries):
            run.done += state == Delivery.State.DELIVERED
            failures[delivery.game_id] += state != Delivery.State.DELIVERED
    return False


def deliver_one(delivery_id: UUID, worker: str) -> None:
    """Sends one delivery that has just become due; where its game fails at present, that is left to the sweep."""
    failing = Shop.objects.filter(failing_since__isnull=False).values_list("game_id", flat=True)
    send_all(lease(now(), worker, left_out=list(failing), only=delivery_id))


def send_all(tries: list[DeliveryTry]) -> list[tuple[Delivery, str]]:
    """Sends tries at once, with nothing held open in the database. Returns each delivery with its state afterwards."""
    if not tries:
        return []
    orders = Order.objects.select_related("game", "player").in_bulk([one.delivery.order_id for one in tries])
    messages = [message_of(one, orders[one.delivery.order_id]) for one in tries]
    sent = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for one, heard in zip(tries, pool.map(send, messages), strict=True):
            try:
                state = record_answer(one, status=heard.status, problem=heard.problem, body=heard.body, took_ms=heard.took_ms)
            except DatabaseError:
                # Its lease runs out, and it is sent again under the same id.
                logger.exception("what came of the delivery %s cannot be written down", one.delivery_id)
                state = ""
            sent.append((one.delivery, state))
    return sent
