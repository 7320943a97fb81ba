"""What operations do where nobody says otherwise, and where it happened already."""

import time
from datetime import timedelta
from uuid import uuid4

import pytest

from players.access.credentials import Caller
from players.access.gate import Call
from players.models import Credential
from players.operations import close_session, set_player_status
from tests.support.callers import (
    Callers,
    PlayerSession,
    adjuster,
    holding,
    make_party,
    open_session,
    unique,
)
from wallet import ledger
from wallet.models import Transaction, Wallet
from wallet.operations import adjust_wallet
from wallet.outcomes import LedgerRefused


def test_adjustment__opens_the_wallet_that_it_needs(callers: Callers) -> None:
    player = callers.player()
    made = adjust_wallet(
        player, "EUR", type="credit", amount=5, transaction_id=uuid4(), operator=adjuster(), reason="test"
    )
    assert (made.outcome, made.balance, made.currency) == ("adjusted", 5, "EUR")
    assert holding(player, "EUR") == (5, 0, 0, 0, 2)


def test_open_wallet__answers_with_its_id_each_time(callers: Callers) -> None:
    player = callers.player()
    ids = [ledger.open_wallet(player_id=player.pk, currency="EUR", actor="test") for _ in range(2)]
    assert ids == [Wallet.objects.get(player=player).pk] * 2


def test_debit__makes_no_debt_unless_asked_to(player_session: PlayerSession) -> None:
    id = uuid4()
    with pytest.raises(LedgerRefused) as refused:
        adjust_wallet(
            player_session.player,
            "XAG",
            type="debit",
            amount=100_01,
            transaction_id=id,
            operator=adjuster(),
            reason="test",
        )
    assert (refused.value.outcome, player_session.holding()) == ("insufficient_funds", (100_00, 0, 0, 0, 2))
    assert not Transaction.objects.filter(pk=id).exists()


def test_session__is_closed_once(player_session: PlayerSession) -> None:
    assert [close_session(player_session.session()) for _ in range(2)] == [True, False]
    assert player_session.call("getBalance").error == 102


@pytest.mark.parametrize(
    ("amount", "error"),
    [("0.0001", 105), ("0.00001", 101), ("10000000000000", 101), ("9999999999999.9999", 105)],
)
def test_amount__in_unknown_currency_is_read_with_most_decimals(
    player_session: PlayerSession, amount: str, error: int
) -> None:
    assert player_session.call("withdraw", unique("mm"), amount, currency="QQQ").error == error


def test_call_duration__counts_whole_microseconds_since_it_began(callers: Callers) -> None:
    caller = Caller(uuid4(), "test", Credential.Kind.GAME, "test", callers.game.game.pk, timedelta(hours=72))
    elapsed = Call(caller, "10.0.0.1", time.perf_counter_ns() - 9_000_000_000).elapsed_us()
    assert 9_000_000 <= elapsed < 9_900_000


def test_credential__new_one_is_known_at_once_where_it_was_made(player_session: PlayerSession) -> None:
    player_session.done("getBalance")
    assert open_session(make_party(), player_session.player).done("getBalance").balance == "100.00"


def test_player_status__change_answers_with_the_player_as_is_now(callers: Callers) -> None:
    player = callers.player()
    barred = set_player_status(player.pk, status="blocked", actor="test", reason="test")
    assert (barred.pk, barred.status) == (player.pk, "blocked")


@pytest.mark.parametrize(
    ("reason", "kept"),
    [("a\tb\x00\n\x7fc", "abc"), ("é\x00ü", "éü"), ("a" * 256, "a" * 255), ("é" * 256, "é" * 255)],
)
def test_reason__is_cleaned_and_cut_whether_ascii_or_not(
    player_session: PlayerSession, reason: str, kept: str
) -> None:
    mm = player_session.opened("withdraw", "1.00")
    player_session.done("rollbackWithdrawal", mm, rollbackReason=reason)
    assert player_session.transaction(mm).reason == kept


def test_network__written_with_a_host_address_is_that_network(player_session: PlayerSession) -> None:
    assert (
        open_session(make_party(("10.1.2.3/8",)), player_session.player).done("getBalance").balance
        == "100.00"
    )
    assert open_session(make_party(("192.168.2.3/16",)), player_session.player).call("getBalance").raw == b""
