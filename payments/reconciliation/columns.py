"""A record as the ledger would have it: exact amounts, times with their zone, words that are known here."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from lib.backoffice.languages import _, stored
from lib.texts import UNSEEN
from payments.models import ReconciliationSource
from payments.reconciliation.records import Record, Unreadable, cell_of
from wallet.currencies import decimals_of

# What a column can be, in the order in which they are asked for.
FIELDS = {
    "id": _("Id in the file (mmTransactionId, or the provider's reference)"),
    "our_id": _("Our id (qwTransactionId, or the order's id)"),
    "amount": _("Amount"),
    "currency": _("Currency"),
    "type": _("Type"),
    "state": _("State"),
    "at": _("Time"),
    "player": _("Player (uid)"),
}
CONFIRMED, PENDING, VOID = "confirmed", "pending", "void"
STATES = {
    CONFIRMED: _("confirmed"),
    PENDING: _("pending"),
    VOID: _("rolled back, failed, expired"),
}
OF_GAMES = {"withdrawal": _("withdrawal"), "deposit": _("deposit")}
OF_PROVIDERS = {"payment": _("payment"), "refund": _("refund"), "charge_back": _("chargeback")}
# What the trade says for each; a source's own words come first.
KNOWN_TYPES = {
    "withdrawal": "withdraw withdrawal bet stake wager debit",
    "deposit": "deposit win payout credit",
    "payment": "payment charge sale capture purchase",
    "refund": "refund refunded",
    "charge_back": "chargeback charge_back dispute",
}
KNOWN_STATES = {
    CONFIRMED: "confirmed ok success successful succeeded completed complete settled paid done captured "
    "approved closed",
    PENDING: "pending open opened reserved created processing initiated authorized",
    VOID: "void rolled_back rollback rolledback cancelled canceled failed expired declined reversed refused "
    "rejected voided",
}
LONGEST_ID, LONGEST_UID, LONGEST_AMOUNT = 255, 64, 40
# Below a wallet's bound, in minor units.
MOST_DIGITS = 17
NUMBER = {
    ".": re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?", re.ASCII),
    ",": re.compile(r"-?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?", re.ASCII),
}
SPACES = str.maketrans("", "", " \u00a0\u202f'\u2019")
SINCE_1970 = re.compile(r"\d{9,10}(?:\.\d{1,9})?|\d{12,13}", re.ASCII)
NO_AMOUNT = stored("{text} is no amount in {code}")
NO_TIME = stored("{text} is no time")
NO_ID = stored("the row has neither an id nor a time")
NO_COLUMN = stored("the row has no {name}")
BAD_ID = stored("{text} is no id")
NO_UUID = stored("{text} is no id of ours")
NO_CURRENCY = stored("the currency {text} is not known here")
NO_WORD = stored("the word {text} is not known as a {name}")


class Row(NamedTuple):
    """A row of a file. `key` or `our_id` finds it, or else amount and time."""

    line: int
    key: str
    our_id: UUID | None
    type: str
    player: str
    amount: int
    currency: str
    state: str
    at: datetime | None

    @property
    def name(self) -> str:
        """What it is called: by the file's id, or else by ours."""
        return self.key or (str(self.our_id) if self.our_id else "")


def known_types(source: ReconciliationSource) -> Mapping[str, str]:
    """What a row of this source can be, in words."""
    return OF_GAMES if source.game_id else OF_PROVIDERS


