"""Amounts of money, exact both ways."""

from dataclasses import dataclass
from decimal import Decimal

# No amount of the platform comes near; a number beyond would only fill the memory when it is written out.
MOST_DIGITS = 30


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units of a currency: `Money.of("230.00", "XAG")`. Never a float."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Raises TypeError for anything but a Decimal, ValueError for one that cannot be an amount."""
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"amount must be a Decimal, not {type(self.amount).__name__}")
        check_number(self.amount)

    @classmethod
    def of(cls, amount: "Decimal | int | str", currency: str) -> "Money":
        """From a text or a whole number, too. Raises TypeError for a float, ValueError for no number."""
        if isinstance(amount, bool) or not isinstance(amount, Decimal | int | str):
            raise TypeError(f"an amount is a Decimal, an int or a str, not {type(amount).__name__}")
        try:
            return cls(Decimal(amount), currency)
        except ArithmeticError as problem:
            raise ValueError(f"{amount!r} is no number") from problem

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"


def check_number(number: Decimal) -> Decimal:
    """The number, if it can be an amount. Raises ValueError."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -MOST_DIGITS < exponent <= number.adjusted() < MOST_DIGITS:
        raise ValueError("an amount is finite, and has few digits")
    return number
