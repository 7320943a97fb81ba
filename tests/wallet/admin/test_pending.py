"""Pending transactions on their page: the game is asked now, or two people decide."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from lib.clock import now
from players.approvals.operations import approve
from players.models import Approval, Game, Operator
from tests.conftest import Clock
from tests.support.admin_pages import (
    approved_by,
    by_two,
    get,
    operator,
    page,
    requested,
    signed_in,
    with_reason,
)
from tests.support.approvals import origin_of
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.game_query_server import FakeGame, playing, says
from tests.support.invariants import problems_of
from tests.support.owned import owned
from wallet.job_runs import Run
from wallet.models import Inquiry, Outage, Pulse, Transaction
from wallet.settlement.sweep import settle_due

HOUR = timedelta(hours=1)
# The action, the state that follows, and spendable, reserved and announced after it.
DECISIONS = [
    ("withdraw", "confirm", "confirmed", (70_00, 0, 0)),
    ("withdraw", "roll_back", "rolled_back", (100_00, 0, 0)),
    ("deposit", "confirm", "confirmed", (130_00, 0, 0)),
    ("deposit", "roll_back", "rolled_back", (100_00, 0, 0)),
]
TYPES = {"withdraw": "withdrawal", "deposit": "deposit"}


@pytest.fixture(autouse=True)
def calm(database: None, settings: Any) -> None:
    """No outage, and nothing left to ask by the tests before."""
    Inquiry.objects.filter(closed_at=None).update(closed_at=now())
    owned(Pulse).all().delete()
    owned(Outage).all().delete()
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def game() -> Iterator[FakeGame]:
    with playing() as game:
        yield game


@pytest.fixture
def asked(callers: Callers, game: FakeGame) -> PlayerSession:
    """A player in a game that can be asked."""
    player_session = open_session(make_party(query_url=game.url), callers.player())
    player_session.adjust("credit", 100_00)
    return player_session


def ask(client: Client, pending: Transaction) -> str:
    """By the page's button; then the sweep runs."""
    place = page(Transaction, pending, "ask_now")
    text = client.post(place, {"reason": "Ticket 7"}, follow=True).content.decode()
    settle_due(Run("settle_due"))
    return text


@pytest.mark.parametrize(("opening", "action", "state", "holds"), DECISIONS)
def test_pending__is_decided_by_two_before_it_is_due(
    client: Client,
    second: Client,
    boss: Operator,
    player_session: PlayerSession,
    opening: str,
    action: str,
    state: str,
    holds: tuple[int, ...],
) -> None:
    mm, type = player_session.opened(opening, "30.00"), TYPES[opening]
    pending, before = player_session.transaction(mm, type), player_session.holding()
    place = page(Transaction, pending, action)
    text = get(client, place)
    assert "It is not due: " in text
    assert "Status queries sent to the game: 0; last answer: none." in text
    assert f"Calls of the game: 1; the last {f'{now():%Y-%m-%d}'}" in text
    approval = requested(client, place)
    assert player_session.holding() == before
    approved_by(second, approval)
    done = player_session.transaction(mm, type)
    assert (approval.subject_type, approval.subject_id) == ("wallet.transaction", str(pending.pk))
    assert (done.state, done.settled_source, done.settled_actor) == (
        state,
        "operator",
        f"operator:{boss.username}",
    )
    assert player_session.holding()[:3] == holds
    assert not Inquiry.objects.filter(transaction=pending).exists()
    assert problems_of(player_session.player) == []


