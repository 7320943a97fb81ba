"""A player's session in a game, and the calls that the game makes with its token."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from clients.kit.calls import Calls, new_id
from clients.kit.expectations import Unmet, expect
from clients.kit.parties import Login
from clients.kit.wire import Answer

THREE_MEMBERS = frozenset({"mmTransactionId", "qwTransactionId", "balance"})


@dataclass(frozen=True)
class Session:
    """A player with a token in one game and one currency; `launched` is the answer that began it."""

    calls: Calls
    game: Login
    uid: str
    token: str
    currency: str
    launched: Answer

    def call(
        self,
        endpoint: str,
        mm: str | None = None,
        amount: str | Decimal | None = None,
        *,
        currency: str | None = None,
        caller: Login | None = None,
        **extra: Any,
    ) -> Answer:
        """A call of the wallet API. An amount is sent with its own digits, or as the `Literal` that it is."""
        payload: dict[str, object] = {"token": self.token}
        if mm is not None:
            payload["mmTransactionId"] = mm
        if amount is not None:
            number = Decimal(amount) if type(amount) is str else amount
            payload["amount"] = {"amount": number, "currencyCode": currency or self.currency}
        return self.calls.post(f"/wallet/{endpoint}", payload | extra, caller=caller or self.game)

    def accept(
        self, endpoint: str, mm: str | None = None, amount: str | Decimal | None = None, **extra: Any
    ) -> Answer:
        """A call that must succeed; of the six that open and settle, with the partner's three members."""
        answer = self.calls.accepted(endpoint, self.call(endpoint, mm, amount, **extra))
        if mm is not None and endpoint != "queryTransaction":
            expect_members(endpoint, mm, answer)
        if "balance" in answer.body:
            expect(
                f"{endpoint}: balance.currencyCode", self.currency, answer.body["balance"].get("currencyCode")
            )
            answer.money()
        return answer

    def refuse(
        self,
        code: int,
        endpoint: str,
        mm: str | None = None,
        amount: str | Decimal | None = None,
        **extra: Any,
    ) -> Answer:
        """A call that must be refused with `code`."""
        answer = self.call(endpoint, mm, amount, **extra)
        return self.calls.refused(endpoint, code, answer)

    def fund(self, amount: str) -> None:
        """Gives the player money, as a game does."""
        mm = new_id("fund")
        self.accept("deposit", mm, amount)
        self.accept("confirmDeposit", mm, amount)

    def opened(self, endpoint: str, amount: str) -> str:
        """The id of a transaction that is opened by this call."""
        mm = new_id()
        self.accept(endpoint, mm, amount)
        return mm

    def spendable(self) -> Decimal:
        return self.accept("getBalance").money()

    def expect_spendable(self, amount: str) -> None:
        """The wallet holds exactly that."""
        expect("The spendable balance", Decimal(amount), self.spendable(), "2.1")

    def holding(self) -> Answer:
        """What the web front sees of the wallet."""
        asked = {"uid": self.uid, "currencyCode": self.currency}
        return self.calls.accepted("balance", self.calls.front("/entry/balance", asked))

    def expect_reserved(self, amount: str) -> None:
        expect("The reserved balance", Decimal(amount), self.holding().money("reserved"), "2.1")

    def expect_holding(self, spendable: str, reserved: str) -> None:
        """The wallet holds exactly that; asked by the web front, so that the session need not live."""
        seen = self.holding()
        expect("The spendable balance afterwards", Decimal(spendable), seen.money(), "2.1")
        expect("The reserved balance afterwards", Decimal(reserved), seen.money("reserved"), "2.1")

    def end(self) -> None:
        """The web front ends the session."""
        self.calls.accepted("endSession", self.calls.front("/entry/endSession", {"token": self.token}))

    def set_status(self, status: str) -> None:
        self.calls.accepted("PUT /entry/players", self.calls.put_player(self.uid, status=status))


def expect_members(endpoint: str, mm: str, answer: Answer) -> None:
    """The partner's answer to the calls that open and settle (contract 2)."""
    missing = THREE_MEMBERS - answer.body.keys()
    expect(f"{endpoint}: missing members", set(), set(missing), "2")
    expect(f"{endpoint}: mmTransactionId", mm, answer.body["mmTransactionId"], "2")
    given = answer.body["qwTransactionId"]
    try:
        uuid.UUID(given)
    except (ValueError, TypeError, AttributeError):
        raise Unmet(f"{endpoint}: qwTransactionId", "a UUID", repr(given), "2") from None
