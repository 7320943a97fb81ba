"""Fills the lists that operators work through, in a loaded database: `python -m benchmarks.desk COUNT`.

Alerts, discrepancies, requests, acts, runs of jobs, callbacks and refused ones: as many of each as a desk has
after years, nearly all of them done with. Their words are made up; nothing of it moves money.
"""

import hashlib
import os
import sys
from datetime import datetime, timedelta

import django
from django.db import transaction
from django.db.models import F, Model

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from lib.clock import now  # noqa: E402
from lib.ids import new_id  # noqa: E402
from payments.callbacks.rejected import MOST_ROWS  # noqa: E402
from payments.models import Callback, Order, Provider, RefusedCallback  # noqa: E402 (models need the setup)
from players.models import Approval, AuditEvent, Operator, Player  # noqa: E402
from wallet.models import Alert, Discrepancy, JobRun, Transaction  # noqa: E402

# So many of a list are still open.
OPEN = 100
BATCH = 2_000
DAY = timedelta(days=1)
ADDRESS = "127.0.0.1"


@transaction.atomic
def fill(count: int) -> None:
    """Adds `count` rows of each kind, all of them or none."""
    operators = [
        Operator.objects.get_or_create(username=f"bench-{name}", defaults={"is_staff": True})[0]
        for name in ("one", "two")
    ]
    players = [str(key) for key in Player.objects.order_by("pk").values_list("pk", flat=True)[:count]]
    orders = list(Order.objects.order_by("pk")[:count])
    transactions = Transaction.objects.order_by("pk").only("pk", "player_id")[:count]
    provider = Provider.objects.get(slug="bench")
    times = [now() - 365 * DAY * (count - number) / count for number in range(count)]
    rows: list[list[Model]] = [
        [alert(at, number, count) for number, at in enumerate(times)],
        [
            discrepancy(at, number, count, played)
            for number, (at, played) in enumerate(zip(times, transactions, strict=False))
        ],
        [request(at, number, count, players, operators[0]) for number, at in enumerate(times)],
        [act(at, number, players, operators) for number, at in enumerate(times)],
        [run_of_job(at, number) for number, at in enumerate(times)],
        [callback(at, order, provider) for at, order in zip(times, orders, strict=False)],
        [refused(times[-1], order, provider) for order in orders[:MOST_ROWS]],
    ]
    for kind in rows:
        type(kind[0])._default_manager.bulk_create(kind, batch_size=BATCH)  # noqa: SLF001 (documented)
    # One begins as a request, and ends once.
    Approval.objects.filter(expires_at__lt=now()).update(
        state=Approval.State.EXECUTED, decided_by=operators[1], ended_at=F("expires_at") - DAY / 2
    )


def is_open(number: int, count: int) -> bool:
    return number >= count - OPEN


def alert(at: datetime, number: int, count: int) -> Alert:
    kinds = [kind for kind in Alert.Kind if kind not in Alert.CRITICAL]
    ended = {} if is_open(number, count) else {"resolved_at": at, "resolved_by": "bench", "reason": "done"}
    return Alert(
        kind=kinds[number % len(kinds)],
        subject=f"bench-{number}",
        text="Something that a person has to look at.",
        raised_at=at,
        last_seen_at=at,
        **ended,
    )


def discrepancy(at: datetime, number: int, count: int, played: Transaction) -> Discrepancy:
    ended = {} if is_open(number, count) else {"closed_at": at, "closed_by": "bench", "reason": "done"}
    return Discrepancy(
        id=new_id(),
        player_id=played.player_id,
        transaction_id=played.pk,
        kind=list(Discrepancy.Kind)[number % len(Discrepancy.Kind)],
        first_seen_at=at,
        last_seen_at=at,
        **ended,
    )


def request(at: datetime, number: int, count: int, players: list[str], operator: Operator) -> Approval:
    return Approval(
        id=new_id(),
        kind="adjustment",
        subject_type="players.player",
        subject_id=players[number % len(players)],
        subject_name="player",
        player_id=players[number % len(players)],
        payload={},
        title="Credit 100.00 XAG",
        effect=[],
        says=[],
        digest="",
        amount=100_00,
        currency_code="XAG",
        requested_by=operator,
        requested_at=at,
        reason="a complaint",
        expires_at=now() + DAY if is_open(number, count) else at + DAY,
    )


def act(at: datetime, number: int, players: list[str], operators: list[Operator]) -> AuditEvent:
    operator = operators[number % len(operators)]
    return AuditEvent(
        id=new_id(),
        at=at,
        operator=operator,
        username=operator.username,
        roles=[],
        address=ADDRESS,
        action="block_player",
        subject_type="players.player",
        subject_id=players[number % len(players)],
        subject_name="player",
        outcome="done" if number % 20 else "refused",
    )


def run_of_job(at: datetime, number: int) -> JobRun:
    return JobRun(
        task=("settle_due", "fold_figures", "deliver", "expire_sessions")[number % 4],
        worker="bench",
        began_at=at,
        ended_at=at + timedelta(seconds=1),
        looked_at=number % 3,
        done=number % 3,
        failed=0 if number % 50 else 1,
    )


def callback(at: datetime, order: Order, provider: Provider) -> Callback:
    digest = hashlib.sha256(order.pk.bytes).digest()
    return Callback(
        provider=provider,
        order=order,
        message_id=f"msg_{order.pk.hex}",
        type="payment.succeeded",
        reference=f"ref_{order.pk.hex}",
        content_digest=digest,
        signed_digest=digest,
        headers={},
        body=b"{}",
        address=ADDRESS,
        outcome=Callback.Outcome.CONTRADICTS,
        problem="It names another amount.",
        received_at=at,
        last_seen_at=at,
        resolved_at=at,
        resolved_by="bench",
        reason="done",
    )


def refused(at: datetime, order: Order, provider: Provider) -> RefusedCallback:
    return RefusedCallback(
        provider=provider,
        at=at,
        address=ADDRESS,
        problem="The signature does not match.",
        headers={},
        body=b"{}",
        size=2,
        said_order=order.pk,
        said_reference=f"ref_{order.pk.hex}",
        is_likely=True,
    )


if __name__ == "__main__":
    fill(int(sys.argv[1]))
