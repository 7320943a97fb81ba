"""What an audit found: of each wallet, and of the ledger as a whole."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wallet.audit.daily_totals import Moved
from wallet.audit.problems import Problem, as_problem, as_sentence
from wallet.audit.replay import KEPT_PROBLEMS

# What is told of one wallet; the rest is counted.
KEPT_OF_A_WALLET = 5


@dataclass
class Found:
    """What is wrong with one thing: how much, and the first of it."""

    count: int = 0
    first: list[Problem] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The same as long as the same is wrong."""
        return self.counted("; ".join(one.key for one in self.first))

    @property
    def text(self) -> str:
        """For people."""
        return as_sentence(self.counted("; ".join(one.words for one in self.first)))

    def counted(self, told: str) -> str:
        return told if self.count <= len(self.first) else f"{self.count} differences, the first: {told}"


@dataclass
class Report:
    """What an audit found.

    `problems` holds the first ones, `by_wallet` and `of_ledger` those of each wallet and each other thing.
    `entries_read` are those that this audit read itself: the others were found right before.
    """

    wallets: int = 0
    entries: int = 0
    entries_read: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)
    by_wallet: dict[str, Found] = field(default_factory=dict)
    of_ledger: dict[str, Found] = field(default_factory=dict)
    moved: Moved = field(default_factory=dict)

    def add_wallet(self, wallet_id: str, problems: Sequence[Problem], count: int) -> None:
        """Counts what is wrong with a wallet, and keeps the first of it."""
        if count:
            self.add(
                self.by_wallet.setdefault(wallet_id, Found()),
                f"wallet {wallet_id} ",
                problems,
                count,
                KEPT_OF_A_WALLET,
            )

    def add_ledger(self, subject: str, problems: Sequence[str | Problem], count: int = 1) -> None:
        """Counts what is wrong and not of one wallet."""
        if count:
            found, told = self.of_ledger.setdefault(subject, Found()), [as_problem(one) for one in problems]
            self.add(found, f"{subject}: ", told, count, KEPT_PROBLEMS)

    def add(self, found: Found, prefix: str, problems: Sequence[Problem], count: int, kept: int) -> None:
        found.count += count
        found.first += problems[: kept - len(found.first)]
        self.problem_count += count
        self.problems += [prefix + one.words for one in problems[: KEPT_PROBLEMS - len(self.problems)]]

    @property
    def accounts(self) -> Counter[tuple[str, str]]:
        """What stands on each account, in minor units: credits less debits."""
        sums: Counter[tuple[str, str]] = Counter()
        for (_, currency, debit, credit), (amount, _) in self.moved.items():
            for account, sign in ((debit, -1), (credit, 1)):
                if account:
                    sums[currency, account] += sign * amount
        return sums

    def as_json(self) -> dict[str, Any]:
        """What is wrong, and what moved, so that another process can go on (`add_json`)."""
        return {
            "wallets": {id: [found.count, found.first] for id, found in self.by_wallet.items()},
            "ledger": {subject: [found.count, found.first] for subject, found in self.of_ledger.items()},
            "moved": [[*key, *sums] for key, sums in self.moved.items()],
        }

    def add_json(self, found: dict[str, Any]) -> None:
        """Adds what another report said (`as_json`)."""
        for id, (count, first) in found.get("wallets", {}).items():
            self.add_wallet(id, [Problem(*one) for one in first], count)
        for subject, (count, first) in found.get("ledger", {}).items():
            self.add_ledger(subject, [Problem(*one) for one in first], count)
        for day, currency, debit, credit, amount, entries in found.get("moved", []):
            add_sums(self.moved, (day, currency, debit, credit), amount, entries)


def add_sums(moved: Moved, key: tuple[int, str, str | None, str | None], amount: int, entries: int) -> None:
    """Adds to what moved in a day from one account to another."""
    sums = moved.setdefault(key, [0, 0])
    sums[0] += amount
    sums[1] += entries
