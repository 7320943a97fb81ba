"""Replays one wallet from its entries and says where a row is not what the rules make of it."""

from collections.abc import Iterable
from typing import NamedTuple

from wallet.audit.hash_chain import (
    START,
    VERSIONS,
    EntryRow,
    TransactionRow,
    ending,
    entry_hash,
    opening,
)
from wallet.audit.problems import Problem, problem
from wallet.audit.words import account_name, balances, limit, movement
from wallet.currencies import show_amount

# Per type and event: what is debited, what is credited, and by how many times the amount the announced money
# changes.
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
    ("write_off", "adjusted"): ("write_off", "debt", 0),
    ("late_deposit", "adjusted"): ("game_payout", "spendable", 0),
    ("withdrawal_back", "adjusted"): ("game_revenue", "spendable", 0),
    ("payment", "posted"): ("provider_clearing", "issuance", 0),
    ("sale", "posted"): ("provider_clearing", "game_revenue", 0),
    ("payment_return", "posted"): ("issuance", "provider_clearing", 0),
    ("sale_return", "posted"): ("game_revenue", "provider_clearing", 0),
    ("top_up", "posted"): ("issuance", "spendable", 0),
    ("set_aside", "opened"): ("spendable", "reserved", 0),
    ("set_aside", "confirmed"): ("reserved", "issuance", 0),
    ("set_aside", "rolled_back"): ("reserved", "spendable", 0),
}
NOTHING = (None, None, 0)
# What takes more than there is: first what is spendable, then it becomes debt. By type and event, the account
# that gets it.
TAKING = {
    ("debit", "adjusted"): "adjustments",
    ("late_withdrawal", "adjusted"): "game_revenue",
    ("deposit_back", "adjusted"): "game_payout",
    ("clawback", "posted"): "issuance",
}
PLAYER_ACCOUNTS = ("spendable", "reserved", "debt")
# Spendable, reserved and announced money together stay below (contract 1, Amounts).
BOUND = 10**18
KEPT_PROBLEMS = 20


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
    # Since when the player has had limits; marks have no need of it.
    limited_at: int | None = None


class Mark(NamedTuple):
    """A wallet's row as it was when its journal up to there was found right.

    `pending`: the ids of the transactions that were. `is_base`: whether what it had moved is summed up in the
    audit that is under way, so that this goes on from there.
    """

    wallet: WalletRow
    pending: list[str]
    is_base: bool


