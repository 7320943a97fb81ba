"""What a benchmark should show, and whether it does: a missed aim is said, and is no failure."""

from typing import NamedTuple


class Aim(NamedTuple):
    """A figure that should be at least `least`, or with `at_most` not more; `wanted` is better still."""

    name: str
    value: float
    aim: float
    wanted: float | None = None
    unit: str = "times"
    at_most: bool = False

    def __str__(self) -> str:
        further = f"; wanted {judge(self.value, self.wanted, at_most=self.at_most)}" if self.wanted else ""
        verdict = judge(self.value, self.aim, at_most=self.at_most)
        return f"{self.name:<44}{self.value:8.2f} {self.unit:<6} aim {verdict}{further}"


def judge(value: float, aim: float, *, at_most: bool = False) -> str:
    """Whether an aim is met, or by how much it is missed; `at_most` is for times, where less is better."""
    missed = (value - aim) / aim if at_most else (aim - value) / aim
    return f"{aim:g}: met" if missed <= 0 else f"{aim:g}: missed by {missed:.0%}"