class Columns:
    """Reads the rows of one source's files."""

    def __init__(self, source: ReconciliationSource) -> None:
        self.source, self.names = source, dict(source.columns)
        self.zone, self.mark = ZoneInfo(source.zone), NUMBER[source.decimal_mark]
        types = {name: KNOWN_TYPES[name] for name in known_types(source)}
        self.types = words(types, source.words.get("type", {}))
        self.states = words(KNOWN_STATES, source.words.get("state", {}))
        self.is_minor = source.units == ReconciliationSource.Units.MINOR

    def read(self, line: int, record: Record) -> Row:
        """Raises `Unreadable`."""
        type = self.word(record, "type", self.types)
        code = self.text(record, "currency", 12).upper() or (self.source.currency_id or "")
        decimals = decimals_of(code) if code else None
        if decimals is None:
            raise Unreadable(
                NO_CURRENCY.format(text=shown(code)) if code else NO_COLUMN.format(name="currency")
            )
        row = Row(
            line,
            self.text(record, "id", LONGEST_ID),
            self.our_id(record),
            type,
            self.text(record, "player", LONGEST_UID),
            self.amount(record, code, decimals, type),
            code,
            self.word(record, "state", self.states, CONFIRMED),
            self.time(record),
        )
        if not row.name and row.at is None:
            raise Unreadable(NO_ID)
        return row

    def cell(self, record: Record, name: str) -> Any:
        column = self.names.get(name)
        return cell_of(record, column) if column else None

    def text(self, record: Record, name: str, longest: int) -> str:
        value = self.cell(record, name)
        if value is None:
            return ""
        text = value.strip() if isinstance(value, str) else str(value)
        if isinstance(value, dict | list | bool) or len(text) > longest or UNSEEN.search(text):
            raise Unreadable(BAD_ID.format(text=shown(value)))
        return text

    def our_id(self, record: Record) -> UUID | None:
        text = self.text(record, "our_id", 45)
        if not text:
            return None
        try:
            return UUID(text)
        except ValueError:
            raise Unreadable(NO_UUID.format(text=shown(text))) from None

    def word(self, record: Record, name: str, known: Mapping[str, str], default: str = "") -> str:
        """What a word of theirs is here; an empty one is what the source says of rows without."""
        text = self.text(record, name, 60).casefold()
        found = known.get(text) or ("" if text else default)
        if not found:
            raise Unreadable(
                NO_WORD.format(text=shown(text), name=name) if text else NO_COLUMN.format(name=name)
            )
        return found

    def amount(self, record: Record, code: str, decimals: int, type: str) -> int:
        """In minor units, exactly. What goes back of a payment may stand there with a minus."""
        value = self.cell(record, "amount")
        number = self.number(value)
        if number is not None and number.adjusted() < MOST_DIGITS:
            minor = number if self.is_minor else number.scaleb(decimals)
            whole = int(minor)
            may_be_negative = type in ("refund", "charge_back")
            if whole == minor and abs(whole) < 10**MOST_DIGITS and (whole >= 0 or may_be_negative):
                return abs(whole)
        if value in (None, ""):
            raise Unreadable(NO_COLUMN.format(name="amount"))
        raise Unreadable(NO_AMOUNT.format(text=shown(value), code=code))

    def number(self, value: Any) -> Decimal | None:
        """Never a binary float: JSON's numbers are decimals already."""
        if isinstance(value, bool):
            return None
        if isinstance(value, int | Decimal):
            # Whoever writes 1e999999999 must not have it formatted.
            number = Decimal(value)
            return number if number.is_finite() and -30 < number.adjusted() < 30 else None
        if not isinstance(value, str) or len(value) > LONGEST_AMOUNT:
            return None
        text = value.translate(SPACES)
        if not self.mark.fullmatch(text):
            return None
        text = (
            text.replace(",", "")
            if self.source.decimal_mark == "."
            else text.replace(".", "").replace(",", ".")
        )
        try:
            return Decimal(text)
        except InvalidOperation:
            return None

    def time(self, record: Record) -> datetime | None:
        """In UTC. A time without a zone is in the source's."""
        value = self.cell(record, "at")
        if value in (None, ""):
            return None
        text = str(value).strip()
        try:
            at = self.parsed(text)
        except (ValueError, OverflowError, OSError):
            raise Unreadable(NO_TIME.format(text=shown(text))) from None
        if not 1970 < at.year < 9999:
            raise Unreadable(NO_TIME.format(text=shown(text)))
        return (at.replace(tzinfo=self.zone) if at.tzinfo is None else at).astimezone(UTC)

    def parsed(self, text: str) -> datetime:
        if self.source.time_pattern:
            return datetime.strptime(text, self.source.time_pattern)  # noqa: DTZ007 (the source's zone follows)
        if SINCE_1970.fullmatch(text):
            seconds = Decimal(text) / (1000 if "." not in text and len(text) >= 12 else 1)
            return datetime.fromtimestamp(float(seconds), UTC)
        return datetime.fromisoformat(text)


def words(known: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Their words, and what each is here."""
    found = {word: name for name, text in known.items() for word in text.split()}
    return found | {word.casefold(): name for word, name in own.items()}


def shown(value: Any) -> str:
    """The beginning of a cell, in quotation marks."""
    return f"“{UNSEEN.sub('?', str(value))[:40]}”"