class Replay:
    """A wallet's state as its entries make it.

    `problems` holds the first that were wrong, in the order of the entries. The keys of a wallet that
    does not change must stay the same: an operator may have accepted what they stand for.
    """

    def __init__(self, wallet: WalletRow, mark: Mark | None = None) -> None:
        self.wallet = wallet
        # The entry up to which it was found right before, and that entry's hash.
        self.mark = mark
        self.marked_seq = mark.wallet.entry_count if mark else None
        self.seq = self.applied = 0
        self.head = START
        self.balances = {"spendable": 0, "reserved": 0, "announced": 0, "debt": 0}
        self.frozen_at: int | None = None
        self.withdrawal_limit: int | None = None
        self.before: EntryRow | None = None
        self.adjusted = 0
        # What the next entry has to take for the player's debt, in minor units.
        self.owed = 0
        # Transactions that say that they are settled, by an entry still to come.
        self.unended: dict[str, TransactionRow] = {}
        # Transactions that are opened, and have not ended.
        self.pending: set[str] = set()
        self.problem_count = 0
        self.problems: list[Problem] = []

    def found(self, key: str, words: str = "") -> None:
        """Writes down a problem of the present entry."""
        self.note(f"entry {self.seq}: {key}", f"entry {self.seq}: {words or key}")

    def note(self, key: str, words: str = "") -> None:
        self.problem_count += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem(key, words))

    def show(self, minor: int) -> str:
        """An amount of the wallet's currency."""
        return show_amount(minor, self.wallet.currency)

    def resume(self, mark: Mark, settled: Iterable[TransactionRow]) -> None:
        """Goes on after what was found right. Of what was pending then, `settled` no longer is."""
        was = mark.wallet
        self.seq, self.head = was.entry_count, was.head
        self.balances = {
            "spendable": was.spendable,
            "reserved": was.reserved,
            "announced": was.announced,
            "debt": was.debt,
        }
        self.frozen_at, self.withdrawal_limit = was.frozen_at, was.withdrawal_limit
        self.pending = set(mark.pending)
        self.unended = {t.id: t for t in settled}

    def apply(self, e: EntryRow, t: TransactionRow | None) -> None:
        """Checks the next entry of the wallet, with the transaction it names."""
        expected = self.seq + 1
        self.seq = e.seq
        self.applied += 1
        if e.seq != expected:
            self.found(
                f"the running number is {e.seq}, not {expected}",
                f"the running number should be {expected}, is {e.seq}",
            )
        if e.version not in VERSIONS:
            self.found(f"format {e.version} is unknown")
        if t is None and e.transaction_id is not None:
            self.found(f"its transaction {e.transaction_id} does not exist")
        self.move(e, t)
        subject = self.check_wallet_event(e) if t is None else self.check_transaction(e, t)
        if e.hash != entry_hash(self.head, e, subject):
            self.found("the hash does not fit the entry, its transaction and the entry before")
        if e.seq == self.marked_seq and self.mark and e.hash != self.mark.wallet.head:
            self.found("it, or an entry before it, is not what was audited before")
        self.head = e.hash
        self.before = e

    def move(self, e: EntryRow, t: TransactionRow | None) -> None:
        """Moves the balances as the event should, and compares with what the entry says."""
        rule = self.rule(e, t)
        if (e.debit, e.credit) != rule[:2]:
            self.found(
                f"{e.event} moved {e.debit} to {e.credit}, not {rule[0]} to {rule[1]}",
                f"{account_name(e.event)} should move {movement(*rule[:2])}, "
                f"moved {movement(e.debit, e.credit)}",
            )
        amount = e.amount or 0
        after = self.balances
        if rule[2]:
            after["announced"] += rule[2] * amount
        if e.debit in PLAYER_ACCOUNTS:
            after[e.debit] += amount if e.debit == "debt" else -amount
        if e.credit in PLAYER_ACCOUNTS:
            after[e.credit] += -amount if e.credit == "debt" else amount
        said = {"spendable": e.spendable, "reserved": e.reserved, "announced": e.announced, "debt": e.debt}
        if said != after:
            self.found(
                f"the balances after it are {said}, replayed they are {after}",
                balances(said, after, self.wallet.currency),
            )
        if min(after.values()) < 0:
            self.found("a balance is negative")
        # Go on from what the entry says, so that one wrong row is one problem.
        self.balances = said
        self.check_repayment(e, amount)

    def rule(self, e: EntryRow, t: TransactionRow | None) -> tuple[str | None, str | None, int]:
        """What the event moves."""
        if e.event == "debt_repaid":
            return ("spendable", "debt", 0)
        if t is None or e.event in ("declined", "tombstone", "rollback_noted"):
            return NOTHING
        if taker := TAKING.get((t.type, e.event)):
            return ("debt" if e.debit == "debt" else "spendable", taker, 0)
        return MOVES.get((t.type, e.event), ("no such event", "no such event", 0))

    def check_repayment(self, e: EntryRow, amount: int) -> None:
        """Debt is paid first by every increase of the spendable balance (contract 2.1)."""
        repaid = amount if e.event == "debt_repaid" else 0
        if repaid != self.owed:
            self.found(
                f"{repaid} minor units of debt were repaid, not {self.owed}",
                f"debt repaid should be {self.show(self.owed)}, is {self.show(repaid)}",
            )
        self.owed = min(e.debt, amount) if e.credit == "spendable" else 0

    def check_wallet_event(self, e: EntryRow) -> bytes | None:
        """An entry of no transaction. Returns what else its hash covers."""
        if e.event == "wallet_opened":
            if e.seq != 1 or e.at != self.wallet.opened_at:
                self.found("the wallet was not opened then", "the wallet was opened at another time")
            return self.wallet.currency.encode()
        if e.seq <= 1:
            self.found("the first entry is not the wallet's opening")
        if e.event == "frozen":
            self.frozen_at = e.at
        elif e.event == "unfrozen":
            self.frozen_at = None
        elif e.event == "limit_set":
            self.withdrawal_limit = e.amount
        else:
            self.found(f"{e.event} names no transaction")
        return None

    def check_transaction(self, e: EntryRow, t: TransactionRow) -> bytes | None:
        """An entry of a transaction. Returns what else its hash covers."""
        if (t.player_id, t.wallet_id) != (e.player_id, e.wallet_id):
            self.found(f"transaction {t.id} is of another wallet")
        self.check_answers(e, t)
        if e.event == "debt_repaid":
            if self.before is None or self.before.transaction_id != t.id or t.settled_seq != e.seq:
                self.found(f"transaction {t.id} did not repay debt here")
            return None
        if e.event in ("adjusted", "posted"):
            return self.check_posting(e, t)
        if e.event in ("opened", "declined", "tombstone"):
            return self.check_opening(e, t)
        self.check_ending(e, t)
        return ending(t)

    def check_answers(self, e: EntryRow, t: TransactionRow) -> None:
        """The balances that repeated calls are answered with are those after the entries.

        None are kept of old transactions, and of what nobody asks again.
        """
        if e.seq == t.opened_seq:
            is_asked = e.event in ("opened", "declined") and t.type in ("withdrawal", "deposit")
            self.check_answer_kept(t, "opening", t.opened_balance, e.spendable if is_asked else None)
        if e.seq == t.settled_seq:
            self.check_answer_kept(t, "settlement", t.settled_balance, e.spendable)
        elif t.settled_seq is None:
            self.check_answer_kept(t, "settlement", t.settled_balance, None)

    def check_answer_kept(self, t: TransactionRow, what: str, kept: int | None, right: int | None) -> None:
        if kept is not None and kept != right:
            self.found(
                f"the {what} of transaction {t.id} is answered with {kept}, not {right}",
                f"the balance that answers the {what} of transaction {t.id} should be "
                f"{'none' if right is None else self.show(right)}, is {self.show(kept)}",
            )

    def check_opening(self, e: EntryRow, t: TransactionRow) -> bytes:
        if (t.opened_seq, t.opened_at, t.amount, t.actor) != (e.seq, e.at, e.amount, e.actor):
            self.found(
                f"transaction {t.id} was not opened so",
                f"the time, amount or actor of transaction {t.id} is not what it was opened with",
            )
        if e.event == "tombstone":
            if (t.state, t.settled_seq, t.settled_at, t.settled_actor, t.amount) != (
                "rolled_back",
                e.seq,
                e.at,
                e.actor,
                None,
            ):
                self.found(
                    f"transaction {t.id} is no tombstone",
                    f"transaction {t.id} should be rolled back without an amount, from the beginning",
                )
            return opening(t, e.version) + ending(t)
        if t.settled_seq is not None:
            self.unended[t.id] = t
        else:
            present = ("declined", e.at) if e.event == "declined" else ("pending", None)
            if e.event == "opened":
                self.pending.add(t.id)
            if (t.state, t.settled_at, t.settled_source, t.settled_actor, t.reason) != (*present, "", "", ""):
                self.found(f"transaction {t.id} is {t.state} without the entry for it")
        # What is set aside for a refund waits for a provider, not for a game: it is never due.
        is_never_due = e.event == "declined" or t.type == "set_aside"
        if (t.refusal, t.due_at is None) != (self.refusal(e, t), is_never_due):
            decided = f"declined ({account_name(t.refusal)})" if t.refusal else "opened"
            self.found(
                f"transaction {t.id} had to be decided otherwise: {t.refusal or 'opened'}",
                f"transaction {t.id} was {decided}, and should not have been",
            )
        return opening(t, e.version)

    def refusal(self, e: EntryRow, t: TransactionRow) -> str:
        """Why the ledger had to decline the transaction that this entry opens; an empty text where it had
        not.
        """
        amount = e.amount or 0
        if t.type == "set_aside":
            return ""
        if t.type != "withdrawal":
            total = e.spendable + e.reserved + e.announced + (amount if e.event == "declined" else 0)
            return "limit_reached" if total >= BOUND else ""
        if self.frozen_at is not None:
            return "refused without a trace"
        if self.withdrawal_limit is not None and amount > self.withdrawal_limit:
            return "limit_reached"
        since = self.wallet.limited_at
        if t.refusal == "limit_reached" and e.event == "declined" and since is not None and e.at >= since:
            # One of the player's limits, which the journal does not have.
            return "limit_reached"
        return "insufficient_funds" if e.event == "declined" and amount > e.spendable else ""

    def check_ending(self, e: EntryRow, t: TransactionRow) -> None:
        state, settled_at = ("declined", t.opened_at) if e.event == "rollback_noted" else (e.event, e.at)
        if (t.state, t.settled_at, t.amount, t.settled_actor) != (state, settled_at, e.amount, e.actor):
            self.found(
                f"transaction {t.id} did not end so: {e.event}",
                f"the end of transaction {t.id} is not what the entry says ({account_name(e.event)})",
            )
        self.unended.pop(t.id, None)
        self.pending.discard(t.id)
        self.check_answer(e, t)

    def check_posting(self, e: EntryRow, t: TransactionRow) -> bytes:
        """An entry of what is opened and settled in one step: an operator's adjustment, or a part of a
        payment.
        """
        first = t.opened_seq == e.seq
        self.adjusted = (e.amount or 0) if first else self.adjusted + (e.amount or 0)
        said = (t.state, t.opened_at, t.settled_at, t.actor, t.settled_actor, t.refusal)
        if said != ("confirmed", e.at, e.at, e.actor, e.actor, ""):
            self.found(
                f"transaction {t.id} was not {e.event} so",
                f"transaction {t.id} is not what the entry says ({e.event})",
            )
        if (t.type, e.event) in TAKING and first and e.debit == "spendable" and t.settled_seq != e.seq:
            # It found too little: the entry that makes debt of the rest follows.
            self.unended[t.id] = t
            return opening(t, e.version) + ending(t)
        self.unended.pop(t.id, None)
        if self.adjusted != t.amount:
            self.found(
                f"transaction {t.id} moved {self.adjusted}, not {t.amount}",
                f"transaction {t.id} should move {show_amount(t.amount, self.wallet.currency)}, "
                f"moved {self.show(self.adjusted)}",
            )
        self.check_answer(e, t)
        return opening(t, e.version) + ending(t)

    def check_answer(self, e: EntryRow, t: TransactionRow) -> None:
        """The stored answer of a settlement is its last entry's: debt that is repaid at once is one more."""
        last = e.seq + (self.owed > 0)
        if t.settled_seq != last:
            self.found(
                f"transaction {t.id} was settled by entry {t.settled_seq}, not {last}",
                f"transaction {t.id} should be settled by entry {last}, "
                f"is by {'none' if t.settled_seq is None else t.settled_seq}",
            )

    def finish(self) -> None:
        """Compares the wallet's own row, and what has not ended, with the replay."""
        w = self.wallet
        said = {"spendable": w.spendable, "reserved": w.reserved, "announced": w.announced, "debt": w.debt}
        if said != self.balances:
            self.note(
                f"the wallet says {said}, its last entry {self.balances}",
                balances(said, self.balances, w.currency),
            )
        if w.entry_count != self.seq:
            self.note(f"the wallet counts {w.entry_count} entries, there are {self.seq}")
        if w.head != self.head:
            self.note("the wallet's head is not its last entry's hash")
        if w.frozen_at != self.frozen_at:
            self.note("the wallet's freeze is not what its entries say")
        if w.withdrawal_limit != self.withdrawal_limit:
            self.note(
                "the wallet's limit is not what its entries say",
                f"the withdrawal limit should be {limit(self.withdrawal_limit, w.currency)}, "
                f"is {limit(w.withdrawal_limit, w.currency)}",
            )
        if self.owed:
            self.note(
                f"{self.owed} minor units of debt were not repaid",
                f"{self.show(self.owed)} of debt should have been repaid",
            )
        if self.marked_seq is not None and self.seq < self.marked_seq:
            self.note(
                f"there were {self.marked_seq} entries when it was audited before, there are {self.seq}"
            )
        for t in self.unended.values():
            self.note(f"transaction {t.id} is {t.state} without the entry for it")
