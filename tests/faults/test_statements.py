"""The process that settles dies after each single statement.

What it left is finished by the next sweep, once.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from lib.clock import now
from lib.ids import new_id
from tests.conftest import Clock
from tests.faults.platform_processes import Platform
from tests.faults.step_client import StepClient, working
from tests.faults.unfinished import Left, leave, rich_session
from tests.support.callers import make_party
from tests.support.game_query_server import FakeGame, says
from tests.support.invariants import problems_of
from wallet.job_runs import recorded
from wallet.models import Alert, Entry, Inquiry, Question, Transaction
from wallet.settlement.inquiries import LEASE
from wallet.settlement.sweep import settle_due

# More statements than a sweep of one transaction can need.
MOST_STEPS = 120


@pytest.fixture(autouse=True)
def callable_game(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])


@pytest.fixture(scope="module")
def step_client(own_platform: Platform) -> Iterator[StepClient]:
    with working(own_platform) as step_client:
        yield step_client


# --- What is due --------------------------------------------------------------------------------------

Leave = Callable[[], list[Left]]


def games_that_cannot_be_asked(platform: Platform, game: FakeGame) -> Leave:
    """By the policy of one what it left expires, by the other's it is held."""
    lost, held = (
        rich_session(platform.callers, make_party(unanswered_policy=policy)) for policy in ("expire", "hold")
    )
    kinds = [
        (lost, "withdrawal", "expired"),
        (lost, "deposit", "expired"),
        (held, "withdrawal", "pending"),
        (held, "deposit", "pending"),
    ]
    return lambda: [leave(player_session, type, 5, ends) for player_session, type, ends in kinds]


def a_game_that_knows(platform: Platform, game: FakeGame) -> Leave:
    player_session = rich_session(platform.callers, make_party(query_url=game.url))

    def leave_two() -> list[Left]:
        left = [
            leave(player_session, "withdrawal", 5, "confirmed"),
            leave(player_session, "deposit", 7, "rolled_back"),
        ]
        game.answers[left[0].mm], game.answers[left[1].mm] = says("CONFIRMED"), says("ROLLED_BACK")
        return left

    return leave_two


def a_game_that_does_not_know(platform: Platform, game: FakeGame) -> Leave:
    """A withdrawal about which it has said UNKNOWN twice, a day ago; and a deposit.

    Each time another game: one alone would be taken to forget.
    """
    game.otherwise = says("UNKNOWN")

    def leave_two() -> list[Left]:
        player_session = rich_session(platform.callers, make_party(query_url=game.url))
        left = [
            leave(player_session, "withdrawal", 5, "expired"),
            leave(player_session, "deposit", 7, "pending"),
        ]
        at, began = now(), now() - timedelta(hours=25)
        counts: dict[str, Any] = {"unknown_answers": 2, "unknown_since": began, "last_answer": "unknown"}
        Inquiry.objects.create(
            pk=new_id(),
            transaction_id=left[0].id,
            player=player_session.player,
            game=player_session.game,
            began_at=began,
            next_attempt_at=at,
            **counts,
        )
        return left

    return leave_two


STORIES: tuple[Callable[[Platform, FakeGame], Leave], ...] = (
    games_that_cannot_be_asked,
    a_game_that_knows,
    a_game_that_does_not_know,
)


@pytest.mark.parametrize("story", STORIES)
def test_sweep__dead_after_any_statement_is_finished_by_the_next(
    platform: Platform,
    clock: Clock,
    game: FakeGame,
    step_client: StepClient,
    story: Callable[[Platform, FakeGame], Leave],
) -> None:
    leave_open = story(platform, game)
    for last in range(1, MOST_STEPS):
        left = leave_open()
        what, steps = step_client.work(last, "settle")
        # Nobody does anything; only the lease that the dead sweep held runs out.
        clock.go_ahead(last * (LEASE + timedelta(seconds=1)))
        sweep()
        assert_finished(left, game)
        if what == "completed":
            break
        assert steps == last
    # Every run but the last was cut off, each a step later, until one had no more steps. (There is one query
    # more where two answers do not come at once.)
    assert (what, steps < last) == ("completed", True)
    assert not Alert.objects.filter(resolved_at=None).exclude(kind=Alert.Kind.SWEEP_FAILED).exists()
    platform.assert_whole()


def sweep() -> None:
    """One whole run, by a process that lives."""
    with recorded("settle_due") as run:
        assert settle_due(run)


def assert_finished(left: list[Left], game: FakeGame) -> None:
    """Each ended once, or stands on the list.

    There is one inquiry where there has to be one, and its history is whole.
    """
    for one in left:
        found = Transaction.objects.get(pk=one.id)
        events = list(
            Entry.objects.filter(transaction=one.id).order_by("seq").values_list("event", flat=True)
        )
        assert (found.state, events) == (
            one.ends,
            ["opened"] if one.ends == "pending" else ["opened", one.ends],
        )
        assert_inquired(one, game)
    assert problems_of(*{one.player_session.player for one in left}) == []


def assert_inquired(one: Left, game: FakeGame) -> None:
    inquiry = Inquiry.objects.filter(transaction=one.id).first()
    if one.ends == "expired" and not one.is_asked_about:
        assert inquiry is None
        return
    assert inquiry is not None
    assert (inquiry.closed_at is None, inquiry.next_attempt_at, bool(inquiry.doubt)) == (
        one.ends == "pending",
        None,
        one.ends == "pending",
    )
    written = Question.objects.filter(inquiry=inquiry)
    # Written down before it is asked: there may be more questions than the game has seen, never fewer.
    assert one.is_asked_about == (game.times_asked(one.mm) > 0)
    assert game.times_asked(one.mm) <= written.count() <= 2
    assert written.exclude(answered_at=None).exists() == one.is_asked_about
