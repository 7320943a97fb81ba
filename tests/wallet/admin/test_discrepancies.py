"""Discrepancies as operators see them: owned, settled as the game says, or closed with a reason."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from lib.clock import now
from players.approvals.rules import able
from players.models import Approval, AuditEvent, Operator
from tests.support.admin_pages import (
    address,
    approved_by,
    by_two,
    get,
    operator,
    page,
    queries,
    requested,
    sent,
    signed_in,
    with_reason,
)
from tests.support.callers import Callers, PlayerSession
from tests.support.invariants import problems_of
from tests.support.owned import owned
from wallet.models import ApiCall, Discrepancy, Transaction

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def contradicted(session: PlayerSession, amount: str = "30.00") -> Discrepancy:
    """A withdrawal that expired, and that the game confirms."""
    mm = session.opened("withdraw", amount)
    session.resolve(mm, "expired")
    session.call("confirmWithdrawal", mm)
    return Discrepancy.objects.get(transaction=session.transaction(mm))


def first_seen(row: Discrepancy, at: datetime) -> None:
    """Other tests leave theirs open: a page has the oldest 25 of these, or the newest 25 that are closed."""
    owned(Discrepancy).filter(pk=row.pk).update(first_seen_at=at)


def listed(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"/admin/wallet/discrepancy/([0-9a-f-]{36})/change/", text)))


def test_discrepancy__says_what_happened_with_number_and_words(
    client: Client, player_session: PlayerSession
) -> None:
    row, game = contradicted(player_session), player_session.game.slug
    text = get(client, page(Discrepancy, row))
    assert (
        f"{game} says that the withdrawal of 30.00 XAG is confirmed; the platform ended it as expired" in text
    )
    assert "It was answered 109: The transaction has expired and was settled as rolled back." in text
    assert "109 already expired" in text
    assert "Settle it as the game says" in text
    call = ApiCall.objects.get(transaction=row.transaction_id, endpoint="confirmWithdrawal")
    assert "has expired and was settled as rolled back" in get(client, page(ApiCall, call))


def test_discrepancy__is_settled_as_the_game_says_by_two(
    client: Client, second: Client, boss: Operator, player_session: PlayerSession
) -> None:
    row = contradicted(player_session)
    player_session.adjust("debit", 90_00)
    place, before = page(Discrepancy, row, "settle"), player_session.holding()
    text = get(client, place)
    uid, game = player_session.player.uid, player_session.game.slug
    assert f"{uid} pays 30.00 XAG to {game}, as if the withdrawal had been confirmed." in text
    assert "10.00 XAG of it are there. The other 20.00 XAG become a debt of the player" in text
    approval = requested(client, place)
    assert player_session.holding() == before
    approved_by(second, approval)
    assert approval.state == Approval.State.EXECUTED
    assert player_session.holding()[:4] == (0, 0, 0, 20_00)
    row.refresh_from_db()
    made = Transaction.objects.get(pk=approval.pk)
    assert (row.correction_id, made.type, made.reverses_id, made.actor) == (
        made.pk,
        "late_withdrawal",
        row.transaction_id,
        f"operator:{boss.username}",
    )
    text = get(client, page(Discrepancy, row))
    assert "settled as the game says" in text
    assert str(made.pk) in text
    assert "Ticket 7" in text
    assert get(client, page(Transaction, row.transaction)).count("settled as the game says") == 1
    assert problems_of(player_session.player) == []


def test_discrepancy__is_settled_once(client: Client, second: Client, player_session: PlayerSession) -> None:
    row = contradicted(player_session)
    by_two(client, second, page(Discrepancy, row, "settle"))
    held = player_session.holding()
    for action in ("settle", "close"):
        answer = client.post(page(Discrepancy, row, action), with_reason({}), follow=True)
        assert "Nothing was done. The discrepancy is closed already" in answer.content.decode()
    assert "Settle it as the game says" not in get(client, page(Discrepancy, row))
    assert player_session.holding() == held


def test_discrepancy__is_closed_with_a_reason_and_moves_nothing(
    client: Client, boss: Operator, player_session: PlayerSession
) -> None:
    row, held = contradicted(player_session), player_session.holding()
    assert "Closing moves no money." in get(client, page(Discrepancy, row, "close"))
    sent(client, page(Discrepancy, row, "close"), reason="The game took it back")
    row.refresh_from_db()
    assert (row.closed_by, row.reason, row.correction_id) == (
        f"operator:{boss.username}",
        "The game took it back",
        None,
    )
    assert player_session.holding() == held
    assert "closed without a booking: The game took it back" in get(client, page(Discrepancy, row))
    mm = row.transaction.mm_transaction_id
    player_session.call("confirmWithdrawal", mm)
    row.refresh_from_db()
    assert (row.times_seen, row.closed_at is not None) == (2, True)


def test_discrepancy__is_assigned_and_that_is_recorded(
    client: Client, boss: Operator, player_session: PlayerSession
) -> None:
    row = contradicted(player_session)
    first_seen(row, LONG_AGO)
    # One of the first, who are offered: other tests make operators by the hundred.
    other = next(one for one in able("wallet.resolve_alert") if one != boss)
    place = page(Discrepancy, row, "assign")
    assert f'value="{boss.pk}" selected' in get(client, place)
    for who in (boss, other, None):
        sent(client, place, owner=str(who.pk) if who else "")
        row.refresh_from_db()
        assert row.owner == who
        told = AuditEvent.objects.filter(subject_id=str(row.pk), action="assign").latest("pk")
        assert told.after is not None
        assert told.after["owner_id"] == (who.pk if who else None)
        assert str(row.pk) in listed(get(client, address(Discrepancy)))
        is_mine = str(row.pk) in listed(get(client, f"{address(Discrepancy)}?state=mine"))
        assert is_mine == (who == boss)
    stranger = operator()
    answer = client.post(place, {"owner": str(stranger.pk)})
    assert (answer.status_code, Discrepancy.objects.get(pk=row.pk).owner) == (200, None)


def test_discrepancy_list__has_open_ones_first_and_ends_them(
    client: Client, second: Client, callers: Callers
) -> None:
    one, two = callers.player_session(), callers.player_session()
    first, other = contradicted(one), contradicted(two)
    first_seen(first, LONG_AGO)
    first_seen(other, LONG_AGO + timedelta(seconds=1))
    found = listed(get(client, address(Discrepancy)))
    assert found.index(str(first.pk)) < found.index(str(other.pk))
    by_two(client, second, page(Discrepancy, first, "settle"))
    assert str(first.pk) not in listed(get(client, address(Discrepancy)))
    first_seen(first, now())
    assert listed(get(client, f"{address(Discrepancy)}?state=closed"))[0] == str(first.pk)


def test_discrepancy__of_another_players_id_has_nothing_to_settle(
    client: Client, callers: Callers, player_session: PlayerSession
) -> None:
    mm = player_session.opened("withdraw", "30.00")
    other = callers.player_session()
    other.call("rollbackWithdrawal", mm)
    row = Discrepancy.objects.get(player=other.player)
    text = get(client, page(Discrepancy, row))
    assert "Settle it as the game says" not in text
    assert "while it is pending for another player. It was answered with success." in text
    answer = client.get(page(Discrepancy, row, "settle"), follow=True).content.decode()
    assert "Nothing was done. There is nothing to book" in answer


@pytest.mark.parametrize("action", ["settle", "close", "assign"])
def test_discrepancy__acts_ask_for_their_permissions(player_session: PlayerSession, action: str) -> None:
    row = contradicted(player_session)
    reader = signed_in(operator("wallet.view_discrepancy"))
    assert reader.post(page(Discrepancy, row, action), with_reason({})).status_code == 403
    row.refresh_from_db()
    assert (row.closed_at, row.owner_id) == (None, None)


def test_discrepancy_page__costs_the_same_whatever_happened(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    row = contradicted(player_session)
    before = len(queries(client, page(Discrepancy, row)))
    for _ in range(20):
        player_session.call("confirmWithdrawal", row.transaction.mm_transaction_id)
    assert len(queries(client, page(Discrepancy, row))) == before <= 25
