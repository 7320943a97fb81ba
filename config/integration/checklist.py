"""What a game has to have shown before it goes live; each line ticks itself from what was seen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from config.integration.errors import ErrorLine
from lib.backoffice.formatting import badge, clock, wrapped
from lib.backoffice.languages import _
from lib.backoffice.sections import Section
from payments.models import Shop
from players.access.answer_counts import SUCCESS
from players.models import AnswerCount, Credential, Game
from wallet.call_hours import DAYS_KEPT
from wallet.models import IntegrationStep, Question

HEADERS = (_("State"), _("Step"), _("First seen (UTC)"), _("What to do"))
DAY = timedelta(days=1)
# Of the latest deliveries so many are looked at.
MOST_DELIVERIES = 500
# When a delivery was accepted for the first time, and when one for the second.
ACCEPTED = """
    WITH latest AS (
        SELECT id FROM payments_delivery WHERE game_id = %(game)s ORDER BY id DESC LIMIT %(most)s),
    accepted AS (
        SELECT attempt.began_at,
            row_number() OVER (PARTITION BY attempt.delivery_id ORDER BY attempt.id) AS place
        FROM payments_deliveryattempt attempt JOIN latest ON latest.id = attempt.delivery_id
        WHERE attempt.status BETWEEN 200 AND 299)
    SELECT min(began_at) FILTER (WHERE place = 1), min(began_at) FILTER (WHERE place = 2) FROM accepted
"""
Seen = IntegrationStep.Name


class State(Enum):
    """LOOK went wrong; DONE was seen; NEEDLESS is not asked of this game. They are shown in this order."""

    LOOK = "look"
    OPEN = "open"
    DONE = "done"
    NEEDLESS = "needless"


SHOWN = {
    State.DONE: (_("done"), "success"),
    State.OPEN: (_("to do"), "warning"),
    State.LOOK: (_("look here"), "danger"),
    State.NEEDLESS: (_("not needed"), ""),
}
# What single calls show, in the order in which a game is built: what it did, and how it comes to do it.
STEPS = (
    (
        Seen.WITHDRAWAL_CONFIRMED,
        _("A withdrawal was opened and confirmed."),
        _("Buy something in the game: withdraw, hand it out, confirmWithdrawal."),
    ),
    (
        Seen.WITHDRAWAL_ROLLED_BACK,
        _("A withdrawal was rolled back."),
        _("Have handing out fail after withdraw: the game has to send rollbackWithdrawal."),
    ),
    (
        Seen.DEPOSIT_CONFIRMED,
        _("A deposit was confirmed."),
        _("Win something in the game: deposit, confirmDeposit."),
    ),
    (
        Seen.DEPOSIT_ROLLED_BACK,
        _("A deposit was rolled back."),
        _("Have a payout fail after deposit: the game has to send rollbackDeposit."),
    ),
    (
        Seen.OPENING_REPEATED,
        _("An opening was repeated, and answered as the first time."),
        _("Lose the answer to withdraw or deposit on purpose: the game has to send the same request again."),
    ),
    (
        Seen.SETTLEMENT_REPEATED,
        _("A confirmation or rollback was repeated, and answered as the first time."),
        _("Lose the answer to a confirmation on purpose: the game has to send the same request again."),
    ),
    (
        Seen.TOMBSTONE,
        _("A rollback came for an id that the platform did not know, and was remembered."),
        _("Have withdraw get lost before it arrives: the game has to roll back all the same."),
    ),
    (
        Seen.QUERIED,
        _("The game asked for the state of a transaction (queryTransaction)."),
        _("Have the game ask what became of a transaction of which it knows no answer."),
    ),
)


class Check(NamedTuple):
    """One line: whether it is done, what it is, when it was first seen, and what to do if it is not done."""

    state: State
    words: str
    first_seen_at: datetime | None
    remedy: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a game at the moment `at`, read beforehand.

    `steps` has the first and the last time; `successes` the first one by endpoint. `deliveries` are when one
    was accepted, and when one was accepted again.
    """

    at: datetime
    game: Game
    shop: Shop | None
    credentials: Sequence[Credential]
    steps: Mapping[str, tuple[datetime, datetime]]
    successes: Mapping[str, datetime]
    errors: Sequence[ErrorLine]
    answered_at: datetime | None
    deliveries: tuple[datetime | None, datetime | None]

    @property
    def has_called(self) -> bool:
        return bool(self.steps or self.successes or self.errors)

    def error(self, *codes: int) -> ErrorLine | None:
        """The latest of the refusals with one of these codes."""
        found = [line for line in self.errors if line.code in codes]
        return max(found, key=lambda line: line.last_seen_at, default=None)


