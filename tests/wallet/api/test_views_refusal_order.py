"""When several refusals apply, the first of the contract's list is given (section 1).

Every pair that can apply at once.
"""

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.conf import settings

from lib.http.responses import NoAnswer
from tests.support.callers import Answer, Callers, PlayerSession, basic, dump, fresh_address, unique
from wallet.operations import freeze_wallet, limit_withdrawals

NO_ANSWER = "no answer"
FORBIDDEN_ADDRESS = "198.51.100.7"


@dataclass
class Attempt:
    """A withdrawal of 5.00 that would succeed, until troubles are added to it."""

    player_session: PlayerSession
    monkeypatch: pytest.MonkeyPatch
    method: str = "POST"
    path: str = "/wallet/withdraw"
    mm: str = field(default_factory=lambda: unique("mm"))
    amount: Decimal = Decimal("5.00")
    currency: str = "XAG"
    description: str = ""
    address: str = field(default_factory=fresh_address)
    authorization: str = ""
    token: str = ""

    def outcome(self) -> object:
        """What came back: nothing at all, a status that is not 200, or an error code."""
        payload = {
            "token": self.token or self.player_session.token,
            "mmTransactionId": self.mm,
            "amount": {"amount": self.amount, "currencyCode": self.currency},
            "txDescription": self.description,
        }
        headers = {
            "Content-Type": "application/json",
            "Authorization": self.authorization or str(self.player_session.caller.authorization),
        }
        response = type(self.player_session.caller)(None, self.address).respond(
            self.method, self.path, dump(payload).encode(), headers
        )
        if isinstance(response, NoAnswer):
            return NO_ANSWER
        return (
            response.status_code if response.status_code != 200 else Answer(200, {}, response.content).error
        )


# --- Troubles, and what each one alone is answered with ---------------------------------------------


def wrong_address(attempt: Attempt) -> None:
    attempt.monkeypatch.setattr(settings, "API_ALLOWED_NETWORKS", ["10.0.0.0/8"])
    attempt.address = FORBIDDEN_ADDRESS


def wrong_password(attempt: Attempt) -> None:
    attempt.authorization = basic("nobody", "nothing")


def unknown_path(attempt: Attempt) -> None:
    attempt.path = "/wallet/withdrawEverything"


def wrong_method(attempt: Attempt) -> None:
    attempt.method = "PATCH"


def body_too_long(attempt: Attempt) -> None:
    attempt.description = "x" * 65536


def malformed(attempt: Attempt) -> None:
    attempt.amount = Decimal("-1")


def unknown_token(attempt: Attempt) -> None:
    attempt.token = str(uuid.uuid4())


def known_id(attempt: Attempt) -> None:
    attempt.player_session.done("withdraw", attempt.mm, "1.00")


def dead_session(attempt: Attempt) -> None:
    attempt.player_session.end()


def foreign_currency(attempt: Attempt) -> None:
    attempt.currency = "EUR"


def blocked_player(attempt: Attempt) -> None:
    attempt.player_session.block()


def frozen_wallet(attempt: Attempt) -> None:
    freeze_wallet(attempt.player_session.wallet(), actor="test", reason="test")


def limited_wallet(attempt: Attempt) -> None:
    limit_withdrawals(attempt.player_session.wallet(), most=4_99, actor="test", reason="test")


def too_little_money(attempt: Attempt) -> None:
    attempt.player_session.adjust("debit", attempt.player_session.holding().spendable - 4_99)


# In the order of the contract; those of one step exclude each other or may come in any order.
Trouble = Callable[[Attempt], None]
STEPS: list[dict[Trouble, object]] = [
    {wrong_address: NO_ANSWER},
    {wrong_password: 401},
    {unknown_path: 404, wrong_method: 405, body_too_long: 413},
    {malformed: 101},
    {unknown_token: 102},
    {known_id: 110},
    {dead_session: 102},
    {foreign_currency: 105},
    {blocked_player: 103, frozen_wallet: 103},
    {limited_wallet: 111},
    {too_little_money: 104},
]
EXPECTED: dict[Trouble, object] = {trouble: code for step in STEPS for trouble, code in step.items()}


def words(*troubles: Trouble) -> str:
    return " before ".join(trouble.__name__ for trouble in troubles)


