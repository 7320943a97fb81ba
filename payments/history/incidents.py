"""What is rare, and yet belongs into every history: it happens at chosen moments, however short it is."""

from collections.abc import Callable, Generator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from payments.history import operators
from payments.history.calls import Visit, ends, opens
from payments.history.director import Story
from payments.history.people import Person
from payments.history.purchases import purchase
from payments.history.stage import House
from payments.history.unfinished import REVIEWED, abandoned
from payments.history.visits import LEAST_STAKE, arrive
from payments.history.world import World
from wallet.job_runs import recorded
from wallet.models import Transaction
from wallet.operations import resolve_transaction

Choice = Callable[[World, Person], Story]
# How long a provider signs with a secret that is not ours.
WRONG_SECRET = timedelta(minutes=25)
# Orders that go so, whatever chance says, and the provider that they need.
PURCHASES = (
    *(
        ("wrong", ""),
        ("two", "webhooks"),
        ("twice", ""),
        ("failed", "webhooks"),
        ("late", ""),
        ("forged", ""),
    ),
    *(("refunded", "webhooks"), ("refunded_by_us", "sandbox"), ("charged_back", "webhooks")),
    *(("won_back", "webhooks"), ("gone", "")),
)
# How many of a hundred players, at least one.
ACTS: tuple[tuple[int, Choice], ...] = (
    (8, operators.adjust),
    (1, operators.freeze),
    (1, operators.limit),
    (3, operators.block),
    (1, operators.self_exclude),
)


def plan(world: World, began: datetime) -> None:
    """Begins all of them, spread over the time, and what is under way at its end."""
    length = world.director.until - began

    def begin(story: Story, least: float = 0.15, most: float = 0.9) -> None:
        world.begin(began + length * world.random.uniform(least, most), story)

    for number, act in ACTS:
        for _ in range(max(1, round(number * len(world.people) / 100))):
            begin(with_somebody(world, act))
    for course, slug in PURCHASES:
        begin(with_somebody(world, partial(buys, course=course, slug=slug)), most=0.8)
    for story in (contradicted(world), overtaken(world)):
        begin(story, 0.3, 0.7)
    for type, answers in REVIEWED:
        begin(leaves(world, type=type, course=answers), 0.02, 0.08)
    world.begin(began + length * 0.45, failed_job(world))
    world.begin(began + length * 0.55, wrong_secret(world))
    begin_present(world, began)


def begin_present(world: World, began: datetime) -> None:
    """What has only just happened when the history ends."""
    present: tuple[tuple[float, Story], ...] = (
        (20, wrong_secret(world)),
        (5, with_somebody(world, partial(operators.adjust, end="left"))),
        (2, leaves(world, type="withdrawal", course=())),
        (1, leaves(world, type="deposit", course=())),
        (0.6, with_somebody(world, partial(buys, course="failing", slug="webhooks"))),
        (0.3, with_somebody(world, partial(buys, course="started", slug=""))),
    )
    for hours, story in present:
        world.begin(max(began, world.director.until - timedelta(hours=hours)), story)


def with_somebody(world: World, story: Choice) -> Story:
    """A story with a player who is there by then; it waits for one."""
    person = yield from somebody(world)
    yield from story(world, person)


def somebody(world: World) -> Generator[datetime, None, Person]:
    """Any player who has come and may play; waits until there is one."""
    while not (known := [one for one in world.people if one.id.int and not one.is_barred]):
        yield world.after(600, 3_600)
    return world.random.choice(known)


def staked(world: World, house: House | None = None) -> Generator[datetime, None, tuple[Visit, str]]:
    """Somebody stakes a part of what they have; waits until it is somebody who has enough.

    Returns the visit and the name of the open withdrawal.
    """
    while True:
        person = yield from somebody(world)
        here, mm = arrive(world, person, house), world.name("")
        if opens(world, here, "withdrawal", "withdraw", mm, max(LEAST_STAKE, here.balance // 20)):
            return here, mm
        yield world.after(60, 600)


def buys(world: World, person: Person, *, course: str, slug: str) -> Story:
    here = arrive(world, person)
    yield from purchase(world, person, here.house, here.hash, course=course, slug=slug)


def leaves(world: World, *, type: str, course: tuple[str, ...]) -> Story:
    """A game that can be asked leaves a transaction unfinished; a person decides, and has not yet."""
    house = world.stage.houses[-1]
    if type == "withdrawal":
        here, mm = yield from staked(world, house)
    else:
        person = yield from somebody(world)
        here, mm = arrive(world, person, house), world.name("")
        opens(world, here, type, "deposit", mm, max(LEAST_STAKE, here.balance // 20))
    yield from abandoned(world, here, type, mm, course=course)


def wrong_secret(world: World) -> Story:
    """A provider's secret is changed on its side only: payments are refused until ours is, too."""
    slug = world.random.choice(("webhooks", "sandbox"))
    world.wrong_secret_until[slug] = world.now + WRONG_SECRET
    for _ in range(6):
        yield world.after(20, 140)
        world.begin(world.now, with_somebody(world, partial(buys, course="paid", slug=slug)))


def contradicted(world: World) -> Story:
    """An operator gives a stake back that the game had never ended; then the game confirms it."""
    here, mm = yield from staked(world)
    opened = Transaction.objects.get(player_id=here.person.id, game=here.house.game, mm_transaction_id=mm)
    yield world.after(1_800, 7_200)
    actor, reason = operators.actor(world), "The round was never played, says the player"
    resolve_transaction(opened.pk, event="rolled_back", source="operator", actor=actor, reason=reason)
    operators.record(world, "settle", opened, {"state": "pending"}, {"state": "rolled_back"}, reason)
    yield world.after(600, 3_600)
    ends(world, here, "confirmed", "withdrawal", mm)


def overtaken(world: World) -> Story:
    """A rollback overtakes its opening, which is refused when it comes."""
    here = arrive(world, (yield from somebody(world)))
    mm = world.name("")
    ends(world, here, "rolled_back", "withdrawal", mm, "The call timed out.")
    yield world.after(0.5, 3)
    opens(world, here, "withdrawal", "withdraw", mm, 1_00)


def failed_job(world: World) -> Story:
    """A run that failed, and the next one, which did not."""
    with suppress(ConnectionError), recorded("settle_refunds"):
        lose_the_broker()
    yield world.after(60, 600)
    with recorded("settle_refunds") as run:
        run.note = "Nothing to do."


def lose_the_broker() -> None:
    raise ConnectionError("the broker closed the connection")
