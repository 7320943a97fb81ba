"""The scripted wallet keeps the table of contract 2.3."""

from collections.abc import Callable

import pytest

from clients.kit.wallet.book import (
    CONFIRMED,
    DECLINED,
    DEPOSIT,
    EXPIRED,
    PENDING,
    ROLLED_BACK,
    WITHDRAWAL,
    Body,
    Book,
    Content,
    Refused,
)

SAME, OTHER = Content(15_00, "XAG"), Content(16_00, "XAG")
STATES = ("", PENDING, CONFIRMED, ROLLED_BACK, EXPIRED, DECLINED)
ACTS: dict[str, Callable[[Book, str], Body]] = {
    "open": lambda book, kind: book.open(kind, "t", SAME),
    "open other": lambda book, kind: book.open(kind, "t", OTHER),
    "confirm": lambda book, kind: book.confirm(kind, "t", SAME),
    "confirm without": lambda book, kind: book.confirm(kind, "t", None),
    "confirm other": lambda book, kind: book.confirm(kind, "t", OTHER),
    "roll back": lambda book, kind: book.roll_back(kind, "t"),
}
# What each act is answered in the states of STATES: success, or a code.
TABLE = {
    "open": (0, 0, 0, 108, 109, 111),
    "open other": (0, 110, 110, 108, 109, 110),
    "confirm": (106, 0, 0, 108, 109, 106),
    "confirm without": (106, 0, 0, 108, 109, 106),
    "confirm other": (106, 110, 110, 108, 109, 106),
    "roll back": (0, 0, 107, 0, 0, 0),
}


def book_with(type: str, state: str) -> Book:
    """A wallet of 100.00 with one transaction of 15.00 in that state."""
    book = Book(limit=5_00 if state == DECLINED else None)
    if state == DECLINED:
        with pytest.raises(Refused):
            book.open(type, "t", SAME)
    elif state:
        book.open(type, "t", SAME)
        if state != PENDING:
            book.settle(book.transactions[type, "t"], state)
    book.limit = None
    return book


def answered(book: Book, act: str, type: str) -> tuple[int, Body]:
    try:
        return 0, ACTS[act](book, type)
    except Refused as refusal:
        return refusal.code, refusal.body


@pytest.mark.parametrize("type", [WITHDRAWAL, DEPOSIT])
@pytest.mark.parametrize("act", TABLE)
def test_book__answers_by_the_table_and_the_same_again(act: str, type: str) -> None:
    for state, wanted in zip(STATES, TABLE[act], strict=True):
        book = book_with(type, state)
        code, body = answered(book, act, type)
        assert code == wanted, state
        assert answered(book, act, type) == (code, body), state


@pytest.mark.parametrize(
    ("type", "opened", "confirmed", "rolled_back"),
    [(WITHDRAWAL, 85_00, 85_00, 100_00), (DEPOSIT, 100_00, 115_00, 100_00)],
)
def test_book__moves_money(type: str, opened: int, confirmed: int, rolled_back: int) -> None:
    for state, spendable in ((PENDING, opened), (CONFIRMED, confirmed), (ROLLED_BACK, rolled_back)):
        book = book_with(type, state)
        assert book.spendable == spendable
        assert book.reserved + book.announced == (15_00 if state == PENDING else 0)


def test_book__rollback_of_the_unknown_is_a_tombstone() -> None:
    book = Book()
    book.roll_back(WITHDRAWAL, "t")
    assert answered(book, "open", WITHDRAWAL)[0] == 108
    assert book.query(WITHDRAWAL, "t")["amount"] is None


def test_book__known_id_is_answered_after_the_session() -> None:
    book = book_with(WITHDRAWAL, PENDING)
    book.is_live = False
    assert answered(book, "open", WITHDRAWAL)[0] == 0
    with pytest.raises(Refused, match="102"):
        book.open(WITHDRAWAL, "other", SAME)


def test_book__too_little_is_104_and_remembered() -> None:
    book = Book(spendable=5_00)
    code, first = answered(book, "open", WITHDRAWAL)
    book.spendable = 100_00
    assert (code, answered(book, "open", WITHDRAWAL)) == (104, (104, first))
