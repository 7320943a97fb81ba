"""Replays one wallet from its entries and says where a row is not what the rules make of it."""

from typing import NamedTuple

from wallet.chain import START, EntryRow, TransactionRow, ending, entry_hash, opening

# Per type and event: what is debited, what is credited, and by how many times the amount the announced money changes.
MOVES: dict[tuple[str, str], tuple[str | None, str | None, int]] = {
    ("withdrawal", "opened"): ("spendable", "reserved", 0),
    ("withdrawal", "confirmed"): ("reserved", "game_revenue", 0),
    ("withdrawal", "rolled_back"): ("reserved", "spendable", 0),
    ("withdrawal", "expired"): ("reserved", "spendable", 0),
    ("deposit", "opened"): (None, None, 1),
    ("deposit", "confirmed"): ("game_payout", "spendable", -1),
    ("deposit", "rolled_back"): (None, None, -1),
    ("deposit", "expired"): (None, None, -1),
    ("credit", "adjusted"): ("adjustments", "spendable", 0),
}
NOTHING = (None, None, 0)
# What a debit by an operator takes: first what is spendable, then it becomes debt.
DEBITS = (("spendable", "adjustments", 0), ("debt", "adjustments", 0))
SETTLING = frozenset({"confirmed", "rolled_back", "expired"})
PLAYER_ACCOUNTS = ("spendable", "reserved", "debt")


class WalletRow(NamedTuple):
    """A wallet's present state; amounts in minor units, times in microseconds."""

    player_id: str
    wallet_id: str
    currency: str
    spendable: int
    reserved: int
    announced: int
    debt: int
    entry_count: int
    head: bytes
    frozen_at: int | None
    withdrawal_limit: int | None
    opened_at: int


