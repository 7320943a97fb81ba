"""Random events about one order, in random order and with duplicates.

Every answer, state and balance is that of a model of forty lines.

`LONG=1` plays seventy times as much.
"""

import os
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lib.clock import now
from payments.deliveries.operations import lease, record_answer
from payments.models import Delivery, Order
from payments.order_audit import difference_of, read_kept
from payments.orders.operations import expire_orders
from payments.providers.registry import PROVIDERS
from tests.support.callers import Holding, PlayerSession, holding, unique
from tests.support.invariants import problems_of
from tests.support.owned import owned
from tests.support.shop import ShopSetup, event_body, fresh, major, make_product

EXAMPLES, STEPS = (2000, 40) if os.environ.get("LONG") else (50, 24)
PHASES = list(Phase) if os.environ.get("LONG") else [Phase.explicit, Phase.reuse, Phase.generate]
# Numbers that divide badly: 3.33 EUR buys 10.01 XAG.
PRICE, CREDIT = 3_33, 10_01
KINDS = ("refunded", "charged_back")


class Event(NamedTuple):
    type: str
    reference: str
    amount: int


class Step(NamedTuple):
    """What happens, and with what; each step takes what it wants."""

    what: str
    event: Event
    message: str


@dataclass
class Back:
    """Money that went back: of which kind, and how much."""

    kind: str
    amount: int
    is_remembered: bool
    is_reversed: bool = False


