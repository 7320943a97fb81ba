"""Sends deliveries over HTTP (contract 4.3).

Outside of every atomic block, a few at once, and to no game for longer than it answers.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from uuid import UUID

from lib.backoffice.languages import stored
from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.outbound.client import Unanswered, post_json
from lib.security import webhook_signatures
from lib.security.encryption import Unreadable
from lib.telemetry.spans import resumed_span
from lib.texts import storable
from payments.deliveries.operations import failing_games, lease, record_answer
from payments.models import Delivery, DeliveryAttempt, Order
from payments.providers.signatures import order_notify
from payments.providers.signatures.order_notify import Notification
from payments.providers.signing_secrets import delivery_secrets
from wallet.currencies import decimals_of
from wallet.job_runs import Run
from wallet.money import to_major

logger = logging.getLogger(__name__)
# Of which operations.MOST_OF_A_GAME of one game: it takes eight that hang to make a ninth wait.
AT_ONCE = 32
# A game that failed so often in a run is left alone until the next one.
MOST_FAILURES = 3
RUN_SECONDS = 20.0
# Of a game's answer, in characters.
BODY_LENGTH = 500
# While nobody answers, so often a run looks for what has become due since.
LOOK_SECONDS = 0.25
# A run that a nudge began leaves games that fail alone for so long: they are not told more often because
# others are paid.
NUDGED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Message:
    """All that sending needs, so that nothing of the database is touched meanwhile."""

    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryResponse:
    """What came of a try: a status, or why there was none."""

    status: int | None
    problem: str = ""
    body: str = ""
    took_ms: int | None = None


def message_of(one: DeliveryAttempt, order: Order) -> Message:
    """The eight fields with the game's own cpOrderId, signed twice with the game's own secret.

    The signatures are `sign`, and the headers of Standard Webhooks.
    """
    try:
        secrets = delivery_secrets(order.game)
    except Unreadable:
        return Message(
            one.url,
            b"",
            {},
            stored("a secret of the game was sealed with a key that is not in ENCRYPTION_KEYS"),
        )
    if not secrets:
        return Message(one.url, b"", {}, stored("the game has no delivery secret"))
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
    return Message(one.url, body, webhook_signatures.headers(id, seconds, body, secrets))


def send(message: Message) -> DeliveryResponse:
    """Tells the game once. Touches no database, and raises nothing.

    A time-out is no answer, and the game is told again.
    """
    if message.problem:
        return DeliveryResponse(None, message.problem)
    try:
        reply = post_json(message.url, message.body, headers=message.headers)
    except Unanswered as problem:
        return DeliveryResponse(None, str(problem), took_ms=problem.took_ms)
    refused = "" if 200 <= reply.status < 300 else stored("status {status}").format(status=reply.status)
    return DeliveryResponse(reply.status, refused, storable(reply.body, BODY_LENGTH), reply.took_ms)


def attempt(message: Message, delivery: Delivery) -> DeliveryResponse:
    """The same in the trace of what made the delivery due. Beside this run, which has the present one."""
    with resumed_span("delivery attempt", delivery.traceparent) as span:
        span.note("wallet.delivery_id", str(delivery.pk))
        return send(message)


@dataclass
class Dispatcher:
    """What is under way in one run: a few tries at once, of no game so many that others would wait for it."""

    worker: str
    pool: ThreadPoolExecutor
    # From when on games that fail are tried, by the monotonic clock.
    tries_failing_from: float = 0.0
    under_way: dict[Future[DeliveryResponse], DeliveryAttempt] = field(default_factory=dict)
    failures: Counter[UUID] = field(default_factory=Counter)

    def fill(self, run: Run) -> None:
        """Begins as many tries as there is room for.

        First what is due of games that work, then one of each that fails.
        """
        failing = failing_games()
        while limit := AT_ONCE - len(self.under_way):
            tries = lease(now(), self.worker, left_out=failing | self.given_up(), limit=limit)
            if not tries:
                break
            self.begin(tries, run)
        if time.monotonic() < self.tries_failing_from:
            return
        for game in failing - self.given_up() - set(self.counts()):
            if len(self.under_way) < AT_ONCE:
                self.begin(lease(now(), self.worker, game=game, limit=1), run)

    def counts(self) -> Counter[UUID]:
        """How many tries of each game are under way."""
        return Counter(one.delivery.game_id for one in self.under_way.values())

    def given_up(self) -> set[UUID]:
        """The games that failed so often that they are left to the next run."""
        return {game for game, count in self.failures.items() if count >= MOST_FAILURES}

    def begin(self, tries: list[DeliveryAttempt], run: Run) -> None:
        run.looked_at += len(tries)
        for one, message in zip(tries, messages_of(tries), strict=True):
            context = copy_context()
            self.under_way[self.pool.submit(context.run, attempt, message, one.delivery)] = one

    def take(self, run: Run) -> None:
        """Waits a little for an answer, and writes down all that are there."""
        ended, _ = wait(self.under_way, LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in ended:
            one = self.under_way.pop(future)
            is_delivered = write_down(one, future.result()) == Delivery.State.DELIVERED
            run.done += is_delivered
            self.failures[one.delivery.game_id] += not is_delivered


def deliver_due(run: Run, *, is_nudged: bool = False, hand_over: Callable[[], None] = lambda: None) -> bool:
    """Sends everything that is due. Returns whether it came to the end.

    `hand_over` is called when nothing more is begun, and another run may: what is under way is waited for
    after it, so that a slow game keeps no other one waiting.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        dispatcher = Dispatcher(run.worker, pool, began + NUDGED_SECONDS if is_nudged else began)
        dispatcher.fill(run)
        while dispatcher.under_way and time.monotonic() < began + RUN_SECONDS:
            dispatcher.take(run)
            dispatcher.fill(run)
        is_finished = not dispatcher.under_way
        hand_over()
        while dispatcher.under_way:
            dispatcher.take(run)
    return is_finished


def messages_of(tries: list[DeliveryAttempt]) -> list[Message]:
    """What is to be sent, with all that the database has to say about it."""
    orders = Order.objects.select_related("game", "player").in_bulk([one.delivery.order_id for one in tries])
    return [message_of(one, orders[one.delivery.order_id]) for one in tries]


def write_down(one: DeliveryAttempt, response: DeliveryResponse) -> str:
    """Writes down what came of a try. Returns the delivery's state; nothing where it cannot be written."""
    try:
        return record_answer(
            one,
            status=response.status,
            problem=response.problem,
            body=response.body,
            took_ms=response.took_ms,
        )
    except FAILURES as problem:
        drop_unfit_connection(problem)
        # Its lease runs out, and it is sent again under the same id.
        logger.exception("what came of the delivery %s cannot be written down", one.delivery_id)
        return ""
