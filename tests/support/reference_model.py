"""What the platform should do, as small as it can be said (contract 2.1 to 2.3).

One thing at a time, in memory. Amounts in minor units.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

BOUND = 10**18


class Said(NamedTuple):
    """An answer: an error code or none, and the balance and its currency where one is shown."""

    code: int | None
    balance: int | None = None
    currency: str | None = None


class Key(NamedTuple):
    """What an id names, for ever: one withdrawal or deposit within one game and one player."""

    player: int
    game: int
    type: str
    id: str


@dataclass
class Purse:
    """A wallet."""

    spendable: int = 0
    reserved: int = 0
    announced: int = 0
    debt: int = 0
    limit: int | None = None
    frozen: bool = False

    def receive(self, amount: int) -> None:
        """Debt is paid first by every increase of what is spendable."""
        repaid = min(self.debt, amount)
        self.debt -= repaid
        self.spendable += amount - repaid


@dataclass
class Deed:
    """A transaction and the balances that its answers showed."""

    currency: str
    amount: int | None
    state: str
    opened: int
    settled: int | None = None
    refusal: int | None = None
    by_game: bool = True


@dataclass
class Model:
    """Players and games are numbers here; the machine knows which real ones they are."""

    purses: dict[tuple[int, str], Purse] = field(default_factory=dict)
    deeds: dict[Key, Deed] = field(default_factory=dict)
    barred: set[int] = field(default_factory=set)
    discrepancies: dict[tuple[Key, str], int] = field(default_factory=dict)
    corrected: set[tuple[Key, str]] = field(default_factory=set)

    # --- What a game calls --------------------------------------------------------------------------

    def open(self, key: Key, currency_of_session: str, live: bool, amount: int, currency: str) -> Said:
        deed = self.deeds.get(key)
        if deed is not None:
            return self.open_again(key, deed, amount, currency)
        purse = self.purses[key.player, currency_of_session]
        withdrawal = key.type == "withdrawal"
        if withdrawal and not live:
            return Said(102)
        if currency != currency_of_session:
            return self.refused(105, key, currency_of_session)
        if withdrawal and (key.player in self.barred or purse.frozen):
            return self.refused(103, key, currency_of_session)
        refusal = self.refusal_for_money(purse, withdrawal, amount)
        if refusal:
            self.deeds[key] = Deed(currency, amount, "declined", purse.spendable, refusal=refusal)
            return Said(refusal, purse.spendable, currency)
        if withdrawal:
            purse.spendable -= amount
            purse.reserved += amount
        else:
            purse.announced += amount
        self.deeds[key] = Deed(currency, amount, "pending", purse.spendable)
        return Said(None, purse.spendable, currency)

    def refused(self, code: int, key: Key, currency: str) -> Said:
        """A refusal shows what is spendable now."""
        return Said(code, self.purses[key.player, currency].spendable, currency)

    def open_again(self, key: Key, deed: Deed, amount: int, currency: str) -> Said:
        if deed.state in ("rolled_back", "expired"):
            return self.refused(108 if deed.state == "rolled_back" else 109, key, deed.currency)
        if (deed.amount, deed.currency) != (amount, currency):
            return self.refused(110, key, deed.currency)
        return Said(deed.refusal, deed.opened, deed.currency)

    def refusal_for_money(self, purse: Purse, withdrawal: bool, amount: int) -> int | None:
        if not withdrawal:
            return 111 if purse.spendable + purse.reserved + purse.announced + amount >= BOUND else None
        if purse.limit is not None and amount > purse.limit:
            return 111
        return 104 if amount > purse.spendable else None

    def confirm(self, key: Key, currency_of_session: str, content: tuple[int, str] | None) -> Said:
        deed = self.deeds.get(key)
        if deed is None or deed.state == "declined":
            return self.refused(106, key, deed.currency if deed else currency_of_session)
        if deed.state in ("rolled_back", "expired"):
            if deed.state == "expired" or not deed.by_game:
                self.note(key, "confirm_of_returned")
            return self.refused(108 if deed.state == "rolled_back" else 109, key, deed.currency)
        if deed.state == "confirmed" and (key, "rollback_of_confirmed") in self.corrected:
            self.note(key, "confirm_of_returned")
        if content and content != (deed.amount, deed.currency):
            return self.refused(110, key, deed.currency)
        if deed.state == "pending":
            self.finish(key, deed, "confirmed", by_game=True)
        return Said(None, deed.settled, deed.currency)

    def roll_back(self, key: Key, currency_of_session: str) -> Said:
        deed = self.deeds.get(key)
        if deed is None:
            balance = self.purses[key.player, currency_of_session].spendable
            deed = self.deeds[key] = Deed(currency_of_session, None, "rolled_back", balance, settled=balance)
            if any(
                other.player != key.player and other[1:] == key[1:] and self.deeds[other].state == "pending"
                for other in self.deeds
            ):
                self.note(key, "tombstone_elsewhere")
        elif deed.state == "confirmed":
            if not deed.by_game:
                self.note(key, "rollback_of_confirmed")
            return self.refused(107, key, deed.currency)
        elif deed.state == "pending":
            self.finish(key, deed, "rolled_back", by_game=True)
        elif (key, "confirm_of_returned") in self.corrected:
            self.note(key, "rollback_of_confirmed")
        elif deed.settled is None:  # declined, and rolled back for the first time
            deed.settled = self.purses[key.player, deed.currency].spendable
        return Said(None, deed.settled, deed.currency)

    # --- What the platform does ---------------------------------------------------------------------

    def finish(self, key: Key, deed: Deed, event: str, *, by_game: bool) -> None:
        purse, amount = self.purses[key.player, deed.currency], deed.amount or 0
        if key.type == "withdrawal":
            purse.reserved -= amount
        else:
            purse.announced -= amount
        if (key.type == "withdrawal") != (event == "confirmed"):
            purse.receive(amount)
        deed.state, deed.settled, deed.by_game = event, purse.spendable, by_game

    def correct(self, key: Key, kind: str) -> bool:
        """An operator books a discrepancy as the game says."""
        deed = self.deeds[key]
        if (key, kind) in self.corrected or kind == "tombstone_elsewhere":
            return False
        if (kind == "confirm_of_returned") == (key.type == "withdrawal"):
            self.debit(key.player, deed.currency, deed.amount or 0, into_debt=True)
        elif not self.credit(key.player, deed.currency, deed.amount or 0):
            return False
        self.corrected.add((key, kind))
        return True

    def credit(self, player: int, currency: str, amount: int) -> bool:
        purse = self.purses[player, currency]
        if purse.spendable + purse.reserved + purse.announced + amount >= BOUND:
            return False
        purse.receive(amount)
        return True

    def debit(self, player: int, currency: str, amount: int, into_debt: bool) -> bool:
        purse = self.purses[player, currency]
        if amount > purse.spendable and not into_debt:
            return False
        found = min(amount, purse.spendable)
        purse.spendable -= found
        purse.debt += amount - found
        return True

    def note(self, key: Key, kind: str) -> None:
        self.discrepancies[key, kind] = self.discrepancies.get((key, kind), 0) + 1
