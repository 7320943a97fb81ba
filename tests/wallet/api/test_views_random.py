"""Random operations in random order, with duplicates and wrong tokens, over HTTP: every answer and every
balance is the model's.

`LONG=1` plays a hundred times as much.
"""

import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.support.callers import Answer, Callers, PlayerSession, adjuster, open_session, unique
from tests.support.invariants import problems_of
from tests.support.reference_model import Key, Model, Purse, Said
from wallet.models import Discrepancy, Wallet
from wallet.money import to_major
from wallet.operations import correct_discrepancy, freeze_wallet, limit_withdrawals, unfreeze_wallet
from wallet.outcomes import LedgerRefused

EXAMPLES, STEPS = (2000, 100) if os.environ.get("LONG") else (12, 40)
# Making a failing story short takes minutes.
PHASES = list(Phase) if os.environ.get("LONG") else [Phase.explicit, Phase.reuse, Phase.generate]
CALLS = {
    "withdrawal": ("withdraw", "confirmWithdrawal", "rollbackWithdrawal"),
    "deposit": ("deposit", "confirmDeposit", "rollbackDeposit"),
}
CURRENCIES = ("XAG", "JPY")
DECIMALS = {"XAG": 2, "JPY": 0, "EUR": 2}

# One rule draws what happens, so that everything is as frequent as it is named here.
WHAT = [
    *["open"] * 6,
    *["confirm"] * 4,
    *["roll_back"] * 4,
    *["send_again"] * 3,
    *["platform_settles"] * 2,
    *["credit", "debit", "correct"] * 2,
]
WHAT += [
    "fall_into_debt",
    "fall_into_debt",
    "ask",
    "look",
    "use_a_wrong_token",
    "end_session",
    "launch_again",
    "set_status",
    "gate",
]
AMOUNTS = (1, 30_00, 70_00, 10**17 - 1)
STATUSES = ("active", "active", "blocked", "self_excluded")
EVENTS = ("confirmed", "rolled_back", "expired")
Table = tuple[int, int, str]


class Draw(NamedTuple):
    """Everything that a step may need; each step takes what it wants."""

    table: Table
    type: str
    id: str
    amount: int
    other_amount: int
    number: int
    often: bool
    seldom: bool

    @property
    def key(self) -> Key:
        return Key(self.table[0], self.table[1], self.type, self.id)


draws = st.builds(
    Draw,
    st.tuples(st.integers(0, 1), st.sampled_from([0, 0, 1]), st.sampled_from(CURRENCIES)),
    st.sampled_from(list(CALLS)),
    st.sampled_from("abc"),
    st.sampled_from(AMOUNTS),
    st.sampled_from(AMOUNTS),
    st.integers(0, 1000),
    st.sampled_from([True, True, False]),
    st.sampled_from([False] * 7 + [True]),
)