def read_facts(game: Game, errors: Sequence[ErrorLine], at: datetime) -> Facts:
    """By one query for each kind of thing, however much there is."""
    steps = IntegrationStep.objects.filter(game=game)
    successes = AnswerCount.objects.filter(game=game, code=SUCCESS).order_by("-day")
    answers = Question.objects.filter(
        game=game, answer__in=["confirmed", "rolled_back", "unknown", "pending"]
    )
    return Facts(
        at,
        game,
        Shop.objects.filter(game=game).first(),
        list(Credential.objects.filter(game=game).order_by("created_at")),
        {step.name: (step.first_seen_at, step.last_seen_at) for step in steps},
        {row.endpoint: row.first_seen_at for row in successes},
        errors,
        answers.order_by("-answered_at").values_list("answered_at", flat=True).first(),
        accepted_deliveries(game),
    )


def accepted_deliveries(game: Game) -> tuple[datetime | None, datetime | None]:
    with connection.cursor() as cursor:
        cursor.execute(ACCEPTED, {"game": game.pk, "most": MOST_DELIVERIES})
        first, again = cursor.fetchone()
        return first, again


def checks(facts: Facts) -> list[Check]:
    """All lines, those that go wrong first."""
    found = [
        *of_credentials(facts),
        *of_sessions(facts),
        *of_calls(facts),
        declined(facts),
        *of_refusals(facts),
        status_query(facts),
        *of_deliveries(facts),
        urls(facts),
    ]
    return sorted(found, key=lambda check: list(State).index(check.state))


def check(words: str, first_seen_at: datetime | None, remedy: str) -> Check:
    """A line that is done as soon as something was seen."""
    return Check(State.DONE if first_seen_at else State.OPEN, words, first_seen_at, remedy)


def setting(words: str, is_set: bool, remedy: str) -> Check:
    """A line about how the game is set up, which has no time."""
    return Check(State.DONE if is_set else State.OPEN, words, None, remedy)


def of_credentials(facts: Facts) -> Iterator[Check]:
    live = [one for one in facts.credentials if one.revoked_at is None]
    bounded = bool(live) and all(one.allowed_networks for one in live)
    second = facts.credentials[1].created_at if len(facts.credentials) > 1 else None
    yield setting(
        _("The game's backend has a credential."), bool(live), _("Add a credential, and hand it over.")
    )
    yield setting(
        _("The addresses that the game calls from are on an allow-list."),
        bounded or bool(settings.API_ALLOWED_NETWORKS),
        _("Enter the game's addresses on the page of each live credential."),
    )
    yield check(
        _("A second credential was made: passwords can be changed without an interruption."),
        second,
        _("Rotate the credential once before there are players: make another, use it, revoke the first."),
    )
    wrong = facts.error(401)
    yield check(
        _("A wrong password was refused (401)."),
        wrong.first_seen_at if wrong else None,
        _(
            "Call once with a wrong password: the game has to say so in its log, and to go "
            "on with the right one."
        ),
    )


def of_sessions(facts: Facts) -> Iterator[Check]:
    yield check(
        _("A session was verified (verifySession)."),
        facts.successes.get("verifySession"),
        _("Launch the game for a test player: it has to verify the token of its launch URL."),
    )
    yield check(
        _("A balance was read (getBalance)."),
        facts.successes.get("getBalance"),
        _("Have the game show the balance without buying anything."),
    )


def of_calls(facts: Facts) -> Iterator[Check]:
    for name, words, remedy in STEPS:
        seen = facts.steps.get(name)
        yield check(words, seen[0] if seen else None, remedy)


