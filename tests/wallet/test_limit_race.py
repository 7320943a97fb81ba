"""One player in 8 games, 3 sessions each, and 64 clients: no limit is ever passed by one minor unit.

The lines of a wallet's journal stand in the order in which they were written, one after the other: so what
was spent at any moment can be read there afterwards.
"""

import os
import random
import threading
from collections.abc import Sequence

import pytest
from django.db import connection, connections

from tests.support.call_batches import done_alone, done_together, opening, settling
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.invariants import problems_of
from tests.support.limits import limit, used
from wallet.ledger import Answer
from wallet.models import Entry, Transaction
from wallet.operations import resolve_transaction

CLIENTS, GAMES, SESSIONS = 64, 8, 3
MOST = 1000_00
PERIODS = ("day", "week", "month", "rolling")


def seats(callers: Callers) -> list[PlayerSession]:
    player, parties = callers.player(), [make_party() for _ in range(GAMES)]
    found = [open_session(party, player) for party in parties for _ in range(SESSIONS)]
    found[0].adjust("credit", 10 * MOST)
    return found


def play(places: Sequence[PlayerSession], rounds: int, client: int, *, keeps: bool) -> None:
    """Rounds of one client: opened alone or in a batch, ended by the game or by the platform, or left."""
    chance = random.Random(client)
    try:
        for number in range(rounds):
            seat, mm = chance.choice(places), f"{client}-{number}"
            call = opening(seat, mm, chance.randint(1, MOST // 8))
            if chance.random() < 0.3:
                answer: Answer = done_together([call], waits=True)[0]
            else:
                answer = done_alone(call)
            assert answer.outcome in ("opened", "limit_reached", "insufficient_funds"), answer
            if answer.outcome == "opened":
                end(seat, mm, chance, keeps=keeps)
    finally:
        connections.close_all()


def end(seat: PlayerSession, mm: str, chance: random.Random, *, keeps: bool) -> None:
    how = chance.choice(["confirmed", "rolled_back", "expired", "expired", "left"])
    if how == "left" or (how == "confirmed" and not keeps):
        return
    if how == "expired":
        event = {"event": how, "source": "sweep", "actor": "sweep", "reason": "over"}
        resolve_transaction(seat.transaction(mm).pk, **event)
    else:
        done_alone(settling(seat, mm, how))
    if how == "confirmed" and chance.random() < 0.3:
        done_alone(opening(seat, f"{mm}-won", chance.randint(1, MOST // 8), type="deposit"))
        done_alone(settling(seat, f"{mm}-won", "confirmed", type="deposit"))


def spent_and_lost(seat: PlayerSession) -> tuple[int, int]:
    """The most that was ever spent and lost, by the journal."""
    spent = lost = most_spent = most_lost = 0
    lines = Entry.objects.filter(player=seat.player, wallet=seat.wallet()).order_by("seq")
    for type, event, moved in lines.values_list("transaction__type", "event", "amount"):
        amount = moved or 0
        if (type, event) == ("withdrawal", "opened"):
            spent, lost = spent + amount, lost + amount
        elif type == "withdrawal" and event in ("rolled_back", "expired"):
            spent, lost = spent - amount, lost - amount
        elif (type, event) == ("deposit", "confirmed"):
            lost -= amount
        most_spent, most_lost = max(most_spent, spent), max(most_lost, lost)
    return most_spent, most_lost


def run(places: Sequence[PlayerSession], rounds: int, *, keeps: bool) -> None:
    each = max(1, rounds // CLIENTS)
    failed: list[BaseException] = []

    def one(client: int) -> None:
        try:
            play(places, each, client, keeps=keeps)
        except BaseException as problem:  # noqa: BLE001 (told below)
            failed.append(problem)

    threads = [threading.Thread(target=one, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def rounds() -> int:
    """`LIMIT_ROUNDS=10000` is the proof; every run of the tests does some."""
    return int(os.environ.get("LIMIT_ROUNDS", "640"))


@pytest.mark.slow
def test_limits__are_never_passed_by_64_clients(callers: Callers) -> None:
    places = seats(callers)
    for period in PERIODS:
        limit(places[0], "spend", period, MOST)
        limit(places[0], "loss", period, MOST - 1)
    run(places, rounds(), keeps=True)
    most_spent, most_lost = spent_and_lost(places[0])
    assert most_spent <= MOST
    assert most_lost <= MOST - 1
    # It was tried hard enough: no withdrawal is larger than an eighth.
    refused = Transaction.objects.filter(player=places[0].player, refusal="limit_reached")
    assert refused.exists()
    assert max(most_spent, most_lost) >= MOST * 7 // 8
    assert differences(places[0]) == []
    assert problems_of(places[0].player) == []


@pytest.mark.slow
def test_limits__are_as_before_when_all_is_given_back(callers: Callers) -> None:
    places = seats(callers)
    for period in PERIODS:
        limit(places[0], "spend", period, MOST)
    run(places, rounds(), keeps=False)
    assert spent_and_lost(places[0])[0] <= MOST
    for left in Transaction.objects.filter(player=places[0].player, state="pending"):
        resolve_transaction(left.pk, event="rolled_back", source="sweep", actor="sweep", reason="over")
    assert [used(places[0], "spend", period) for period in PERIODS] == [0, 0, 0, 0]
    assert done_alone(opening(places[0], "more", MOST + 1)).outcome == "limit_reached"
    assert done_alone(opening(places[-1], "all", MOST)).outcome == "opened"
    assert done_alone(opening(places[-1], "one", 1)).outcome == "limit_reached"
    assert differences(places[0]) == []


def differences(seat: PlayerSession) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM ledger_limit_differences() WHERE wallet = %s", [seat.wallet().pk])
        return list(cursor.fetchall())