class Machine(RuleBasedStateMachine):
    """Two players at two games, in two currencies, with three ids for everything."""

    def __init__(self, callers: Callers) -> None:
        super().__init__()
        self.parties = (callers.game, callers.other_game)
        self.players = [callers.player() for _ in range(2)]
        self.model = Model()
        self.prefix = unique("m")
        self.player_sessions: dict[Table, PlayerSession] = {}
        self.live: dict[Table, bool] = {}
        self.names: dict[Key, str] = {}
        self.sent: list[tuple[Callable[[Draw], None], Draw]] = []
        for player in range(2):
            for currency in CURRENCIES:
                self.model.purses[player, currency] = Purse()
                for game in range(2):
                    self.sit_down(player, game, currency)
                self.player_sessions[player, 0, currency].adjust("credit", 100_00)
                self.model.credit(player, currency, 100_00)

    def sit_down(self, player: int, game: int, currency: str) -> None:
        place = (player, game, currency)
        self.player_sessions[place] = open_session(self.parties[game], self.players[player], currency)
        self.live[place] = True

    def check(self, key: Key, answer: Answer, said: Said) -> None:
        """The answer is what the model says, and names the transaction as it always did."""
        assert (answer.status, answer.error) == (200, said.code), answer.raw
        if said.balance is None or said.currency is None:
            assert set(answer.body) == {"errorCode", "errorDescription"}
            return
        assert answer.body["balance"] == {
            "amount": to_major(said.balance, DECIMALS[said.currency]),
            "currencyCode": said.currency,
        }
        if said.code is None:
            assert answer.body["mmTransactionId"] == self.prefix + key.id
            assert answer.body["qwTransactionId"] == self.names.setdefault(
                key, answer.body["qwTransactionId"]
            )

    @rule(what=st.sampled_from(WHAT), draw=draws)
    def step(self, what: str, draw: Draw) -> None:
        pending = [key for key, deed in self.model.deeds.items() if deed.state == "pending"]
        if what in ("confirm", "roll_back", "platform_settles") and draw.often and pending:
            key = pending[draw.number % len(pending)]
            draw = draw._replace(table=(key.player, key.game, draw.table[2]), type=key.type, id=key.id)
        getattr(self, what)(draw)

    # --- What games send ----------------------------------------------------------------------------

    def open(self, draw: Draw) -> None:
        self.send(self.send_open, draw)

    def confirm(self, draw: Draw) -> None:
        self.send(self.send_confirm, draw)

    def roll_back(self, draw: Draw) -> None:
        self.send(self.send_roll_back, draw)

    def send_again(self, draw: Draw) -> None:
        if self.sent:
            call, earlier = self.sent[draw.number % len(self.sent)]
            call(earlier)

    def send(self, call: Callable[[Draw], None], draw: Draw) -> None:
        self.sent.append((call, draw))
        call(draw)

    def send_open(self, draw: Draw) -> None:
        currency = "EUR" if draw.seldom else draw.table[2]
        major = str(to_major(draw.amount, DECIMALS[currency]))
        answer = self.player_sessions[draw.table].call(
            CALLS[draw.type][0], self.prefix + draw.id, major, currency=currency
        )
        self.check(
            draw.key,
            answer,
            self.model.open(draw.key, draw.table[2], self.live[draw.table], draw.amount, currency),
        )

    def send_confirm(self, draw: Draw) -> None:
        """Without an amount, with the right one, or with any."""
        deed = self.model.deeds.get(draw.key)
        content = (draw.amount, draw.table[2])
        if draw.often:
            content = (deed.amount, deed.currency) if deed and deed.amount else content
        amount = (
            {}
            if draw.number % 2
            else {"amount": str(to_major(content[0], DECIMALS[content[1]])), "currency": content[1]}
        )
        answer = self.player_sessions[draw.table].call(CALLS[draw.type][1], self.prefix + draw.id, **amount)
        self.check(draw.key, answer, self.model.confirm(draw.key, draw.table[2], content if amount else None))

    def send_roll_back(self, draw: Draw) -> None:
        answer = self.player_sessions[draw.table].call(CALLS[draw.type][2], self.prefix + draw.id)
        self.check(draw.key, answer, self.model.roll_back(draw.key, draw.table[2]))

    def ask(self, draw: Draw) -> None:
        deed = self.model.deeds.get(draw.key)
        answer = self.player_sessions[draw.table].call(
            "queryTransaction", self.prefix + draw.id, type=draw.type
        )
        if deed is None:
            self.check(draw.key, answer, self.model.refused(106, draw.key, draw.table[2]))
            return
        amount = (
            None
            if deed.amount is None
            else {"amount": to_major(deed.amount, DECIMALS[deed.currency]), "currencyCode": deed.currency}
        )
        assert (answer.body["state"], answer.body["amount"], answer.body["settledAt"] is None) == (
            deed.state,
            amount,
            deed.state == "pending",
        )

    def look(self, draw: Draw) -> None:
        for endpoint in ("getBalance", "verifySession"):
            answer = self.player_sessions[draw.table].call(endpoint)
            if self.live[draw.table]:
                assert answer.balance == str(
                    to_major(
                        self.model.purses[draw.table[0], draw.table[2]].spendable, DECIMALS[draw.table[2]]
                    )
                )
            else:
                assert answer.error == 102

    def use_a_wrong_token(self, draw: Draw) -> None:
        """Another game's, or one that never was: unknown, and nothing happens."""
        player_session = self.player_sessions[draw.table]
        player_session = (
            replace(player_session, caller=self.parties[1 - draw.table[1]].caller)
            if draw.often
            else replace(player_session, token=str(uuid.uuid4()))
        )
        assert player_session.call(CALLS[draw.type][draw.number % 3], self.prefix + draw.id, "1").error == 102

    # --- What else happens --------------------------------------------------------------------------

    def end_session(self, draw: Draw) -> None:
        self.player_sessions[draw.table].end()
        self.live[draw.table] = False

    def launch_again(self, draw: Draw) -> None:
        if draw.table[0] not in self.model.barred:
            self.sit_down(*draw.table)

    def set_status(self, draw: Draw) -> None:
        player, status = draw.table[0], STATUSES[draw.number % len(STATUSES)]
        self.player_sessions[player, 0, "XAG"].block(status)
        (self.model.barred.discard if status == "active" else self.model.barred.add)(player)

    def platform_settles(self, draw: Draw) -> None:
        deed, event = self.model.deeds.get(draw.key), EVENTS[draw.number % len(EVENTS)]
        if deed is not None and deed.state == "pending":
            answer = self.player_sessions[draw.table].resolve(self.prefix + draw.id, event, draw.type)
            self.model.finish(draw.key, deed, event, by_game=False)
            assert (answer.outcome, answer.balance, answer.currency) == (event, deed.settled, deed.currency)

    def credit(self, draw: Draw) -> None:
        amount = 10**18 - 1 if draw.seldom else draw.amount
        assert self.adjusts(draw.table, "credit", amount, False) == self.model.credit(
            draw.table[0], draw.table[2], amount
        )

    def debit(self, draw: Draw) -> None:
        amount = draw.amount if draw.amount < 10**16 else 300_00
        assert self.adjusts(draw.table, "debit", amount, draw.often) == self.model.debit(
            draw.table[0], draw.table[2], amount, draw.often
        )

    def correct(self, draw: Draw) -> None:
        """An operator settles a discrepancy as the game says."""
        known = sorted(self.model.discrepancies)
        if not known:
            return
        key, kind = known[draw.number % len(known)]
        [row] = Discrepancy.objects.filter(
            player=self.players[key.player],
            kind=kind,
            transaction=self.player_sessions[key.player, key.game, "XAG"].transaction(
                self.prefix + key.id, key.type
            ),
        )
        try:
            answer = correct_discrepancy(
                row, transaction_id=uuid.uuid4(), operator=adjuster(), reason="it says so"
            )
            is_done = answer.outcome == "corrected"
        except LedgerRefused:
            is_done = False
        assert is_done == self.model.correct(key, kind)

    def fall_into_debt(self, draw: Draw) -> None:
        amount = self.model.purses[draw.table[0], draw.table[2]].spendable + 50_00
        if amount <= 10**17:
            assert self.adjusts(draw.table, "debit", amount, True) == self.model.debit(
                draw.table[0], draw.table[2], amount, True
            )

    def adjusts(self, table: Table, type: str, amount: int, into_debt: bool) -> bool:
        try:
            self.player_sessions[table].adjust(type, amount, into_debt=into_debt)
        except LedgerRefused as refused:
            if refused.outcome != ("limit_reached" if type == "credit" else "insufficient_funds"):
                raise
            return False
        return True

    def gate(self, draw: Draw) -> None:
        purse, wallet = (
            self.model.purses[draw.table[0], draw.table[2]],
            self.player_sessions[draw.table].wallet(),
        )
        limit, frozen = draw.other_amount if draw.often else None, draw.seldom
        assert limit_withdrawals(wallet, most=limit, actor="test", reason="test", is_approved=True) == (
            purse.limit != limit
        )
        assert (freeze_wallet if frozen else unfreeze_wallet)(wallet, actor="test", reason="test") == (
            purse.frozen != frozen
        )
        purse.limit, purse.frozen = limit, frozen

    # --- What always holds --------------------------------------------------------------------------

    @invariant()
    def wallets_hold_what_the_model_holds(self) -> None:
        columns = ("player_id", "currency_id", "spendable", "reserved", "announced", "debt")
        held = {
            (player, currency): amounts
            for player, currency, *amounts in Wallet.objects.filter(player__in=self.players).values_list(
                *columns
            )
        }
        assert held == {
            (self.players[player].pk, currency): [
                purse.spendable,
                purse.reserved,
                purse.announced,
                purse.debt,
            ]
            for (player, currency), purse in self.model.purses.items()
        }

    @invariant()
    def the_ledger_is_sound(self) -> None:
        assert problems_of(*self.players) == []

    def teardown(self) -> None:
        recorded = {
            (row.transaction.mm_transaction_id, row.kind, self.players.index(row.player), row.times_seen)
            for row in Discrepancy.objects.filter(player__in=self.players).select_related(
                "transaction", "player"
            )
        }
        assert recorded == {
            (self.prefix + key.id, kind, key.player, times)
            for (key, kind), times in self.model.discrepancies.items()
        }


def test_model__every_answer_and_balance_is_its_own_in_any_order(callers: Callers) -> None:
    run_state_machine_as_test(
        partial(Machine, callers),  # type: ignore[arg-type]
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=PHASES,
        ),
    )


def test_model__a_wrong_one_is_noticed_by_the_machine(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test that cannot fail is none: with a debt that rollbacks do not repay, the machine finds the
    difference.
    """

    def receive(self: Purse, amount: int) -> None:
        self.spendable += amount

    monkeypatch.setattr(Purse, "receive", receive)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            partial(Machine, callers),  # type: ignore[arg-type]
            settings=settings(
                max_examples=100,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
                phases=[Phase.generate],
            ),
        )