def declined(facts: Facts) -> Check:
    """Whether the game takes a refusal for money for what it is."""
    words = _("A withdrawal was refused for money (104), and not confirmed afterwards.")
    wrong, seen = facts.steps.get(Seen.DECLINED_CONFIRMED), facts.steps.get(Seen.DECLINED)
    if wrong:
        said = _(
            "The game has confirmed a withdrawal that was refused, last {time}: it may hand out for nothing."
        )
        return Check(State.LOOK, words, wrong[0], said.format(time=shown(wrong[1])))
    return check(
        words,
        seen[0] if seen else None,
        _("Buy something that the player cannot pay: the game has to hand out nothing."),
    )


def of_refusals(facts: Facts) -> Iterator[Check]:
    """What must not be seen lately; of a game that never called nobody knows."""
    yield absent(
        facts,
        facts.error(101),
        _("No request was malformed (101) in the last 24 hours."),
        _("Last {time}: {label}. The table of errors has an example."),
    )
    yield absent(
        facts,
        facts.error(109),
        _("No confirmation came after its transaction had expired (109) in the last 24 hours."),
        _("Last {time}: {label}. The game gives up too early, or its queue of retries does not run."),
    )


def absent(facts: Facts, line: ErrorLine | None, words: str, said: str) -> Check:
    if line and line.last_seen_at > facts.at - DAY:
        remedy = said.format(time=shown(line.last_seen_at), label=line.label)
        return Check(State.LOOK, words, line.first_seen_at, remedy)
    return setting(words, facts.has_called, _("Have the game call: nothing is known of it yet."))


def status_query(facts: Facts) -> Check:
    """Whether the game can say what became of a transaction."""
    words = _("The game answered a query for the final state of a transaction.")
    if not facts.game.query_url:
        return Check(
            State.OPEN,
            words,
            None,
            _("Enter the game's query URL: without it, what the game leaves unfinished expires or is held."),
        )
    return check(
        words,
        facts.answered_at,
        _("Leave a withdrawal pending, and use “Ask the game now” on its page."),
    )


def of_deliveries(facts: Facts) -> Iterator[Check]:
    """Whether the game takes deliveries, if it sells."""
    accepted = _("A delivery of a paid order was accepted.")
    again = _("The same delivery was accepted a second time.")
    if facts.shop is None or not facts.shop.order_url:
        no_shop = _("This game has no shop with an order URL.")
        yield Check(State.NEEDLESS, accepted, None, no_shop)
        yield Check(State.NEEDLESS, again, None, no_shop)
        return
    first, second = facts.deliveries
    yield check(accepted, first, _("Pay for a product of the game with the sandbox, or with a small amount."))
    yield check(
        again,
        second,
        _(
            "Send an accepted delivery again from its page: the game has to answer 2xx, and "
            "deliver nothing twice."
        ),
    )


def urls(facts: Facts) -> Check:
    """Whether what players and the platform call is called by HTTPS."""
    order_url = facts.shop.order_url if facts.shop else ""
    named = (
        (_("launch"), facts.game.launch_url),
        (_("query"), facts.game.query_url),
        (_("order"), order_url),
    )
    plain = [str(name) for name, url in named if url and not url.startswith("https://")]
    return setting(
        _("All of the game's URLs are HTTPS."),
        not plain,
        _("Change to https: {names}.").format(names=", ".join(plain)),
    )


def shown(at: datetime) -> str:
    """A moment within a sentence, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def checklist_section(found: Sequence[Check]) -> Section:
    """The table of a game's page."""
    needed = [one for one in found if one.state is not State.NEEDLESS]
    done = sum(one.state is State.DONE for one in needed)
    words = _(
        "{done} of {all} are done. Each line ticks itself from what was seen: single "
        "calls within a minute or "
        "two. What happened before the last {days} days may not be known."
    )
    return Section(
        IntegrationStep,
        _("Before it goes live"),
        HEADERS,
        [row_of(one) for one in found],
        "",
        note=words.format(done=done, all=len(needed), days=DAYS_KEPT.days),
    )


def row_of(one: Check) -> tuple[Any, ...]:
    words, colour = SHOWN[one.state]
    remedy = "" if one.state is State.DONE else one.remedy
    return badge(words, colour), wrapped(one.words), clock(one.first_seen_at), wrapped(remedy)
