"""Where alerts lead: each kind to what it is about and to what mends it, for whoever may go there."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from lib.ids import new_id
from payments.models import EventReceiver, Order, Provider, Refund
from players.models import AuditEvent, Game, Operator
from tests.support.admin_pages import (
    address,
    alert,
    checkpoint,
    get,
    operator,
    page,
    queries,
    rows_of,
    signed_in,
)
from tests.support.callers import PlayerSession
from wallet.admin.alert_places import PLACES
from wallet.models import (
    Alert,
    ApiCall,
    Checkpoint,
    ClosedDay,
    Currency,
    JobRun,
    PayoutLimit,
    Transaction,
    Wallet,
)
from wallet.operations import freeze_wallet

Kind = Alert.Kind
AUDITS = f"{address(JobRun)}?task=audit_all"
Case = tuple[str, str, list[str]]


OBJECTS: dict[str, Any] = {
    Kind.SETTLEMENT_FAILED: Transaction,
    Kind.ACCESS_CHANGED: AuditEvent,
    Kind.CREDIT_HELD: Order,
    Kind.DELIVERY_GIVEN_UP: Order,
    Kind.RETURN_CHANGED: Refund,
    Kind.REFUND_REFUSED: Refund,
    Kind.REFUND_OPEN: Refund,
    Kind.CALLBACKS_REFUSED: Provider,
    Kind.EVENTS_NOT_TAKEN: EventReceiver,
}


def about(story: PlayerSession, kind: str) -> Any:
    """A row of the story that an alert of a kind is about."""
    return rows_of(story)[OBJECTS[kind]][0]


def of_wallet(story: PlayerSession) -> Case:
    wallet = story.wallet()
    freeze_wallet(wallet, actor="test", reason="test")
    return Kind.WALLET_DIFFERENCE, str(wallet.pk), [page(Wallet, wallet), page(Wallet, wallet, "unfreeze")]


def of_currency(story: PlayerSession) -> Case:
    return (
        Kind.LEDGER_DIFFERENCE,
        "currency XAG",
        [page(Currency, Currency.objects.get(code="XAG")), AUDITS],
    )


def of_checkpoint(story: PlayerSession) -> Case:
    row = Checkpoint.objects.first() or checkpoint()
    return Kind.CHECKPOINT_DIFFERENCE, str(row), [page(Checkpoint, row)]


def of_transaction(story: PlayerSession) -> Case:
    row = about(story, Kind.SETTLEMENT_FAILED)
    return Kind.SETTLEMENT_FAILED, str(row.pk), [page(Transaction, row)]


def of_credit(story: PlayerSession) -> Case:
    row = about(story, Kind.CREDIT_HELD)
    wallet = Wallet.objects.get(player=row.player, currency_id=row.credit_currency_id)
    return Kind.CREDIT_HELD, str(row.pk), [page(Order, row), page(Wallet, wallet, "adjust")]


def of_delivery(story: PlayerSession) -> Case:
    row = about(story, Kind.DELIVERY_GIVEN_UP)
    return Kind.DELIVERY_GIVEN_UP, str(row.pk), [page(Order, row), page(Order, row, "deliver_again")]


def of_refund(kind: str, state: str, mending: str) -> Callable[[PlayerSession], Case]:
    def case(story: PlayerSession) -> Case:
        known = about(story, kind)
        row = Refund.objects.create(
            order=known.order,
            provider=known.provider,
            kind="refund",
            state=state,
            amount=1,
            actor="test",
            created_at=known.created_at,
        )
        mended = page(Refund, row, mending) if mending == "requery" else page(Order, row.order, mending)
        return kind, str(row.pk), [page(Refund, row), page(Order, row.order), mended]

    return case


def of_provider(story: PlayerSession) -> Case:
    row = about(story, Kind.CALLBACKS_REFUSED)
    places = [page(Provider, row, action) for action in ("change", "enter_secret", "verify_refused")]
    return Kind.CALLBACKS_REFUSED, row.slug, places


def of_receiver(story: PlayerSession) -> Case:
    row = about(story, Kind.EVENTS_NOT_TAKEN)
    return Kind.EVENTS_NOT_TAKEN, str(row.pk), [page(EventReceiver, row), page(EventReceiver, row, "resume")]


def of_act(story: PlayerSession) -> Case:
    row = about(story, Kind.ACCESS_CHANGED)
    return Kind.ACCESS_CHANGED, str(row.pk), [page(AuditEvent, row)]


def of_operator(story: PlayerSession) -> Case:
    row = Operator.objects.order_by("pk")[0]
    return Kind.LOCK_OUT, row.username, [page(Operator, row)]


CASES: list[Callable[[PlayerSession], Case]] = [
    of_wallet,
    of_currency,
    lambda story: (Kind.LEDGER_DIFFERENCE, "daily totals", [address(ClosedDay), AUDITS]),
    of_checkpoint,
    lambda story: (Kind.GAME_FORGETS, story.game.slug, [page(Game, story.game)]),
    lambda story: (Kind.SWEEP_FAILED, "settle_due", [f"{address(JobRun)}?task=settle_due&outcome=failed"]),
    of_transaction,
    of_credit,
    of_refund(Kind.REFUND_OPEN, "unknown", "requery"),
    of_refund(Kind.REFUND_REFUSED, "refused", "refund"),
    of_refund(Kind.RETURN_CHANGED, "refused", "refund"),
    of_delivery,
    lambda story: (
        Kind.ACTS_NOT_LINKED,
        "audit trail",
        [address(AuditEvent), f"{address(JobRun)}?task=link_acts"],
    ),
    lambda story: (
        Kind.MONEY_BY_HAND,
        "XAG 2026-11-29",
        [f"{address(Transaction)}?type=credit&currency=XAG&since=2026-11-29&until=2026-11-29T23%3A59%3A59"],
    ),
    lambda story: (
        Kind.DEPOSITS_UNUSUAL,
        f"{story.game.slug} XAG",
        [page(Game, story.game), address(PayoutLimit)],
    ),
    of_act,
    of_operator,
    of_provider,
    of_receiver,
    lambda story: (Kind.ANSWERS_LOST, f"timeline 2, {new_id()}", [address(ApiCall)]),
    lambda story: (Kind.STANDBY_BEHIND, "standbys", [f"{address(JobRun)}?task=watch"]),
]


def test_alert_kinds__all_lead_somewhere() -> None:
    assert set(PLACES) == set(Kind)


@pytest.mark.parametrize("case", CASES)
def test_alert__leads_to_its_object_and_repair_for_who_may(
    client: Client, story: PlayerSession, case: Callable[[PlayerSession], Case]
) -> None:
    kind, subject, places = case(story)
    row = alert(kind, subject=subject)
    reader = signed_in(operator("wallet.view_alert"))
    for place in (page(Alert, row), address(Alert)):
        text, seen = unescape(get(client, place)), unescape(get(reader, place))
        assert [f'href="{one}" class="wallet-link"' in text for one in places] == [True] * len(places)
        assert not any(f'href="{one}" class="wallet-link"' in seen for one in places)
        assert subject in seen
    for one in places:
        assert client.get(one).status_code in (200, 302), one


def test_alert__about_what_is_gone_leads_nowhere(client: Client) -> None:
    for kind in Kind.values:
        for subject in (str(new_id()), "nonsense", "a b c"):
            row = alert(kind, subject=subject)
            assert subject in get(client, page(Alert, row)), kind


def test_alert_list__costs_the_same_however_many_there_are(client: Client, story: PlayerSession) -> None:
    alert(Kind.GAME_FORGETS, subject=story.game.slug)
    before = len(queries(client, address(Alert)))
    for number in range(10):
        alert(Kind.GAME_FORGETS, subject=f"{story.game.slug} {number}")
    assert len(queries(client, address(Alert))) == before <= 25
