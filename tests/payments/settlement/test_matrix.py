"""Every event in every state of an order, and each again in three ways.

What is answered, and what has moved (contract 4.2, rules 3 to 7).
"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from lib.clock import now
from payments.deliveries.operations import lease, record_answer
from payments.models import Callback, Delivery, Order, Refund
from payments.orders.operations import expire_orders
from tests.support.callers import PlayerSession, holding, unique
from tests.support.invariants import problems_of
from tests.support.owned import owned
from tests.support.shop import ShopSetup, event_body, fresh, major, outcomes
from wallet.models import Entry

# A pack costs 20.00 EUR, credits 1000.00 XAG, and is delivered by the game besides.
# References of these names are made unique for each order.
PAID, SECOND, REFUND, DISPUTE = "paid", "second", "refund", "dispute"
NEW = "new"


class After(NamedTuple):
    """How an order stands, as a line of the table says it.

    Amounts in major units of EUR, and of XAG for the wallet's.
    """

    state: str
    refunded: str
    charged_back: str
    # Told of before the payment.
    remembered: str
    # What the provider holds for us.
    clearing: str
    spendable: str
    debt: str
    delivery: str


class Story:
    """An order on its way to a state."""

    def __init__(self, shop_setup: ShopSetup) -> None:
        self.shop_setup = shop_setup
        self.player_session: PlayerSession = shop_setup.player_session()
        self.order: Order = shop_setup.order(self.player_session, "pack")
        self.prefix = unique("r")

    def body(
        self, type: str, amount: str | None = None, reference: str = NEW, currency: str | None = None
    ) -> bytes:
        return event_body(
            f"payment.{type}", self.order, amount, reference=f"{self.prefix}-{reference}", currency=currency
        )

    def post(self, body: bytes, id: str) -> int:
        return self.shop_setup.webhooks.post(body, self.shop_setup.webhooks.signed(body, id=id)).status

    def tell(self, type: str, amount: str | None = None, reference: str = NEW) -> None:
        assert self.post(self.body(type, amount, reference), unique("msg")) == 200

    def deliver(self) -> None:
        (one,) = lease(now(), "test", left_out=[], only=Delivery.objects.get(order=self.order).pk)
        assert record_answer(one, status=200, problem="", body="", took_ms=1) == "delivered"

    def expire(self) -> None:
        owned(Order).filter(pk=self.order.pk).update(expires_at=now() - timedelta(seconds=1))
        assert expire_orders(now()) >= 1

    def spend(self) -> None:
        self.player_session.done("confirmWithdrawal", self.player_session.opened("withdraw", "1000.00"))

    def look(self) -> After:
        order, held = fresh(self.order), holding(self.order.player)
        remembered = sum(
            Refund.objects.filter(order=order, state="remembered").values_list("amount", flat=True)
        )
        delivery = Delivery.objects.filter(order=order).values_list("state", flat=True).first() or "-"
        amounts = (order.refunded, order.charged_back, remembered, self.clearing(), held.spendable, held.debt)
        return After._make([order.state, *(str(major(amount)) for amount in amounts), delivery])

    def clearing(self) -> int:
        moved = Entry.objects.filter(player=self.order.player, wallet__currency="EUR").values_list(
            "debit", "amount"
        )
        return sum(
            (amount or 0) * (1 if debit == "provider_clearing" else -1) for debit, amount in moved if debit
        )

    def journal(self) -> int:
        """How much the journals of the player's wallets tell."""
        return Entry.objects.filter(player=self.order.player).count()


# --- How an order comes to each state ---------------------------------------------------------------------


def failed(story: Story) -> None:
    story.tell("failed")


def expired(story: Story) -> None:
    story.expire()


def paid(story: Story) -> None:
    story.tell("succeeded", reference=PAID)


def delivered(story: Story) -> None:
    paid(story)
    story.deliver()


def refunded_in_part(story: Story) -> None:
    paid(story)
    story.tell("refunded", "5.00", REFUND)


def refunded(story: Story) -> None:
    paid(story)
    story.tell("refunded", "20.00", REFUND)


def charged_back(story: Story) -> None:
    paid(story)
    story.tell("charged_back", "20.00", DISPUTE)


def charged_back_in_part(story: Story) -> None:
    delivered(story)
    story.tell("charged_back", "5.00", DISPUTE)


def charged_back_and_reversed(story: Story) -> None:
    charged_back(story)
    story.tell("charge_back_reversed", "20.00", DISPUTE)


def created_with_a_full_refund(story: Story) -> None:
    story.tell("refunded", "20.00", REFUND)


def created_with_a_partial_refund(story: Story) -> None:
    story.tell("refunded", "5.00", REFUND)


