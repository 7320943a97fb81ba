"""What partners were told after the restored moment, and the ledger no longer knows: found, for operators.

Nothing here moves money or writes a row.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import QuerySet

from config.recovery.verification import later_checkpoints, stored_name
from payments.callbacks.queries import open_payments
from payments.models import Callback, Payment
from payments.providers.adapters import adapter_for
from payments.providers.protocol import PaymentQuery, ProviderConfig, ProviderUnavailable
from payments.providers.registry import PROVIDERS
from wallet.audit.rows import snapshot
from wallet.checkpoints.database import compare_leaves
from wallet.checkpoints.stored import fetched
from wallet.currencies import show_amount
from wallet.models import ApiCall, Checkpoint, Inquiry, Transaction
from wallet.proof.file import CheckpointFile
from wallet.proof.findings import SLACK, Findings
from wallet.settlement.decisions import FROM_GAMES
from wallet.settlement.status_query import QueryResult, ask, status_query

QUESTIONS_AT_ONCE, BATCH = 8, 200
# Payments that were begun so long before the moment may still have been paid after it.
PAYABLE = timedelta(days=7)
CONFIRMS = ("confirmWithdrawal", "confirmDeposit")


@dataclass(frozen=True)
class Lost:
    """One thing that a partner knows otherwise than we: what it is about, what is said, and where to look."""

    subject: str
    said: str
    page: str


@dataclass
class Count:
    """How many were looked at; those that agree are not listed."""

    asked: int = 0
    unasked: int = 0


def pending_at(since: datetime) -> QuerySet[Transaction]:
    """What games had opened and not settled at the moment."""
    return Transaction.objects.filter(
        state=Transaction.State.PENDING, settled_at=None, opened_at__lte=since, type__in=FROM_GAMES
    )


def at_games(pending: QuerySet[Transaction], count: Count) -> Iterator[Lost]:
    """Of these, what the game says is not pending; and of what it says nothing."""
    rows = pending.select_related("game", "player", "wallet").order_by("pk").iterator(BATCH)
    with ThreadPoolExecutor(QUESTIONS_AT_ONCE) as pool:
        while batch := list(islice(rows, BATCH)):
            asked = [row for row in batch if row.game and row.game.query_url]
            count.asked += len(asked)
            count.unasked += len(batch) - len(asked)
            results = pool.map(ask, [status_query(row) for row in asked])
            for row, result in zip(asked, results, strict=True):
                if result.answer != Inquiry.Answer.PENDING:
                    yield told_by_game(row, result)


def told_by_game(row: Transaction, result: QueryResult) -> Lost:
    game = row.game.slug if row.game else ""
    amount = show_amount(row.amount, row.wallet.currency_id)
    said = result.answer.upper() if not result.problem else f"no usable answer ({result.problem})"
    return Lost(
        f"{game}, {row.type} {row.mm_transaction_id} of {row.player.uid}, {amount}, pending here",
        f"the game says {said}",
        f"/admin/wallet/transaction/{row.pk}/change/",
    )


def open_at(since: datetime) -> QuerySet[Payment]:
    """The payments that were open at the moment, and whose provider can be asked."""
    return open_payments().filter(started_at__lte=since, started_at__gt=since - PAYABLE)


def at_providers(begun: QuerySet[Payment], count: Count) -> Iterator[Lost]:
    """Of these, what the provider says is decided; and of what it says nothing."""
    configs = {config.id: config for config in PROVIDERS.all(0).values()}
    for payment in begun.select_related("order", "provider").order_by("pk"):
        count.asked += 1
        if said := said_by_provider(payment, configs[payment.provider_id]):
            yield told_by_provider(payment, said)


def said_by_provider(payment: Payment, config: ProviderConfig) -> str:
    """What a callback would tell; empty if the payment is open there, too."""
    adapter = adapter_for(config.scheme)
    query = PaymentQuery(payment.order_id, payment.start_reference)
    try:
        event = adapter.read_answer(adapter.query(config, query))
    except ProviderUnavailable as problem:
        return f"nothing ({problem})"
    return str(event.type) if event.type else ""


def told_by_provider(payment: Payment, said: str) -> Lost:
    order = payment.order
    return Lost(
        f"{payment.provider.slug}, order {order.pk}, {show_amount(payment.amount, order.currency_id)}, "
        f"{payment.state} here",
        f"the provider says {said}",
        f"/admin/payments/order/{order.pk}/change/",
    )


def unknown_ids(since: datetime) -> Iterator[Lost]:
    """Ids of transactions that games have mentioned since, and that are not here."""
    calls = ApiCall.objects.filter(at__gt=since, outcome="not_found", endpoint__in=CONFIRMS)
    named = calls.values_list("game__slug", "endpoint", "mm_transaction_id").distinct().order_by()
    for game, endpoint, id in sorted(named):
        said = f"{endpoint} of a transaction that is not here (106)"
        yield Lost(f"{game}, {id}", said, f"/admin/wallet/apicall/?q={id}")
    # A rollback of what is not known is remembered, and answered with success.
    tombstones = Transaction.objects.filter(
        opened_at__gt=since, state=Transaction.State.ROLLED_BACK, amount=None, game__isnull=False
    )
    for row in tombstones.select_related("game").order_by("pk"):
        game = row.game.slug if row.game else ""
        page = f"/admin/wallet/transaction/{row.pk}/change/"
        yield Lost(f"{game}, {row.mm_transaction_id}", "a rollback of a transaction that is not here", page)


def unknown_orders(since: datetime) -> Iterator[Lost]:
    """Genuine callbacks since that are about no order of ours."""
    callbacks = Callback.objects.filter(
        received_at__gt=since, outcome=Callback.Outcome.NO_ORDER, resolved_at=None
    )
    for row in callbacks.select_related("provider").order_by("pk"):
        page = f"/admin/payments/callback/{row.pk}/change/"
        yield Lost(f"{row.provider.slug}, {row.reference}", f"{row.type} of an order that is not here", page)


def of_checkpoints(since: datetime) -> Iterator[Lost]:
    """The wallets of which a stored checkpoint from after the moment knows more than the database."""
    newest = Checkpoint.objects.order_by("-number").first()
    number = newest.number if newest else 0
    name = stored_name(number + later_checkpoints(number))
    if not name:
        return
    findings = Findings()
    with fetched(name) as source, snapshot() as raw:
        file = CheckpointFile(source)
        if file.header.moment() <= since:
            return
        compare_leaves(raw, file.header.moment() - SLACK, file.leaves(), findings)
    for text in findings.first:
        yield Lost(f"checkpoint {file.header.number} of {file.header.made_at}", text, "/admin/wallet/wallet/")
    if more := findings.count - len(findings.first):
        yield Lost(f"checkpoint {file.header.number}", f"{more} more", f"verify_checkpoint {name}")