def test_pending__decided_one_has_no_buttons_and_is_refused(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    mm = player_session.opened("withdraw", "30.00")
    pending = player_session.transaction(mm)
    assert "Ask the game now" not in get(client, page(Transaction, pending))
    by_two(client, second, page(Transaction, pending, "roll_back"))
    text, held = get(client, page(Transaction, pending)), player_session.holding()
    assert not [word for word in ("roll_back/", "confirm/", "ask_now/") if word in text]
    for action in ("confirm", "roll_back", "ask_now"):
        answer = client.post(page(Transaction, pending, action), with_reason({}), follow=True)
        assert "Nothing was done." in answer.content.decode()
    assert player_session.holding() == held
    assert player_session.call("confirmWithdrawal", mm).error == 108
    assert player_session.discrepancies() == [("confirm_of_returned", 1)]


def test_pending__of_an_adjustment_has_nothing_to_decide(
    client: Client, player_session: PlayerSession
) -> None:
    credit = Transaction.objects.get(player=player_session.player, type="credit")
    answer = client.post(page(Transaction, credit, "confirm"), with_reason({}), follow=True)
    assert "Nothing was done. Only what a game has opened is settled by hand." in answer.content.decode()


def test_pending__games_confirm_wins_if_it_comes_before_the_approval(
    client: Client, player_session: PlayerSession
) -> None:
    mm = player_session.opened("withdraw", "30.00")
    approval = requested(client, page(Transaction, player_session.transaction(mm), "roll_back"))
    player_session.done("confirmWithdrawal", mm)
    other = operator(is_superuser=True)
    ended = approve(approval.pk, origin=origin_of(other), digest=approval.digest)
    assert ended.state == Approval.State.NOT_EXECUTABLE
    assert "was confirmed meanwhile by" in ended.result
    assert player_session.holding()[:3] == (70_00, 0, 0)
    assert player_session.discrepancies() == []


def test_pending__of_game_and_operators_at_once_exactly_one_wins(
    client: Client, player_session: PlayerSession
) -> None:
    other = operator(is_superuser=True)
    for number in range(12):
        mm = player_session.opened("withdraw", "1.00")
        pending = player_session.transaction(mm)
        approval = requested(client, page(Transaction, pending, "roll_back"))
        start, said = threading.Barrier(2), dict[str, Any]()

        def second_person(
            approval: Approval = approval,
            start: threading.Barrier = start,
            said: dict[str, Any] = said,
        ) -> None:
            start.wait()
            try:
                said["approval"] = approve(approval.pk, origin=origin_of(other), digest=approval.digest).state
            finally:
                connection.close()

        def game(start: threading.Barrier = start, said: dict[str, Any] = said, mm: str = mm) -> None:
            start.wait()
            said["error"] = player_session.call("confirmWithdrawal", mm).error
            connection.close()

        both = (second_person, game) if number % 2 else (game, second_person)
        threads = [threading.Thread(target=one) for one in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = player_session.transaction(mm).state
        assert (ended, said["approval"], said["error"]) in {
            ("confirmed", Approval.State.NOT_EXECUTABLE, None),
            ("rolled_back", Approval.State.EXECUTED, 108),
        }
    assert player_session.holding().reserved == 0
    assert problems_of(player_session.player) == []


ANSWERS = [("CONFIRMED", "confirmed", (70_00, 0)), ("ROLLED_BACK", "rolled_back", (100_00, 0))]


@pytest.mark.parametrize(("word", "state", "holds"), ANSWERS)
def test_ask_now__a_final_answer_settles_before_it_is_due(
    client: Client, asked: PlayerSession, game: FakeGame, word: str, state: str, holds: tuple[int, int]
) -> None:
    mm = asked.opened("withdraw", "30.00")
    game.answers[mm] = says(word)
    assert "CONFIRMED confirms it, ROLLED_BACK rolls it back." in get(
        client, page(Transaction, asked.transaction(mm), "ask_now")
    )
    assert "The game is being queried." in ask(client, asked.transaction(mm))
    assert (asked.transaction(mm).state, asked.holding()[:2], game.times_asked(mm)) == (state, holds, 1)


@pytest.mark.parametrize("type", ["withdrawal", "deposit"])
@pytest.mark.parametrize("word", ["UNKNOWN", "PENDING", "NONSENSE"])
def test_ask_now__any_other_answer_changes_nothing_until_it_is_due(
    client: Client, asked: PlayerSession, game: FakeGame, clock: Clock, boss: Operator, word: str, type: str
) -> None:
    mm = asked.opened("withdraw" if type == "withdrawal" else "deposit", "30.00")
    game.answers[mm] = says(word)
    held, pending = asked.holding(), asked.transaction(mm, type)
    # As often, and over as long, as would expire what is due.
    for hours in (10, 20, 30, 40):
        ask(client, pending)
        clock.go_ahead(hours * HOUR)
        client = signed_in(boss)
    row = Inquiry.objects.get(transaction=pending)
    assert (asked.holding(), asked.transaction(mm, type).state) == (held, "pending")
    assert (row.doubt, row.unknown_answers, row.pending_answers, row.unusable_in_a_row) == ("", 0, 0, 0)
    assert (row.next_attempt_at, row.questions_asked) == (pending.due_at, 4)
    settle_due(Run("settle_due"))
    assert game.times_asked(mm) == 4
    clock.go_ahead(73 * HOUR)
    settle_due(Run("settle_due"))
    row.refresh_from_db()
    assert (game.times_asked(mm), row.questions_asked) == (5, 5)
    assert row.unknown_answers + row.pending_answers + row.unusable_in_a_row == 1


def test_ask_now__game_that_lost_its_url_leaves_it_until_it_is_due(
    client: Client, asked: PlayerSession, game: FakeGame, clock: Clock
) -> None:
    mm = asked.opened("withdraw", "30.00")
    pending = asked.transaction(mm)
    client.post(page(Transaction, pending, "ask_now"), {"reason": "Ticket 7"})
    Game.objects.filter(pk=asked.game.pk).update(query_url="")
    settle_due(Run("settle_due"))
    assert (asked.transaction(mm).state, game.times_asked(mm)) == ("pending", 0)
    assert Inquiry.objects.get(transaction=pending).next_attempt_at == pending.due_at
    clock.go_ahead(73 * HOUR)
    settle_due(Run("settle_due"))
    assert asked.transaction(mm).state == "expired"


def test_ask_now__by_two_at_once_begins_one_inquiry(client: Client, asked: PlayerSession) -> None:
    pending = asked.transaction(asked.opened("withdraw", "30.00"))
    for _ in range(2):
        client.post(page(Transaction, pending, "ask_now"), {"reason": "Ticket 7"})
    row = Inquiry.objects.get(transaction=pending)
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= now()
    assert "an operator has the game queried now" in get(client, page(Transaction, pending)).lower()


@pytest.mark.parametrize("action", ["ask_now", "confirm", "roll_back"])
def test_pending__acts_are_a_permission_of_their_own(asked: PlayerSession, action: str) -> None:
    pending = asked.transaction(asked.opened("withdraw", "30.00"))
    reader = signed_in(operator("wallet.view_transaction"))
    assert reader.post(page(Transaction, pending, action), with_reason({})).status_code == 403
    assert not Inquiry.objects.filter(transaction=pending).exists()