def created_with_a_charge_back(story: Story) -> None:
    story.tell("charged_back", "20.00", DISPUTE)


def paid_twice(story: Story) -> None:
    paid(story)
    story.tell("succeeded", reference=SECOND)


def paid_and_spent(story: Story) -> None:
    paid(story)
    story.spend()


def created(story: Story) -> None:
    """It is so from the start."""


STATES: dict[str, Callable[[Story], None]] = {
    way.__name__.replace("_", " "): way
    for way in (
        created, failed, expired, paid, delivered, refunded_in_part, refunded, charged_back,
        charged_back_in_part, charged_back_and_reversed, created_with_a_full_refund,
        created_with_a_partial_refund, created_with_a_charge_back, paid_twice, paid_and_spent,
    )
}  # fmt: skip


# --- What can be told -------------------------------------------------------------------------------------


class Told(NamedTuple):
    type: str
    amount: str
    reference: str
    currency: str = "EUR"


EVENTS = {
    "succeeded": Told("succeeded", "20.00", PAID),
    "succeeded elsewhere": Told("succeeded", "20.00", NEW),
    "succeeded with a wrong amount": Told("succeeded", "19.99", NEW),
    "succeeded in a wrong currency": Told("succeeded", "20.00", NEW, "XAG"),
    "failed": Told("failed", "20.00", NEW),
    "failed what succeeded": Told("failed", "20.00", PAID),
    "refunded": Told("refunded", "20.00", NEW),
    "refunded in part": Told("refunded", "5.00", NEW),
    "refunded too much": Told("refunded", "20.01", NEW),
    "charged back": Told("charged_back", "20.00", NEW),
    "charged back in part": Told("charged_back", "5.00", NEW),
    "reversed": Told("charge_back_reversed", "20.00", DISPUTE),
    "reversed in part": Told("charge_back_reversed", "5.00", DISPUTE),
    "reversed what nobody knows": Told("charge_back_reversed", "20.00", NEW),
}


# --- The table --------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One line of the table.

    What is answered, what came of the callback, and how the order stands then; None: as before.
    """

    status: int
    outcome: str
    after: After | None


def read_table() -> dict[tuple[str, str], Row]:
    """The rows by state and event."""
    found, state = {}, ""
    for line in Path(__file__).with_name("matrix.txt").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        if not line.startswith(" "):
            state = line
            continue
        event, status, outcome, *after = re.split(r" {2,}", line.strip())
        found[state, event] = Row(int(status), outcome, None if after == ["as before"] else After(*after))
    return found


TABLE = read_table()


def test_settlement__table_has_every_event_in_every_state() -> None:
    assert list(TABLE) == [(state, event) for state in STATES for event in EVENTS]


@pytest.mark.parametrize(("state", "event"), TABLE)
def test_settlement__event_does_what_the_table_says_and_once(
    shop_setup: ShopSetup, state: str, event: str
) -> None:
    row, story, told, id = TABLE[state, event], Story(shop_setup), EVENTS[event], unique("msg")
    STATES[state](story)
    before, journal, earlier = story.look(), story.journal(), outcomes(story.order)
    body = story.body(*told)
    assert story.post(body, id) == row.status
    assert (story.look(), outcomes(story.order)) == (row.after or before, [*earlier, row.outcome])
    if row.status != 200 or (row.outcome == "nothing" and row.after is None):
        assert story.journal() == journal
    told_again(story, told, id, row)
    assert problems_of(story.order.player) == []


def told_again(story: Story, told: Told, id: str, row: Row) -> None:
    """The same in every way, under another id, and with other content under the same ids.

    Nothing moves, and each is kept.
    """
    body, is_taken = story.body(*told), row.status == 200
    before = (story.look(), story.journal())
    earlier = outcomes(story.order)
    assert story.post(body, id) == row.status
    assert Callback.objects.get(order=story.order, message_id=id).times_seen == 2
    assert (outcomes(story.order), story.look(), story.journal()) == (earlier, *before)
    # Who was refused under one id is refused under another; what was taken is not taken twice.
    assert story.post(body, unique("msg")) == row.status
    others = (
        [(told._replace(reference="other"), id), (told._replace(amount="0.07"), unique("msg"))]
        if is_taken
        else [(told._replace(currency="BHD"), id)]
    )
    for other, other_id in others:
        assert story.post(story.body(*other), other_id) == 422
    assert story.post(body, id) == row.status
    assert outcomes(story.order) == [
        *earlier,
        "nothing" if is_taken else "contradicts",
        *["contradicts"] * len(others),
    ]
    assert (story.look(), story.journal()) == before
