"""What a search finds of transactions, wallets, calls, and what tells of them."""

from collections.abc import Iterable
from typing import Any

from lib.backoffice.finders import MOST_FOUND, Asked, Finder, Rows
from lib.backoffice.languages import _
from wallet.models import Alert, ApiCall, Currency, Discrepancy, Inquiry, Transaction, Wallet
from wallet.models.days import all_days, is_of, named_from, of_mm_id


class TransactionFinder(Finder):
    model = Transaction
    by = _("transactions by mmTransactionId or its beginning, and by qwTransactionId")
    has_ends = True

    def exactly(self, asked: Asked) -> list[Any]:
        return [*self.by_id(asked), *self.rows.filter(of_mm_id(asked.text))[:MOST_FOUND]]

    def partly(self, asked: Asked) -> list[Any]:
        return [*self.begun(asked.text), *self.by_part(asked)] if asked.is_part else self.by_part(asked)

    def begun(self, text: str) -> Iterable[Any]:
        return self.rows.filter(pk__in=named_from(text, MOST_FOUND)).order_by("mm_transaction_id")

    def ended(self, part: str) -> Rows:
        return super().ended(part).filter(is_of(all_days()))

    def note(self, row: Transaction) -> str:
        return row.mm_transaction_id or ""


class WalletFinder(Finder):
    model = Wallet
    by = _("wallets by id")
    has_ends = True


class CallFinder(Finder):
    """Calls that no transaction came of; those of a transaction are on its page."""

    model = ApiCall
    by = _("API calls by mmTransactionId or by id")

    def otherwise(self, asked: Asked) -> Iterable[Any]:
        return self.rows.filter(mm_transaction_id=asked.text).order_by("-pk")[:MOST_FOUND]

    def partly(self, asked: Asked) -> Iterable[Any]:
        # Its parts are of days: an id's beginning would be looked for in each of them.
        return ()


class AlertFinder(Finder):
    """An alert mentions what it is about, which comes first."""

    model = Alert
    by = _("alerts by subject")

    def otherwise(self, asked: Asked) -> Iterable[Any]:
        # The index begins with the kind.
        named = self.rows.filter(kind__in=Alert.Kind.values, subject=asked.text)
        return named.order_by("-raised_at")[:MOST_FOUND]


class DiscrepancyFinder(Finder):
    model = Discrepancy
    by = _("discrepancies by id")


class InquiryFinder(Finder):
    model = Inquiry
    by = _("transactions in manual review by id")


class CurrencyFinder(Finder):
    """There are few: they need no index."""

    model = Currency
    by = _("currencies by code or name")

    def exactly(self, asked: Asked) -> Iterable[Any]:
        return [*self.rows.filter(code=asked.text.upper()), *self.rows.filter(name__iexact=asked.text)]

    def partly(self, asked: Asked) -> Iterable[Any]:
        return ()


FINDERS = (
    TransactionFinder,
    WalletFinder,
    CallFinder,
    AlertFinder,
    DiscrepancyFinder,
    InquiryFinder,
    CurrencyFinder,
)