class Replay:
    """A wallet's state as its entries make it. `problems` tells what was wrong, in the order of the entries."""

    def __init__(self, wallet: WalletRow) -> None:
        self.wallet = wallet
        self.seq = 0
        self.head = START
        self.balances = {"spendable": 0, "reserved": 0, "announced": 0, "debt": 0}
        self.frozen_at: int | None = None
        self.withdrawal_limit: int | None = None
        self.before: EntryRow | None = None
        self.adjusted = 0
        self.opened = 0
        self.settled = 0
        self.problems: list[str] = []

    def expect(self, right: bool, what: str) -> None:
        """Writes down a problem of the present entry, or of the wallet's own row."""
        if not right:
            self.problems.append(f"wallet {self.wallet.wallet_id} entry {self.seq}: {what}")

    def apply(self, e: EntryRow, t: TransactionRow | None) -> None:
        """Checks the next entry of the wallet, with the transaction it names."""
        self.expect(e.seq == self.seq + 1, f"the running number is {e.seq}, not {self.seq + 1}")
        self.seq = e.seq
        self.expect(e.version == 1, f"format {e.version} is unknown")
        self.expect((e.transaction_id is None) == (t is None), f"its transaction {e.transaction_id} does not exist")
        self.move(e, t)
        subject = self.check_wallet_event(e) if t is None else self.check_transaction(e, t)
        self.expect(e.hash == entry_hash(self.head, e, subject), "the hash does not fit the entry, its transaction and the entry before")
        self.head = e.hash
        self.before = e

    def move(self, e: EntryRow, t: TransactionRow | None) -> None:
        """Moves the balances as the event should, and compares with what the entry says."""
        rule = self.rule(e, t)
        self.expect((e.debit, e.credit) == rule[:2], f"{e.event} moved {e.debit} to {e.credit}, not {rule[0]} to {rule[1]}")
        amount = e.amount or 0
        after = self.balances
        after["announced"] += rule[2] * amount
        for account, sign in ((e.debit, -1), (e.credit, 1)):
            if account in PLAYER_ACCOUNTS:
                after[account] += -sign * amount if account == "debt" else sign * amount
        said = {"spendable": e.spendable, "reserved": e.reserved, "announced": e.announced, "debt": e.debt}
        self.expect(said == after, f"the balances after it are {said}, replayed they are {after}")
        self.expect(min(after.values()) >= 0, "a balance is negative")
        # Go on from what the entry says, so that one wrong row is one problem.
        self.balances = said

    def rule(self, e: EntryRow, t: TransactionRow | None) -> tuple[str | None, str | None, int]:
        """What the event moves."""
        if e.event == "debt_repaid":
            return ("spendable", "debt", 0)
        if t is None or e.event in ("declined", "tombstone", "rollback_noted"):
            return NOTHING
        if (t.type, e.event) == ("debit", "adjusted"):
            return DEBITS[1] if e.debit == "debt" else DEBITS[0]
        return MOVES.get((t.type, e.event), ("no such event", "no such event", 0))

    def check_wallet_event(self, e: EntryRow) -> bytes | None:
        """An entry of no transaction. Returns what else its hash covers."""
        if e.event == "wallet_opened":
            self.expect(e.seq == 1 and e.at == self.wallet.opened_at, "the wallet was not opened then")
            return self.wallet.currency.encode()
        self.expect(e.seq > 1, "the first entry is not the wallet's opening")
        self.expect(e.event in ("frozen", "unfrozen", "limit_set"), f"{e.event} names no transaction")
        if e.event == "frozen":
            self.frozen_at = e.at
        elif e.event == "unfrozen":
            self.frozen_at = None
        else:
            self.withdrawal_limit = e.amount
        return None

    def check_transaction(self, e: EntryRow, t: TransactionRow) -> bytes | None:
        """An entry of a transaction. Returns what else its hash covers."""
        self.expect((t.player_id, t.wallet_id) == (e.player_id, e.wallet_id), f"transaction {t.id} is of another wallet")
        self.settled += t.settled_seq == e.seq
        if e.event == "debt_repaid":
            follows = self.before is not None and self.before.transaction_id == t.id
            self.expect(follows and t.settled_seq == e.seq, f"transaction {t.id} did not repay debt here")
            return None
        if e.event == "adjusted":
            return self.check_adjustment(e, t)
        if e.event in ("opened", "declined", "tombstone"):
            return self.check_opening(e, t)
        self.check_ending(e, t)
        return ending(t)

    def check_opening(self, e: EntryRow, t: TransactionRow) -> bytes:
        self.opened += 1
        opened = (t.opened_seq, t.opened_at, t.amount, t.actor) == (e.seq, e.at, e.amount, e.actor)
        self.expect(opened, f"transaction {t.id} was not opened so")
        if e.event == "tombstone":
            ended = (t.state, t.settled_seq, t.settled_at, t.settled_actor) == ("rolled_back", e.seq, e.at, e.actor)
            self.expect(ended and t.amount is None, f"transaction {t.id} is no tombstone")
            return opening(t) + ending(t)
        self.expect(t.amount is not None, f"transaction {t.id} has no amount")
        if t.settled_seq is None:
            self.expect(t.settled_source == t.settled_actor == t.reason == "", f"transaction {t.id} is not settled and says by whom")
        if e.event == "declined":
            self.expect(t.state == "declined" and t.settled_at == e.at and t.refusal != "", f"transaction {t.id} is {t.state}, not declined")
        else:
            unsettled = t.settled_seq is None and t.settled_at is None
            fits = t.state in SETTLING if not unsettled else t.state == "pending"
            self.expect(fits and t.due_at is not None and t.refusal == "", f"transaction {t.id} is {t.state} without the entry for it")
        return opening(t)

    def check_ending(self, e: EntryRow, t: TransactionRow) -> None:
        state = "declined" if e.event == "rollback_noted" else e.event
        settled_at = t.opened_at if e.event == "rollback_noted" else e.at
        said = (t.state, t.settled_at, t.amount, t.settled_actor)
        self.expect(said == (state, settled_at, e.amount, e.actor), f"transaction {t.id} did not end so: {e.event}")
        # Debt that is repaid at once is one entry more, and the answer's.
        self.expect(t.settled_seq in (e.seq, e.seq + 1), f"transaction {t.id} was settled by entry {t.settled_seq}")

    def check_adjustment(self, e: EntryRow, t: TransactionRow) -> bytes:
        first = t.opened_seq == e.seq
        self.opened += first
        self.adjusted = (e.amount or 0) if first else self.adjusted + (e.amount or 0)
        said = (t.state, t.opened_at, t.settled_at, t.actor, t.settled_actor, t.refusal)
        self.expect(said == ("confirmed", e.at, e.at, e.actor, e.actor, ""), f"transaction {t.id} was not adjusted so")
        if t.type == "credit" or t.settled_seq == e.seq:
            self.expect(self.adjusted == t.amount, f"transaction {t.id} moved {self.adjusted}, not {t.amount}")
        return opening(t) + ending(t)

    def finish(self) -> None:
        """Compares the wallet's own row with its replay."""
        w = self.wallet
        said = {"spendable": w.spendable, "reserved": w.reserved, "announced": w.announced, "debt": w.debt}
        self.expect(said == self.balances, f"the wallet says {said}, its last entry {self.balances}")
        self.expect(w.entry_count == self.seq, f"the wallet counts {w.entry_count} entries, there are {self.seq}")
        self.expect(w.head == self.head, "the wallet's head is not its last entry's hash")
        self.expect(w.frozen_at == self.frozen_at, "the wallet's freeze is not what its entries say")
        self.expect(w.withdrawal_limit == self.withdrawal_limit, "the wallet's limit is not what its entries say")
