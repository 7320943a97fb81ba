"""What a verification found, and what it did not expect."""

from dataclasses import dataclass, field
from datetime import timedelta

KEPT = 20
# What a checkpoint does not know must be younger than it. A little older may be: it was being written while
# the checkpoint was made.
SLACK = timedelta(hours=1)


@dataclass(slots=True)
class Findings:
    """Counts differences and keeps the first ones. `warnings` are none, but a reader should know them."""

    count: int = 0
    first: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.count += 1
        if len(self.first) < KEPT:
            self.first.append(text)

    def number(self) -> str:
        """How many, in words."""
        return f"{self.count} difference" if self.count == 1 else f"{self.count} differences"

    def summary(self, most: int = 5) -> str:
        """One line: how many, and the first of them."""
        shown = self.first[:most]
        more = f"; and {self.count - len(shown)} more" if self.count > len(shown) else ""
        return f"{self.number()}: {'; '.join(shown)}{more}"


def compare_currencies(stated: dict[str, int], present: dict[str, int], findings: Findings) -> None:
    """A currency's decimals give every amount its meaning; new currencies may be added."""
    for code, decimals in stated.items():
        if code not in present:
            findings.add(f"currency {code} is gone")
        elif present[code] != decimals:
            findings.add(f"currency {code} has {present[code]} decimals, the checkpoint states {decimals}")