PAIRS = [
    (first, second)
    for earlier, later in itertools.combinations(STEPS, 2)
    for first in earlier
    for second in later
]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=itertools.starmap(words, PAIRS))
def test_refusal__of_two_the_earlier_of_the_list_is_given(
    callers: Callers, monkeypatch: pytest.MonkeyPatch, first: Trouble, second: Trouble
) -> None:
    attempt = Attempt(callers.player_session(), monkeypatch)
    # A transaction can only be known from before the other troubles; the rest is independent.
    for trouble in sorted((first, second), key=lambda trouble: trouble is not known_id):
        trouble(attempt)
    before = attempt.player_session.holding()
    assert attempt.outcome() == EXPECTED[first]
    remembered = 1 if first is limited_wallet else 0
    assert attempt.player_session.holding() == before._replace(entries=before.entries + remembered)


@pytest.mark.parametrize("trouble", EXPECTED, ids=words)
def test_refusal__each_is_given_alone_and_without_it_withdraw_ok(
    callers: Callers, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    player_session = callers.player_session()
    assert Attempt(player_session, monkeypatch).outcome() is None
    attempt = Attempt(player_session, monkeypatch)
    trouble(attempt)
    assert attempt.outcome() == EXPECTED[trouble]


def test_repeat__gets_stored_answer_whatever_else_has_changed(
    player_session: PlayerSession,
) -> None:
    mm = unique("mm")
    first = player_session.done("withdraw", mm, "60.00")
    freeze_wallet(player_session.wallet(), actor="test", reason="test")
    limit_withdrawals(player_session.wallet(), most=1, actor="test", reason="test")
    player_session.block("closed")
    player_session.end()
    assert player_session.call("withdraw", mm, "60.00").raw == first.raw
    assert player_session.call("withdraw", unique("mm"), "60.00").error == 102
    assert player_session.holding()[:2] == (40_00, 60_00)


@pytest.mark.parametrize("code", [101, 102, 103, 105])
def test_refusal__not_for_money_is_not_remembered(
    callers: Callers, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    attempt = Attempt(callers.player_session(), monkeypatch)
    trouble = {101: malformed, 102: unknown_token, 103: blocked_player, 105: foreign_currency}[code]
    trouble(attempt)
    assert attempt.outcome() == code
    attempt.player_session.block("active")
    assert attempt.player_session.done("withdraw", attempt.mm, "5.00").balance == "95.00"


@pytest.mark.parametrize(
    "endpoint",
    [
        "deposit",
        "confirmWithdrawal",
        "rollbackWithdrawal",
        "confirmDeposit",
        "rollbackDeposit",
        "queryTransaction",
    ],
)
@pytest.mark.parametrize("trouble", [dead_session, blocked_player, frozen_wallet], ids=words)
def test_withdraw__only_new_needs_live_session_and_active_player(
    callers: Callers, monkeypatch: pytest.MonkeyPatch, endpoint: str, trouble: Trouble
) -> None:
    player_session = callers.player_session()
    mm = player_session.opened("deposit" if "Deposit" in endpoint else "withdraw", "5.00")
    trouble(Attempt(player_session, monkeypatch))
    extra = {"type": "withdrawal"} if endpoint == "queryTransaction" else {}
    player_session.done(endpoint, unique("mm") if endpoint == "deposit" else mm, "5.00", **extra)


@pytest.mark.parametrize("endpoint", ["deposit", "confirmWithdrawal", "confirmDeposit"])
def test_refusal__101_comes_before_102_if_call_names_an_amount(
    player_session: PlayerSession, endpoint: str
) -> None:
    unknown = PlayerSession(
        player_session.caller, player_session.player, player_session.game, str(uuid.uuid4()), "XAG"
    )
    assert unknown.call(endpoint, unique("mm"), "0").error == 101
    assert unknown.call(endpoint, unique("mm"), "1").error == 102


def test_deposit__foreign_currency_is_refused_before_the_bound(callers: Callers) -> None:
    player_session = callers.player_session(funds=10**18 - 1)
    assert player_session.call("deposit", unique("mm"), "1.00", currency="EUR").error == 105
    assert player_session.call("deposit", unique("mm"), "1.00").error == 111
