"""What a check expects, and the exceptions that end one."""

from collections.abc import Collection


class Unmet(Exception):
    """The server did something else than the contract says."""

    def __init__(self, what: str, expected: object, got: object, paragraph: str = "") -> None:
        super().__init__(f"{what}: expected {expected}, got {got}")
        self.what, self.expected, self.got = what, str(expected), str(got)
        # Of the contract, if it is another than the check's own.
        self.paragraph = paragraph


class Skipped(Exception):
    """The check cannot be run here; its text says why."""


class Unusable(Exception):
    """Nothing can be checked with what was given; its text says what is missing."""


def expect(what: str, expected: object, got: object, paragraph: str = "") -> None:
    """Raises `Unmet` if the two differ."""
    if expected != got:
        raise Unmet(what, repr(expected), repr(got), paragraph)


def expect_one_of(what: str, expected: Collection[object], got: object, paragraph: str = "") -> None:
    """Raises `Unmet` if `got` is none of them."""
    if got not in expected:
        raise Unmet(what, " or ".join(map(repr, expected)), repr(got), paragraph)


def expect_that(what: str, expected: str, got: object, *, holds: bool, paragraph: str = "") -> None:
    """Raises `Unmet` if it does not hold; `expected` says in words what must."""
    if not holds:
        raise Unmet(what, expected, repr(got), paragraph)
