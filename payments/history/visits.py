"""Players come, play for a while, and go."""

from collections.abc import Generator
from datetime import date, datetime, time, timedelta

from django.conf import settings

from lib.security.tokens import token_hash
from payments.history.calls import Visit, balance_of, ends, opens
from payments.history.director import Story
from payments.history.people import Person, visits_of
from payments.history.purchases import purchase
from payments.history.stage import House
from payments.history.unfinished import abandoned
from payments.history.world import CURRENCY, World
from players.models import Player
from players.operations import end_session, put_player, start_session
from wallet import ledger

# Chances of a round: that the game takes it back, never ends it, and that it is won.
ROLLED_BACK, NEVER_ENDED, WON = 0.025, 0.004, 0.36
# What comes back of all stakes in the end.
RETURNED = 0.95
FRONT = "platform:lobby"
LEAST_STAKE, LEAST_BALANCE = 50, 1_000


def days(world: World, first: date) -> Story:
    """Every day: who comes when."""
    day = first
    while True:
        for person in world.people:
            for moment in visits_of(world.random, person, day):
                world.begin(max(moment, world.now), visit(world, person))
        day += timedelta(days=1)
        # Before the first midnight of those who are ahead of UTC.
        yield datetime.combine(day, time(), world.now.tzinfo) - timedelta(hours=9)


def visit(world: World, person: Person) -> Story:
    """One visit, which begins with a purchase if there is little left."""
    if person.is_barred:
        return
    here = arrive(world, person)
    rounds = 1 + int(world.random.expovariate(1 / person.rounds))
    if here.balance < LEAST_BALANCE or world.happens(0.06):
        yield from purchase(world, person, here.house, here.hash)
        here.balance = balance_of(here)
    for _ in range(rounds):
        yield world.after(4, 45)
        if person.is_barred or here.balance < LEAST_STAKE:
            break
        yield from play(world, here)
    if world.happens(0.6):
        end_session(here.token)


def arrive(world: World, person: Person, house: House | None = None) -> Visit:
    """The web front launches a game, after it told of the player on the first visit."""
    if not person.id.int:
        player = put_player(person.uid, attributes=person.attributes, status=None, actor=FRONT)
        person.id = player.pk
        if person.is_test:
            Player.objects.filter(pk=player.pk).update(is_test=True)
    house = house or world.house(person)
    ledger.open_wallet(player_id=person.id, currency=CURRENCY, actor=FRONT)
    token, _ = start_session(
        Player(pk=person.id),
        house.game,
        currency_code=CURRENCY,
        language=person.language,
        lifetime=settings.SESSION_TTL,
    )
    here = Visit(person, house, token, token_hash(token), 0)
    here.balance = balance_of(here)
    return here


def play(world: World, here: Visit) -> Generator[datetime, None, None]:
    """A round: a stake, perhaps a win."""
    stake = stake_of(world, here)
    mm = world.name("")
    if not opens(world, here, "withdrawal", "withdraw", mm, stake):
        return
    yield world.after(0.4, 5)
    if world.happens(NEVER_ENDED):
        world.begin(world.now, abandoned(world, here, "withdrawal", mm))
    elif world.happens(ROLLED_BACK):
        ends(world, here, "rolled_back", "withdrawal", mm, "The round was cancelled.")
    else:
        ends(world, here, "confirmed", "withdrawal", mm)
        if world.happens(WON):
            yield from win(world, here, stake)


def stake_of(world: World, here: Visit) -> int:
    """A share of what is there in round figures; sometimes more than there is."""
    if world.happens(0.008):
        return here.balance + 10_00
    share = here.balance * here.person.stake * world.random.uniform(0.5, 1.5)
    return max(LEAST_STAKE, round(share / 50) * 50)


def win(world: World, here: Visit, stake: int) -> Generator[datetime, None, None]:
    """The game announces what was won, and pays it."""
    amount = max(1, round(stake * RETURNED / WON * world.random.expovariate(1)))
    mm = world.name("")
    yield world.after(0.1, 0.6)
    if not opens(world, here, "deposit", "deposit", mm, amount):
        return
    yield world.after(0.1, 0.6)
    if world.happens(NEVER_ENDED / 2):
        world.begin(world.now, abandoned(world, here, "deposit", mm))
    else:
        ends(world, here, "confirmed", "deposit", mm)