@dataclass
class Model:
    """What contract 4.2 says of one order; amounts in minor units."""

    by_game: bool
    state: str = "created"
    is_delivered: bool = False
    refunded: int = 0
    charged_back: int = 0
    taken: int = CREDIT
    spendable: int = 0
    debt: int = 0
    delivery: str = ""
    paid_with: list[str] = field(default_factory=list)
    backs: dict[tuple[str, str], Back] = field(default_factory=dict)
    messages: dict[str, Event] = field(default_factory=dict)
    told: dict[tuple[str, str], Event] = field(default_factory=dict)

    def hear(self, event: Event, message: str) -> int:
        """The answer to a callback."""
        known = self.messages.get(message) or self.told.get((event.type, event.reference))
        if known not in (None, event) or (known is None and not self.act(event)):
            return 422
        self.messages[message] = self.told[event.type, event.reference] = event
        return 200

    def act(self, event: Event) -> bool:
        if event.type == "succeeded":
            return self.succeed(event)
        if event.type == "failed":
            if event.reference in self.paid_with:
                return False
            self.state = "failed" if self.state == "created" else self.state
            return True
        return self.give_back(event) if event.type in KINDS else self.reverse(event)

    def succeed(self, event: Event) -> bool:
        if event.amount != PRICE:
            return False
        was_stopped = self.is_stopped or not self.is_paid
        self.paid_with.append(event.reference)
        for back in self.backs.values():
            if back.is_remembered and back.amount <= self.kept:
                back.is_remembered = False
        self.settle(was_stopped)
        return True

    def give_back(self, event: Event) -> bool:
        early = sum(back.amount for back in self.backs.values() if back.is_remembered)
        if event.amount > (self.kept if self.is_paid else PRICE - early):
            return False
        was_stopped = self.is_stopped
        self.backs[event.type, event.reference] = Back(event.type, event.amount, not self.is_paid)
        self.settle(was_stopped)
        return True

    def reverse(self, event: Event) -> bool:
        back = self.backs.get(("charged_back", event.reference))
        if back is None or back.amount != event.amount or back.is_reversed:
            return False
        was_stopped = self.is_stopped
        back.is_reversed, back.is_remembered = True, False
        self.settle(was_stopped)
        return True

    # --- What follows -------------------------------------------------------------------------------

    @property
    def is_paid(self) -> bool:
        return bool(self.paid_with)

    @property
    def done(self) -> list[Back]:
        return [back for back in self.backs.values() if not back.is_remembered and not back.is_reversed]

    @property
    def kept(self) -> int:
        return PRICE * len(self.paid_with) - sum(back.amount for back in self.done)

    @property
    def is_stopped(self) -> bool:
        return self.charged_back > 0 or self.refunded >= PRICE

    def settle(self, was_stopped: bool) -> None:
        if not self.is_paid:
            return
        missing = max(PRICE - self.kept, 0)
        self.charged_back = min(
            sum(back.amount for back in self.done if back.kind == "charged_back"), missing
        )
        self.refunded = missing - self.charged_back
        self.settle_credit(CREDIT * missing // PRICE)
        # A credit is delivered with its first part.
        self.is_delivered = self.is_delivered or not (self.by_game or missing == PRICE)
        if self.by_game and was_stopped and not self.is_stopped:
            self.delivery = "delivered" if self.is_delivered else "pending"
        if self.is_stopped and self.delivery == "pending":
            self.delivery = "returned"
        self.set_state()

    def settle_credit(self, target: int) -> None:
        if target > self.taken:
            there = min(self.spendable, target - self.taken)
            self.spendable -= there
            self.debt += target - self.taken - there
        else:
            self.receive(self.taken - target)
        self.taken = target

    def receive(self, amount: int) -> None:
        repaid = min(self.debt, amount)
        self.debt -= repaid
        self.spendable += amount - repaid

    def set_state(self) -> None:
        if self.is_paid:
            whole = "refunded" if self.refunded >= PRICE else "delivered" if self.is_delivered else "paid"
            self.state = "charged_back" if self.charged_back else whole


# --- The same to the platform -----------------------------------------------------------------------------


@dataclass
class Game:
    """One order of one player, and its model."""

    shop_setup: ShopSetup
    player_session: PlayerSession
    order: Order
    model: Model
    prefix: str

    def play(self, step: Step) -> None:
        getattr(self, step.what)(step)

    def tell(self, step: Step) -> None:
        event = self.likely(step.event)
        type, reference, amount = event
        body = event_body(
            f"payment.{type}", self.order, str(major(amount)), reference=self.prefix + reference
        )
        answer = self.shop_setup.webhooks.post(
            body, self.shop_setup.webhooks.signed(body, id=self.prefix + step.message)
        )
        assert answer.status == self.model.hear(event, step.message), answer.raw

    def likely(self, event: Event) -> Event:
        """The event with an amount that is mostly right.

        Or hardly any order would be paid and no charge-back reversed.
        """
        dispute = self.model.backs.get(("charged_back", event.reference))
        if event.amount > PRICE or event.type not in ("succeeded", "charge_back_reversed"):
            return event
        return event._replace(amount=dispute.amount if dispute and event.type != "succeeded" else PRICE)

    def expire(self, step: Step) -> None:
        owned(Order).filter(pk=self.order.pk).update(expires_at=self.order.created_at)
        # Orders of other tests may be due as well.
        expire_orders(now())
        if self.model.state == "created":
            self.model.state = "expired"

    def deliver(self, step: Step) -> None:
        for delivery in Delivery.objects.filter(order=self.order):
            for one in lease(now(), "test", left_out=[], only=delivery.pk):
                record_answer(one, status=200, problem="", body="", took_ms=1)
        if self.model.delivery == "pending":
            self.model.delivery, self.model.is_delivered = "delivered", True
            self.model.set_state()

    def spend(self, step: Step) -> None:
        if amount := (self.model.spendable + 1) // 2:
            self.player_session.done(
                "confirmWithdrawal", self.player_session.opened("withdraw", str(major(amount)))
            )
            self.model.spendable -= amount

    def earn(self, step: Step) -> None:
        self.player_session.done("confirmDeposit", self.player_session.opened("deposit", "1.23"))
        self.model.receive(1_23)

    def check(self) -> None:
        order, model = fresh(self.order), self.model
        assert (order.state, order.refunded, order.charged_back) == (
            model.state,
            model.refunded,
            model.charged_back,
        )
        assert (order.delivered_at is not None) == model.is_delivered
        assert holding(order.player)[:4] == Holding(spendable=model.spendable, debt=model.debt)[:4]
        came = list(
            order.payments.filter(state="paid").order_by("paid_at").values_list("is_duplicate", flat=True)
        )
        assert came == [False, *[True] * (len(model.paid_with) - 1)][: len(model.paid_with)]
        assert list(Delivery.objects.filter(order=order).values_list("state", flat=True)) == [
            model.delivery
        ] * bool(model.delivery)
        if model.is_paid:
            # What is taken of the credit, cumulative (rule 6).
            assert order.clawed_back == model.taken == CREDIT * (order.refunded + order.charged_back) // PRICE


events = st.builds(
    Event,
    st.sampled_from(
        [
            "succeeded",
            "succeeded",
            "failed",
            "refunded",
            "refunded",
            "charged_back",
            "charge_back_reversed",
            "charge_back_reversed",
        ]
    ),
    st.sampled_from("abcd"),
    st.sampled_from([PRICE, PRICE, 1, 1_11, 1_11, 2_22, PRICE + 1]),
)
steps = st.builds(
    Step,
    st.sampled_from([*["tell"] * 8, "expire", "deliver", "spend", "earn"]),
    events,
    st.integers(1, 40).map(str),
)


def test_settlement__any_events_in_any_order_end_as_model_says(shop_setup: ShopSetup) -> None:
    products = {
        by_game: make_product(shop_setup.game, unique("odd"), PRICE, credit=CREDIT, is_delivered=by_game)
        for by_game in (False, True)
    }

    configs = {config.id: config for config in PROVIDERS.all(0).values()}

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=PHASES)
    @given(st.booleans(), st.lists(steps, min_size=STEPS // 2, max_size=STEPS))
    def play(by_game: bool, story: list[Step]) -> None:
        player_session = shop_setup.player_session()
        order = shop_setup.order(player_session, products[by_game].code, productPrice=major(PRICE))
        game = Game(shop_setup, player_session, order, Model(by_game), unique("r"))
        for step in story:
            game.play(step)
            game.check()
        assert problems_of(order.player) == []
        (kept,) = read_kept([order.pk])
        assert difference_of(kept, configs, is_held=False) == ""

    play()
