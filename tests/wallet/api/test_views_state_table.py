"""Once and only once: the state table of the contract (2.3), every cell, for withdrawals and deposits."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from tests.support.callers import Answer, Callers, Holding, PlayerSession, unique
from wallet.money import to_major
from wallet.operations import limit_withdrawals

# What each row of the table does in each state. Numbers are error codes; the words are explained in `check`.
STATES = ("nothing", "pending", "confirmed", "rolled back", "expired", "declined")
TABLE: dict[str, tuple[object, ...]] = {
    "open, same content": ("opens", "as first", "as first", 108, 109, "as first"),
    "open, other content": (None, 110, 110, 108, 109, 110),
    "confirm": (106, "confirms", "as settled", 108, 109, 106),
    "confirm, other content": (106, 110, 110, 108, 109, 106),
    "roll back": ("buries", "returns", 107, "as settled", "as settled", "notes"),
}
AMOUNT, MINOR = "30.00", 30_00
CALLS = {
    "withdrawal": ("withdraw", "confirmWithdrawal", "rollbackWithdrawal"),
    "deposit": ("deposit", "confirmDeposit", "rollbackDeposit"),
}


@dataclass
class Story:
    """One transaction id, and the answers that it got so far."""

    player_session: PlayerSession
    type: str
    mm: str
    first: dict[str, Any] | None = None
    settled: dict[str, Any] | None = None

    def open(self, amount: str = AMOUNT, **extra: Any) -> Answer:
        return self.player_session.call(CALLS[self.type][0], self.mm, amount, **extra)

    def confirm(self, amount: str | None = None, **extra: Any) -> Answer:
        return self.player_session.call(CALLS[self.type][1], self.mm, amount, **extra)

    def rollback(self) -> Answer:
        return self.player_session.call(CALLS[self.type][2], self.mm)

    def through(self, currency: str) -> "Story":
        """The same id in another session of the player."""
        return replace(self, player_session=self.player_session.elsewhere(currency))

    def resolve(self, event: str) -> None:
        """The platform settles it: the answer that the game would have got is stored all the same."""
        answer = self.player_session.resolve(self.mm, event, self.type)
        balance = {"amount": to_major(answer.balance, 2), "currencyCode": "XAG"}
        self.settled = {
            "mmTransactionId": self.mm,
            "qwTransactionId": answer.transaction_id,
            "balance": balance,
        }


# --- How a state comes about ------------------------------------------------------------------------


def nothing(story: Story) -> None:
    pass


def pending(story: Story) -> None:
    answer = story.open()
    assert answer.error is None
    story.first = answer.body


def confirmed(story: Story) -> None:
    pending(story)
    story.settled = story.confirm().body


def confirmed_by_the_platform(story: Story) -> None:
    pending(story)
    story.resolve("confirmed")


def rolled_back(story: Story) -> None:
    pending(story)
    story.settled = story.rollback().body


def rolled_back_by_the_platform(story: Story) -> None:
    pending(story)
    story.resolve("rolled_back")


def rolled_back_before_it_came(story: Story) -> None:
    story.settled = story.rollback().body


def expired(story: Story) -> None:
    pending(story)
    story.resolve("expired")


def declined_for_funds(story: Story) -> None:
    story.player_session.adjust("debit", 90_00)
    story.first = story.open().body
    assert story.first["errorCode"] == 104
    story.player_session.adjust("credit", 90_00)


def declined_by_the_limit(story: Story) -> None:
    limit_withdrawals(story.player_session.wallet(), most=20_00, actor="test", reason="test")
    story.first = story.open().body
    assert story.first["errorCode"] == 111
    wallet = story.player_session.wallet()
    limit_withdrawals(wallet, most=None, actor="test", reason="test", is_approved=True)


def declined_by_the_bound(story: Story) -> None:
    story.player_session.adjust("credit", 10**18 - 1 - 120_00)
    story.first = story.open().body
    assert story.first["errorCode"] == 111
    story.player_session.adjust("debit", 10**18 - 1 - 120_00)


Prepare = Callable[[Story], None]
OF_BOTH_TYPES: list[tuple[str, Prepare]] = [
    ("nothing", nothing),
    ("pending", pending),
    ("confirmed", confirmed),
    ("confirmed", confirmed_by_the_platform),
    ("rolled back", rolled_back),
    ("rolled back", rolled_back_by_the_platform),
    ("rolled back", rolled_back_before_it_came),
    ("expired", expired),
]
STORIES: list[tuple[str, str, Prepare]] = [
    *((type, state, prepare) for type in CALLS for state, prepare in OF_BOTH_TYPES),
    ("withdrawal", "declined", declined_for_funds),
    ("withdrawal", "declined", declined_by_the_limit),
    ("deposit", "declined", declined_by_the_bound),
]

# --- How each row is called -------------------------------------------------------------------------

ACTIONS: dict[str, tuple[str, Callable[[Story], Answer]]] = {
    "open": ("open, same content", lambda story: story.open()),
    "open with an equal number": (
        "open, same content",
        lambda story: story.open("3.00e1", txDescription="other words"),
    ),
    "open through another session": ("open, same content", lambda story: story.through("XAG").open()),
    "open with another amount": ("open, other content", lambda story: story.open("30.01")),
    "open with another currency": ("open, other content", lambda story: story.open(currency="EUR")),
    "open with an unknown currency": ("open, other content", lambda story: story.open(currency="QQQ")),
    "open in a session of another currency": (
        "open, other content",
        lambda story: story.through("EUR").open(),
    ),
    "confirm": ("confirm", lambda story: story.confirm()),
    "confirm with the amount": ("confirm", lambda story: story.confirm("30")),
    "confirm through another currency's session": (
        "confirm",
        lambda story: story.through("EUR").confirm(AMOUNT, currency="XAG"),
    ),
    "confirm another amount": ("confirm, other content", lambda story: story.confirm("29.99")),
    "confirm another currency": (
        "confirm, other content",
        lambda story: story.confirm(AMOUNT, currency="EUR"),
    ),
    "confirm an unknown currency": (
        "confirm, other content",
        lambda story: story.confirm(AMOUNT, currency="QQQ"),
    ),
    "roll back": ("roll back", lambda story: story.rollback()),
    "roll back through another currency's session": (
        "roll back",
        lambda story: story.through("EUR").rollback(),
    ),
}

# What spendable, reserved, announced and the number of entries change by.
MOVES = {
    ("withdrawal", "opens"): (-MINOR, MINOR, 0, 1),
    ("withdrawal", "confirms"): (0, -MINOR, 0, 1),
    ("withdrawal", "returns"): (MINOR, -MINOR, 0, 1),
    ("deposit", "opens"): (0, 0, MINOR, 1),
    ("deposit", "confirms"): (MINOR, 0, -MINOR, 1),
    ("deposit", "returns"): (0, 0, -MINOR, 1),
    ("withdrawal", "buries"): (0, 0, 0, 1),
    ("deposit", "buries"): (0, 0, 0, 1),
    ("withdrawal", "notes"): (0, 0, 0, 1),
    ("deposit", "notes"): (0, 0, 0, 1),
}


def after(before: Holding, type: str, word: object) -> Holding:
    spendable, reserved, announced, entries = MOVES.get((type, str(word)), (0, 0, 0, 0))
    return Holding(
        before.spendable + spendable,
        before.reserved + reserved,
        before.announced + announced,
        before.debt,
        before.entries + entries,
    )


def move_on(player_session: PlayerSession) -> None:
    """Something else happens to the wallet, so that a stored answer can be told from the present balance."""
    player_session.done("confirmDeposit", player_session.opened("deposit", "7.00"))


def check(answer: Answer, expected: object, story: Story, before: Holding) -> None:
    """The answer is the one that the table names: an error code, a new success, or a stored answer."""
    assert answer.status == 200
    if isinstance(expected, int):
        assert answer.error == expected, answer.raw
        assert set(answer.body) == {"errorCode", "errorDescription", "balance"}
        # The transaction's wallet as it is now.
        assert answer.body["balance"] == {"amount": to_major(before.spendable, 2), "currencyCode": "XAG"}
    elif expected == "as first":
        assert answer.body == story.first
    elif expected == "as settled":
        assert answer.body == story.settled
    else:
        known = story.first or {}
        balance = to_major(after(before, story.type, expected).spendable, 2)
        named = known.get("qwTransactionId", answer.body.get("qwTransactionId"))
        assert answer.body == {
            "mmTransactionId": story.mm,
            "qwTransactionId": named,
            "balance": {"amount": balance, "currencyCode": "XAG"},
        }


CELLS = [
    pytest.param(
        type,
        state,
        prepare,
        row,
        act,
        id=f"{type}, {prepare.__name__.replace('_', ' ')}: {name}".replace(" ", "_"),
    )
    for type, state, prepare in STORIES
    for name, (row, act) in ACTIONS.items()
    if TABLE[row][STATES.index(state)] is not None
    # With nothing known there is no transaction that says which wallet is meant: the session does.
    and not (state == "nothing" and "another currency's session" in name)
]


@pytest.mark.parametrize(("type", "state", "prepare", "row", "act"), CELLS)
def test_state_table__every_cell_answers_as_stated(
    callers: Callers,
    type: str,
    state: str,
    prepare: Callable[[Story], None],
    row: str,
    act: Callable[[Story], Answer],
) -> None:
    story = Story(callers.player_session(), type, unique("mm"))
    prepare(story)
    move_on(story.player_session)
    expected = TABLE[row][STATES.index(state)]
    before = story.player_session.holding()

    answer = act(story)

    check(answer, expected, story, before)
    assert story.player_session.holding() == after(before, type, expected)

    # The same call again, after yet another movement: the same answer, and nothing moves.
    move_on(story.player_session)
    before = story.player_session.holding()
    again = act(story)
    if isinstance(expected, int):
        check(again, expected, story, before)
        assert again.body["errorDescription"] == answer.body["errorDescription"]
    else:
        assert again.raw == answer.raw
    assert story.player_session.holding() == before


def test_state_table__has_every_cell_of_the_contract() -> None:
    assert all(len(columns) == len(STATES) for columns in TABLE.values())
    assert {(type, state) for type, state, _ in STORIES} == {
        (type, state) for type in CALLS for state in STATES
    }


@pytest.mark.parametrize("decline", [declined_for_funds, declined_by_the_limit])
def test_refusal__remembered_shows_the_balance_of_its_time(
    callers: Callers, decline: Callable[[Story], None]
) -> None:
    story = Story(callers.player_session(), "withdrawal", unique("mm"))
    decline(story)
    shown = "10.00" if decline is declined_for_funds else "100.00"
    again = story.open()
    assert (again.error, again.balance) == (104 if decline is declined_for_funds else 111, shown)
    rolled = story.rollback()
    assert (rolled.error, rolled.balance) == (None, "100.00")
    move_on(story.player_session)
    assert story.rollback().raw == rolled.raw
    assert story.open().raw == again.raw
    assert story.player_session.transaction(story.mm).state == "declined"


@pytest.mark.parametrize("type", CALLS)
def test_tombstone__has_its_own_id_and_the_unchanged_balance(callers: Callers, type: str) -> None:
    story = Story(callers.player_session(), type, unique("mm"))
    answer = story.rollback()
    assert answer.body["balance"] == {"amount": Decimal("100.00"), "currencyCode": "XAG"}
    buried = story.player_session.transaction(story.mm, type)
    assert (str(buried.pk), buried.state, buried.amount) == (
        answer.body["qwTransactionId"],
        "rolled_back",
        None,
    )
    assert story.open().error == 108


def test_transaction_id__is_apart_for_withdrawal_and_deposit(player_session: PlayerSession) -> None:
    mm = unique("mm")
    player_session.done("withdraw", mm, "10.00")
    player_session.done("deposit", mm, "3.00")
    assert player_session.done("confirmDeposit", mm, "3.00").balance == "93.00"
    assert player_session.done("rollbackWithdrawal", mm).balance == "103.00"
    assert player_session.call("rollbackDeposit", mm).error == 107


# --- Discrepancies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["expired", "rolled_back"])
def test_discrepancy__records_and_counts_confirm_after_return(
    player_session: PlayerSession, event: str
) -> None:
    mm = player_session.opened("withdraw", AMOUNT)
    player_session.resolve(mm, event)
    before = player_session.holding()
    for times in (1, 2, 3):
        assert player_session.call("confirmWithdrawal", mm).error == (109 if event == "expired" else 108)
        assert player_session.discrepancies() == [("confirm_of_returned", times)]
    assert player_session.holding() == before


@pytest.mark.parametrize("type", CALLS)
def test_discrepancy__records_rollback_after_platform_confirm(callers: Callers, type: str) -> None:
    story = Story(callers.player_session(), type, unique("mm"))
    confirmed_by_the_platform(story)
    assert story.rollback().error == 107
    assert story.rollback().error == 107
    assert story.player_session.discrepancies() == [("rollback_of_confirmed", 2)]


def test_discrepancy__records_tombstone_pending_at_other_player(callers: Callers) -> None:
    one, other = callers.player_session(), callers.player_session()
    mm = one.opened("withdraw", AMOUNT)
    other.done("rollbackWithdrawal", mm)
    other.done("rollbackWithdrawal", mm)
    assert other.discrepancies() == [("tombstone_elsewhere", 1)]
    assert one.discrepancies() == []
    assert one.holding().reserved == MINOR


def test_discrepancy__no_tombstone_if_other_game_or_settled(
    callers: Callers,
) -> None:
    one, other = callers.player_session(), callers.player_session()
    mm = one.opened("withdraw", AMOUNT)
    other.elsewhere(party=callers.other_game).done("rollbackWithdrawal", mm)
    other.done("rollbackDeposit", mm)
    one.done("confirmWithdrawal", mm)
    other.done("rollbackWithdrawal", mm)
    assert other.discrepancies() == []


def test_discrepancy__is_none_if_the_game_itself_settled(player_session: PlayerSession) -> None:
    paid, returned = player_session.opened("withdraw", "1.00"), player_session.opened("withdraw", "1.00")
    player_session.done("confirmWithdrawal", paid)
    player_session.done("rollbackWithdrawal", returned)
    assert player_session.call("rollbackWithdrawal", paid).error == 107
    assert player_session.call("confirmWithdrawal", returned).error == 108
    assert player_session.call("confirmWithdrawal", unique("mm")).error == 106
    assert player_session.discrepancies() == []


def test_discrepancy__is_none_if_opening_of_expired_is_refused(player_session: PlayerSession) -> None:
    mm = player_session.opened("withdraw", AMOUNT)
    player_session.resolve(mm, "expired")
    assert player_session.call("withdraw", mm, AMOUNT).error == 109
    assert player_session.discrepancies() == []
    assert player_session.holding().spendable == 100_00
