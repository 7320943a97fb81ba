"""The balance that a refusal of a wallet call shows, if its wallet is known (contract 1)."""

import uuid

import pytest

from lib.http.errors import Refusal
from players.outcomes import PlayerOutcome, PlayerRefused
from tests.support.callers import Answer, Callers, PlayerSession, unique
from wallet.api.errors import refusal
from wallet.operations import freeze_wallet, limit_withdrawals
from wallet.outcomes import LedgerRefused, UnknownCurrency


def shown(answer: Answer) -> tuple[object, object]:
    """The code of a refusal, and the balance in it."""
    return answer.error, answer.body.get("balance", {}).get("amount") and answer.balance


def test_refusal__for_player_or_wallet_shows_the_balance(player_session: PlayerSession) -> None:
    assert shown(player_session.call("withdraw", unique("mm"), "1.00", currency="EUR")) == (105, "100.00")
    freeze_wallet(player_session.wallet(), actor="test", reason="test")
    assert shown(player_session.call("withdraw", unique("mm"), "1.00")) == (103, "100.00")
    player_session.block()
    assert shown(player_session.call("withdraw", unique("mm"), "1.00")) == (103, "100.00")


def test_refusal__about_a_transaction_shows_the_balance(player_session: PlayerSession) -> None:
    paid, returned = player_session.opened("withdraw", "10.00"), player_session.opened("withdraw", "5.00")
    player_session.done("confirmWithdrawal", paid)
    player_session.done("rollbackWithdrawal", returned)
    assert shown(player_session.call("confirmWithdrawal", unique("mm"))) == (106, "90.00")
    assert shown(player_session.call("rollbackWithdrawal", paid)) == (107, "90.00")
    assert shown(player_session.call("confirmWithdrawal", returned)) == (108, "90.00")
    assert shown(player_session.call("withdraw", paid, "11.00")) == (110, "90.00")
    late = player_session.opened("withdraw", "1.00")
    player_session.resolve(late, "expired")
    assert shown(player_session.call("confirmWithdrawal", late)) == (109, "90.00")


def test_query__of_no_transaction_shows_the_balance(player_session: PlayerSession) -> None:
    assert shown(player_session.call("queryTransaction", unique("mm"), type="deposit")) == (106, "100.00")
    player_session.end()
    assert shown(player_session.call("queryTransaction", unique("mm"), type="deposit")) == (106, "100.00")


def test_refusal__for_money_shows_the_balance_of_its_time(player_session: PlayerSession) -> None:
    limit_withdrawals(player_session.wallet(), most=150_00, actor="test", reason="test")
    poor, limited = unique("mm"), unique("mm")
    for _ in range(2):
        assert shown(player_session.call("withdraw", poor, "100.01")) == (104, "100.00")
        assert shown(player_session.call("withdraw", limited, "200.00")) == (111, "100.00")
        player_session.done("confirmDeposit", player_session.opened("deposit", "7.00"))
    assert shown(player_session.call("withdraw", poor, "100.02")) == (110, "114.00")


def test_refusal__shows_no_balance_if_wallet_is_not_callers(callers: Callers) -> None:
    player_session = callers.player_session()
    stranger = PlayerSession(
        player_session.caller, player_session.player, player_session.game, str(uuid.uuid4()), "XAG"
    )
    for caller in (
        stranger,
        PlayerSession(
            callers.other_game.caller, player_session.player, player_session.game, player_session.token, "XAG"
        ),
    ):
        assert shown(caller.call("withdraw", unique("mm"), "1.00")) == (102, None)
        assert shown(caller.call("confirmDeposit", unique("mm"))) == (102, None)
        assert shown(caller.call("queryTransaction", unique("mm"), type="deposit")) == (102, None)
        assert shown(caller.call("getBalance")) == (102, None)
    assert shown(player_session.call("withdraw", unique("mm"), "-1")) == (101, None)
    player_session.end()
    assert shown(player_session.call("withdraw", unique("mm"), "1.00")) == (102, None)
    assert shown(player_session.call("verifySession")) == (102, None)


@pytest.mark.parametrize(
    ("problem", "code", "members"),
    [
        (LedgerRefused("session_ended", balance=5, currency="XAG"), 102, set()),
        (LedgerRefused("unknown_token"), 102, set()),
        (LedgerRefused("wallet_frozen", balance=0, currency="XAG"), 103, {"balance"}),
        (UnknownCurrency("QQQ"), 101, set()),
        (PlayerRefused(PlayerOutcome.PLAYER_BARRED, "blocked"), 103, set()),
    ],
)
def test_outcome__has_one_code(database: None, problem: Exception, code: int, members: set[str]) -> None:
    answer = refusal(problem)
    assert isinstance(answer, Refusal)
    assert (answer.code, set(answer.members)) == (code, members)


def test_outcome__what_is_none_stays_what_it_is() -> None:
    problem = ValueError("a mistake of ours")
    assert refusal(problem) is problem
