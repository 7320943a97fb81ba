"""Players buy: an order, a payment, its callbacks, and the delivery."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lib.clock import now
from payments.callbacks.refusals import watch_callbacks
from payments.deliveries.operations import lease, record_answer
from payments.history.callbacks import ADDRESSES, bill_for, config_of, tell_event, tell_forged, tell_paid
from payments.history.director import Story
from payments.history.people import Person
from payments.history.returns import WAYS_BACK, goes_back
from payments.history.stage import House
from payments.history.world import World
from payments.models import Delivery, Order, Price
from payments.orders.operations import Wanted, expire_orders, initiate_order
from payments.providers.adapters import adapter_for
from payments.providers.protocol import EventType
from payments.sandbox.bills import Bill
from wallet.job_runs import Run, recorded

CALLER = "worker-1:215"
# How an order goes, and how many of a thousand; the first of a player is paid.
COURSES = {
    "paid": 790,
    "left": 60,
    "started": 45,
    "failed": 35,
    "failed_first": 25,
    "twice": 15,
    "late": 12,
    "wrong": 8,
    "two": 5,
    "forged": 5,
}
GOES_BACK, NOT_TAKEN = 0.06, 0.06
# What a game answers to a delivery that it does not take at once.
TROUBLES: tuple[tuple[int | None, ...], ...] = (
    (500, 200),
    (None, 503, 200),
    (500, 500, 500, 500, 200),
    (410,),
)
FATES: dict[str, tuple[int | None, ...]] = {"gone": (410,), "failing": (500,) * 20}
RETRY = timedelta(minutes=5)


def purchase(
    world: World, person: Person, house: House, token_hash: bytes, *, course: str = "", slug: str = ""
) -> Generator[datetime, None, None]:
    """An order from its beginning; what comes later happens while the player plays on."""
    is_first = person.bought == 0
    if not course:
        [course] = ["paid"] if is_first else world.random.choices(list(COURSES), list(COURSES.values()))
    wants_credit = is_first or course in WAYS_BACK
    price = offer(world, house, wants_credit=wants_credit, is_delivered=course in FATES)
    order = started_order(world, house, token_hash, price)
    person.bought += 1
    yield world.after(8, 60)
    if course == "left":
        world.begin(order.expires_at, expires(world))
        return
    bill = bill_for(order, slug or provider_for(world, price.currency_id))
    yield world.after(20, 150)
    if course in ("started", "forged"):
        if course == "forged":
            tell_forged(bill, world.name("pay_"))
        world.begin(order.expires_at, expires(world))
        return
    yield from follow(world, order, bill, course)


def offer(world: World, house: House, *, wants_credit: bool, is_delivered: bool) -> Price:
    fit = [
        one
        for one in house.offers
        if (one.product.credit or not wants_credit) and (one.product.is_delivered or not is_delivered)
    ]
    return world.random.choice(fit)


def started_order(world: World, house: House, token_hash: bytes, price: Price) -> Order:
    wanted = Wanted(
        token_hash=token_hash,
        cp_order_id=world.name(f"{house.game.slug[:2]}-")[:14],
        product_code=price.product.code,
        price=price.amount,
        currency=price.currency_id,
        server_id=world.random.choice((1, 2, 7)),
        ext_params="",
        return_url=f"https://{house.game.slug}.example/shop",
    )
    return initiate_order(house.game.pk, wanted, actor=house.actor)


def provider_for(world: World, currency: str) -> str:
    """One of those at which that currency can be paid."""
    configs = [config_of(slug) for slug in ADDRESSES]
    fit = [config.slug for config in configs if adapter_for(config.scheme).takes(config, currency)]
    return world.random.choice(fit)


def expires(world: World) -> Story:
    """The sweep that comes after an order's time is over."""
    yield world.after(1, 60)
    expire_orders(now())


def follow(world: World, order: Order, bill: Bill, course: str) -> Generator[datetime, None, None]:
    """What the provider tells of a payment, and what comes of it."""
    can_fail = bill.fields is None
    if can_fail and course in ("failed", "failed_first"):
        tell_event(bill, EventType.FAILED, world.name("pay_"), bill.amount)
        if course == "failed":
            return
        yield world.after(15, 90)
        bill = bill_for(order, bill.config.slug)
        yield world.after(20, 150)
    if course == "wrong":
        tell_paid(world, bill, world.name("pay_"), bill.amount - 1)
        return
    if course == "late":
        world.begin(order.expires_at, expires(world))
        world.begin(order.expires_at + 4 * RETRY, paid(world, order, bill, ""))
        return
    yield from paid(world, order, bill, course)


def paid(world: World, order: Order, bill: Bill, course: str) -> Generator[datetime, None, None]:
    """The provider tells of the payment, and again while it is refused."""
    reference = world.name("pay_")
    delivery = tell_paid(world, bill, reference, times=2 if course == "twice" else 1)
    if world.wrong_secret_until.get(bill.config.slug, world.now) > world.now:
        world.begin(world.after(240, 360), again(world, order, bill, reference))
        return
    begin_delivery(world, delivery, course)
    if course == "two" and bill.fields is None:
        yield world.after(30, 90)
        tell_paid(world, bill, world.name("pay_"))
    if course in WAYS_BACK:
        world.begin(world.after(1_800, 9_000), goes_back(world, order, bill, reference, course))
    elif world.happens(GOES_BACK):
        world.begin(world.after(3_600, 400_000), goes_back(world, order, bill, reference))


def again(world: World, order: Order, bill: Bill, reference: str) -> Story:
    """A provider whose callbacks are refused repeats them, and the platform tells a person."""
    with recorded("watch_callbacks") as run:
        watch_callbacks(run)
    while world.wrong_secret_until[bill.config.slug] > world.now:
        yield world.after(RETRY.total_seconds(), 2 * RETRY.total_seconds())
        tell_paid(world, bill, reference)
    begin_delivery(world, tell_paid(world, bill, reference))
    yield world.after(70, 120)
    watch_callbacks(Run("watch_callbacks"))


def begin_delivery(world: World, id: UUID | None, course: str = "") -> None:
    """The game is told at once, and takes it at once or after some trouble."""
    answers: tuple[int | None, ...] = (200,)
    if course in FATES:
        answers = FATES[course]
    elif world.happens(NOT_TAKEN):
        answers = world.random.choice(TROUBLES)
    if id is not None:
        world.begin(world.after(0.1, 1.5), deliver(world, id, answers))


def deliver(world: World, id: UUID, answers: tuple[int | None, ...]) -> Story:
    """The game is told, until it takes it or says that it never will."""
    for status in answers:
        for one in lease(now(), CALLER, only=id):
            record_answer(one, **answer(status), took_ms=world.random.randrange(15, 400))
        due = Delivery.objects.filter(pk=id).values_list("next_attempt_at", flat=True).first()
        if due is None:
            return
        yield due + timedelta(seconds=world.random.uniform(0.5, 20))


def answer(status: int | None) -> dict[str, Any]:
    if status is None:
        return {"status": None, "problem": "the answer did not come in time", "body": ""}
    problem = "" if status == 200 else f"status {status}"
    return {"status": status, "problem": problem, "body": '{"status": "ok"}' if not problem else ""}
