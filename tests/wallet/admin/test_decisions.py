"""What operators decide about due transactions.

Asked first, with a reason, once; and after a refusal nothing has moved.
"""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import connection
from django.test import Client

from lib.clock import now
from players.models import AuditEvent, Game, Operator
from tests.conftest import Clock
from tests.support.admin_pages import (
    INQUIRY_ACTIONS,
    approved_by,
    by_two,
    doubted,
    get,
    operator,
    page,
    question,
    requested,
    signed_in,
    waiting,
    with_reason,
)
from tests.support.callers import Callers, Party, PlayerSession, make_party, open_session
from tests.support.game_query_server import playing, says
from tests.support.invariants import problems_of
from tests.support.owned import owned
from wallet.job_runs import Run
from wallet.models import Inquiry, Outage, Pulse, Question, Transaction
from wallet.settlement.decisions import NotPossible, decide, requery
from wallet.settlement.sweep import settle_due

# What is posted for the action, the state that follows, and spendable, reserved and announced after it.
DECISIONS = [
    ("withdraw", "confirm", "confirmed", (70_00, 0, 0)),
    ("withdraw", "roll_back", "rolled_back", (100_00, 0, 0)),
    ("deposit", "confirm", "confirmed", (130_00, 0, 0)),
    ("deposit", "roll_back", "rolled_back", (100_00, 0, 0)),
]
TYPES = {"withdraw": "withdrawal", "deposit": "deposit"}


@pytest.fixture(autouse=True)
def no_pause(database: None) -> None:
    owned(Pulse).all().delete()
    owned(Outage).all().delete()


@pytest.fixture
def askable() -> Party:
    """A game with a query URL, where nobody listens."""
    return make_party(query_url="https://127.0.0.1:9/state")


def seated(callers: Callers, party: Party) -> PlayerSession:
    player_session = open_session(party, callers.player())
    player_session.adjust("credit", 100_00)
    return player_session


def history(inquiry: Inquiry) -> list[tuple[str, str]]:
    events = AuditEvent.objects.filter(subject_id=str(inquiry.pk)).order_by("pk")
    return list(events.values_list("outcome", "reason"))


