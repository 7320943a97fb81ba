"""Cells as the ledger would have them: exact amounts, times with their zone, words that are known."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from payments.models import ReconciliationSource
from payments.reconciliation.columns import Columns, Row
from payments.reconciliation.records import JsonReader, Unreadable, cells_of, flat
from players.models import Game
from tests.support.callers import Callers

NAMES = {name: name for name in ("id", "our_id", "amount", "currency", "type", "state", "at", "player")}
GOOD = {"id": "t-1", "amount": "12.50", "currency": "xag", "type": "Bet", "state": "OK"}


def columns(**changes: Any) -> Columns:
    values = {"columns": NAMES, "words": {}, "zone": "UTC"} | changes
    return Columns(ReconciliationSource(game=Game(), **values))


def read(record: dict[str, Any], **changes: Any) -> Row:
    return columns(**changes).read(7, GOOD | record)


def test_row__has_what_the_cells_say(callers: Callers) -> None:
    id = UUID(int=5)
    row = read({"our_id": str(id), "at": "2026-07-01T02:30:00", "player": "anna"}, zone="Europe/Berlin")
    at = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    assert row == Row(7, "t-1", id, "withdrawal", "anna", 12_50, "XAG", "confirmed", at)


@pytest.mark.parametrize(
    ("value", "changes", "minor"),
    [
        ("1,234.5", {}, 1_234_50),
        ("1.234,5", {"decimal_mark": ","}, 1_234_50),
        ("1 234,50", {"decimal_mark": ","}, 1_234_50),
        ("1250", {"units": "minor"}, 1250),
        (Decimal("90071992547409.93"), {}, 9007199254740993),
        (7, {}, 7_00),
        ("0", {}, 0),
        ("12.500", {}, 12_50),
    ],
)
def test_amount__is_exact(callers: Callers, value: Any, changes: dict[str, Any], minor: int) -> None:
    assert read({"amount": value}, **changes).amount == minor


@pytest.mark.parametrize(
    "value",
    ["12.505", "-1", "1,23", "1e3", "NaN", "", None, True, "1.2.3", Decimal("1e999999999"), "9" * 18, "٣"],
)
def test_amount__that_is_none_makes_the_row_unreadable(callers: Callers, value: Any) -> None:
    with pytest.raises(Unreadable):
        read({"amount": value})


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("2026-11-30T12:00:00Z", {}),
        ("2026-11-30 13:00:00+01:00", {}),
        ("2026-11-30 13:00:00", {"zone": "Europe/Berlin"}),
        ("1796040000", {}),
        ("1796040000000", {}),
        (1796040000, {}),
        ("30.11.2026 13:00:00", {"zone": "Europe/Berlin", "time_pattern": "%d.%m.%Y %H:%M:%S"}),
    ],
)
def test_time__is_utc_whatever_is_written(callers: Callers, text: Any, changes: dict[str, Any]) -> None:
    assert read({"at": text}, **changes).at == datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"at": "yesterday"}, "“yesterday” is no time"),
        ({"currency": "ZZZ"}, "the currency “ZZZ” is not known here"),
        ({"currency": ""}, "the row has no currency"),
        ({"type": "gift"}, "the word “gift” is not known as a type"),
        ({"type": ""}, "the row has no type"),
        ({"state": "maybe"}, "the word “maybe” is not known as a state"),
        ({"our_id": "12"}, "“12” is no id of ours"),
        ({"id": ""}, "the row has neither an id nor a time"),
        ({"id": "x" * 256}, f"“{'x' * 40}” is no id"),
        ({"id": "a\u202eb"}, "“a?b” is no id"),
        ({"amount": "x"}, "“x” is no amount in XAG"),
    ],
)
def test_row__says_why_it_cannot_be_read(callers: Callers, record: dict[str, Any], problem: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(record)
    assert str(caught.value) == problem


def test_words__of_the_source_come_first(callers: Callers) -> None:
    words = {"type": {"WIN": "withdrawal", "": "deposit"}, "state": {"ok": "void"}}
    assert read({"type": "win", "state": "OK"}, words=words)[3:8:4] == ("withdrawal", "void")
    assert read({"type": ""}, words=words).type == "deposit"


def test_csv__is_one_record_a_line() -> None:
    assert cells_of('a,"b, ""c""",', ",") == ["a", 'b, "c"', ""]
    with pytest.raises(Unreadable):
        cells_of('a,"b', ",")


def test_json__keeps_decimals_and_names_members_of_members() -> None:
    record = JsonReader().read('{"a": {"v": 0.1, "n": {"deep": 1}}, "b": 90071992547409.93}')
    assert flat(record) == {"a.v": Decimal("0.1"), "a.n.deep": 1, "b": Decimal("90071992547409.93")}
    for text in ("[1]", "{", "1", '{"a": NaN}'):
        with pytest.raises(Unreadable):
            JsonReader().read(text)