@pytest.mark.parametrize(("opening", "action", "state", "holds"), DECISIONS)
def test_decision__is_confirmed_and_done_once_with_a_reason(
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
    inquiry = doubted(player_session, mm, type)
    place, before = page(Inquiry, inquiry, action), player_session.holding()
    text = get(client, place)
    assert "30.00 XAG" in text
    assert "Opened 20" in text
    assert b"This field is required" in client.post(place, {"reason": " "}).content
    assert (player_session.transaction(mm, type).state, player_session.holding()) == ("pending", before)

    approval = requested(client, place, reason="Its people say so")
    assert (player_session.transaction(mm, type).state, player_session.holding()) == ("pending", before)
    approved_by(second, approval)
    done, name = player_session.transaction(mm, type), f"operator:{boss.username}"
    assert (done.state, done.settled_source, done.settled_actor, done.reason) == (
        state,
        "operator",
        name,
        "Its people say so",
    )
    assert player_session.holding()[:3] == holds
    entry = player_session.wallet().entries.latest("seq")
    assert (entry.event, entry.actor, entry.transaction_id) == (state, name, done.pk)
    inquiry.refresh_from_db()
    assert (inquiry.closed_at is not None, inquiry.next_attempt_at, inquiry.doubt) == (True, None, "held")

    entries = player_session.holding().entries
    client.post(place, with_reason({"reason": "Once more"}))
    assert player_session.holding().entries == entries
    # Requested, executed, and refused because it is settled.
    assert history(inquiry) == [
        ("done", "Its people say so"),
        ("done", "Its people say so"),
        ("refused", "Once more"),
    ]
    assert problems_of(player_session.player) == []


def test_decision__game_gets_stored_answer_conflict_is_recorded(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    mm = player_session.opened("withdraw", "30.00")
    by_two(client, second, page(Inquiry, doubted(player_session, mm), "roll_back"))
    assert player_session.call("rollbackWithdrawal", mm).balance == "100.00"
    assert player_session.call("confirmWithdrawal", mm).error == 108
    assert player_session.discrepancies() == [("confirm_of_returned", 1)]


@pytest.mark.parametrize("action", INQUIRY_ACTIONS)
def test_decision__says_if_settled_meanwhile_and_moves_nothing(
    client: Client, callers: Callers, askable: Party, action: str
) -> None:
    player_session = seated(callers, askable)
    mm = player_session.opened("withdraw", "30.00")
    inquiry = doubted(player_session, mm)
    player_session.done("confirmWithdrawal", mm)
    before, settled = player_session.holding(), player_session.transaction(mm)
    response = client.post(page(Inquiry, inquiry, action), with_reason({"reason": "Mine"}), follow=True)
    text = response.content.decode()
    assert f"Nothing was done. The transaction was confirmed meanwhile by {settled.settled_actor}" in text
    assert (player_session.holding(), player_session.transaction(mm).settled_at) == (
        before,
        settled.settled_at,
    )
    assert history(inquiry) == [("refused", "Mine")]
    # The next sweep closes it.
    inquiry.refresh_from_db()
    assert inquiry.closed_at is None


def test_decision__pays_debt_from_what_is_given_back(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    mm = player_session.opened("withdraw", "30.00")
    player_session.adjust("debit", 80_00, into_debt=True)
    place = page(Inquiry, doubted(player_session, mm), "roll_back")
    assert "The debt of 10.00 XAG is paid from it first." in get(client, place)
    by_two(client, second, place)
    assert player_session.holding()[:4] == (20_00, 0, 0, 0)


def test_decision__is_possible_with_a_warning_if_not_in_doubt(
    boss: Operator, callers: Callers, askable: Party, clock: Clock
) -> None:
    player_session = seated(callers, askable)
    inquiry = waiting(player_session, player_session.opened("withdraw", "30.00"))
    other = doubted(player_session, player_session.opened("withdraw", "1.00"))
    assert "It is not due: " in get(signed_in(boss), page(Inquiry, inquiry, "confirm"))
    clock.go_ahead(timedelta(hours=73))
    client = signed_in(boss)
    assert "It does not need manual review" in get(client, page(Inquiry, inquiry, "confirm"))
    assert "It does not need manual review" not in get(client, page(Inquiry, other, "confirm"))


def test_decision__is_a_permission_of_its_own(second: Client, player_session: PlayerSession) -> None:
    inquiry = doubted(player_session, player_session.opened("withdraw", "30.00"))
    reader, decider = (
        signed_in(operator("wallet.view_inquiry")),
        signed_in(operator("wallet.view_inquiry", "wallet.settle_transaction")),
    )
    assert "Roll back" not in get(reader, page(Inquiry, inquiry))
    assert "Roll back" in get(decider, page(Inquiry, inquiry))
    for action in INQUIRY_ACTIONS:
        assert reader.post(page(Inquiry, inquiry, action), {"reason": "r"}).status_code == 403
    assert Inquiry.objects.get(pk=inquiry.pk).closed_at is None
    by_two(decider, second, page(Inquiry, inquiry, "confirm"))
    assert player_session.holding()[:2] == (70_00, 0)


def test_decision__only_one_of_two_operators_at_once_decides(player_session: PlayerSession) -> None:
    for _ in range(20):
        inquiry = doubted(player_session, player_session.opened("withdraw", "1.00"))
        start, said = threading.Barrier(2), list[str]()

        def choose(
            event: str, inquiry: Inquiry = inquiry, start: threading.Barrier = start, said: list[str] = said
        ) -> None:
            start.wait()
            try:
                said.append(
                    decide(inquiry.transaction_id, event=event, actor=f"operator:{event}", reason="r").outcome
                )
            except NotPossible as problem:
                said.append(str(problem))
            finally:
                connection.close()

        threads = [threading.Thread(target=choose, args=(event,)) for event in ("confirmed", "rolled_back")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winner = Transaction.objects.get(pk=inquiry.transaction_id)
        assert winner.settled_actor == f"operator:{winner.state}"
        assert [word == winner.state or f"meanwhile by {winner.settled_actor}" in word for word in said] == [
            True,
            True,
        ]
        assert Inquiry.objects.get(pk=inquiry.pk).closed_at is not None
    assert problems_of(player_session.player) == []


# --- Query again ---------------------------------------------------------------------------------------


def test_requery__is_offered_only_if_the_game_can_be_queried(
    client: Client, callers: Callers, askable: Party, player_session: PlayerSession
) -> None:
    mute = doubted(player_session, player_session.opened("withdraw", "1.00"))
    other = seated(callers, askable)
    inquiry = waiting(other, other.opened("withdraw", "1.00"))
    assert "Query again" not in get(client, page(Inquiry, mute))
    assert "Query again" in get(client, page(Inquiry, inquiry))
    text = client.post(page(Inquiry, mute, "requery"), {"reason": "r"}, follow=True).content.decode()
    assert f"Nothing was done. {player_session.game.slug} has no query URL: it cannot be queried." in text
    assert Inquiry.objects.get(pk=mute.pk).next_attempt_at is None


def test_requery__makes_it_due_now_and_keeps_the_doubt(
    client: Client, callers: Callers, askable: Party, clock: Clock
) -> None:
    player_session = seated(callers, askable)
    at = now()
    clock.stand(at)
    inquiry = doubted(
        player_session,
        player_session.opened("deposit", "1.00"),
        "deposit",
        doubt="unknown_deposit",
        leased_until=at + timedelta(minutes=3),
    )
    place = page(Inquiry, inquiry, "requery")
    assert "https://127.0.0.1:9/state" in get(client, place)
    assert Inquiry.objects.get(pk=inquiry.pk).next_attempt_at is None
    text = client.post(place, {"reason": "They found a backup"}, follow=True).content.decode()
    assert "The game is being queried." in text
    assert "They found a backup" in text
    inquiry.refresh_from_db()
    assert (inquiry.next_attempt_at, inquiry.leased_until, inquiry.doubt) == (at, None, "unknown_deposit")


def test_requery__answer_to_the_operators_query_settles(
    boss: Operator, callers: Callers, settings: Any, clock: Clock
) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with playing() as game:
        player_session = seated(callers, make_party(query_url=game.url))
        mm = player_session.opened("deposit", "30.00")
        clock.go_ahead(timedelta(hours=73))
        inquiry = doubted(player_session, mm, "deposit", doubt="unknown_deposit")
        settle_due(Run("settle_due"))
        assert game.times_asked(mm) == 0
        # Sessions from before that time have ended.
        client = signed_in(boss)
        client.post(page(Inquiry, inquiry, "requery"), {"reason": "r"})
        game.answers[mm] = says("CONFIRMED")
        settle_due(Run("settle_due"))
    assert (
        game.times_asked(mm),
        player_session.transaction(mm, "deposit").state,
        player_session.holding()[:3],
    ) == (
        1,
        "confirmed",
        (130_00, 0, 0),
    )
    asked = Question.objects.get(inquiry=inquiry)
    text = get(client, page(Inquiry, inquiry))
    assert (asked.answer, "CONFIRMED" in text, asked.asked_by in text) == ("confirmed", True, True)


def test_requery__closed_inquiry_is_not_queried_again(callers: Callers, askable: Party) -> None:
    player_session = seated(callers, askable)
    inquiry = doubted(player_session, player_session.opened("withdraw", "1.00"), closed_at=now())
    with pytest.raises(NotPossible, match="closed"):
        requery(inquiry, actor="operator:x", reason="r")
    assert Inquiry.objects.get(pk=inquiry.pk).next_attempt_at is None


def test_requery__tells_of_a_pause_after_an_outage(client: Client, callers: Callers, askable: Party) -> None:
    player_session = seated(callers, askable)
    inquiry = waiting(player_session, player_session.opened("withdraw", "1.00"))
    Outage.objects.create(began_at=now() - timedelta(minutes=30), ended_at=now() - timedelta(minutes=10))
    text = client.post(page(Inquiry, inquiry, "requery"), {"reason": "r"}, follow=True).content.decode()
    assert "queried as soon as transactions become due again: games could not reach us" in text


def queued() -> int:
    with current_app.connection_for_read() as broker:
        return int(broker.default_channel.client.llen("settle"))


def test_requery__wakes_a_worker(client: Client, callers: Callers, askable: Party) -> None:
    player_session = seated(callers, askable)
    before = queued()
    client.post(
        page(Inquiry, waiting(player_session, player_session.opened("withdraw", "1.00")), "requery"),
        {"reason": "r"},
    )
    assert queued() == before + 1


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody listens where the broker should be."""
    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:9/0")
    current_app.amqp._producer_pool = None
    yield
    current_app.amqp._producer_pool = None


def test_requery__waits_for_the_next_sweep_without_the_broker(
    client: Client, callers: Callers, askable: Party, no_broker: None
) -> None:
    player_session = seated(callers, askable)
    inquiry = waiting(player_session, player_session.opened("withdraw", "1.00"))
    text = client.post(page(Inquiry, inquiry, "requery"), {"reason": "r"}, follow=True).content.decode()
    assert "The game will be queried by the next sweep: the queue cannot be reached now." in text
    inquiry.refresh_from_db()
    assert inquiry.next_attempt_at is not None
    assert inquiry.next_attempt_at <= now()


def test_requery__is_hidden_if_the_games_url_is_removed(client: Client, callers: Callers) -> None:
    party = make_party(query_url="https://127.0.0.1:9/state")
    player_session = seated(callers, party)
    inquiry = waiting(player_session, player_session.opened("withdraw", "1.00"))
    question(inquiry)
    Game.objects.filter(pk=party.game.pk).update(query_url="")
    assert "Query again" not in get(client, page(Inquiry, inquiry))
