"""Wallets: balances and the journal, read only; gates and adjustments behind confirmation pages."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, clock, moment, mono, short_id
from lib.backoffice.pages import Section, read_uuid
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import GameSession, Player
from wallet.admin import journal
from wallet.admin.amounts import amount_cell
from wallet.admin.wallet_actions import WalletActions
from wallet.models import Wallet

WALLET_HEADERS = ("Wallet", "Spendable", "Reserved", "Announced", "Debt", "Withdrawals")


class Gates(Selections):
    """The frozen ones, by their own index."""

    title = "withdrawals"
    parameter_name = "withdrawals"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection("All"),
        "frozen": Selection(
            "Frozen",
            lambda rows: rows.filter(frozen_at__isnull=False),
            (F("frozen_at").desc(), "-pk"),
            "No wallet is frozen.",
        ),
    }


def show_gate(wallet: Wallet) -> SafeString:
    """Whether withdrawals may leave a wallet."""
    if wallet.frozen_at:
        return badge("frozen", "danger")
    return badge("limited", "warning") if wallet.withdrawal_limit else badge("open", "success")


@admin.register(Wallet)
class WalletAdmin(WalletActions, SearchingAdmin, SelectingAdmin):
    """A player's money in one currency. Only the ledger writes it."""

    list_filter = (Gates,)
    search_help_text = "Exact uid, wallet id, or a session token"
    empty_text = "Wallets are opened when a player first launches a game in a currency."
    fields = (
        *(
            "full_id",
            "player_uid",
            "code",
            "spendable_major",
            "reserved_major",
            "announced_major",
            "debt_major",
        ),
        *("gate", "frozen", "frozen_because", "limit_major", "entries", "opened"),
    )

    @admin.display(description="wallet")
    def short(self, obj: Wallet) -> SafeString:
        return short_id(obj.pk)

    @admin.display(description="id")
    def full_id(self, obj: Wallet) -> SafeString:
        return mono(obj.pk)

    @admin.display(description="player")
    def player_uid(self, obj: Wallet) -> SafeString:
        return player_link(obj.player)

    @admin.display(description="currency")
    def code(self, obj: Wallet) -> str:
        return obj.currency_id

    @admin.display(description="spendable")
    def spendable_major(self, obj: Wallet) -> SafeString:
        return amount_cell(obj.spendable, obj.currency_id)

    @admin.display(description="reserved")
    def reserved_major(self, obj: Wallet) -> SafeString:
        return amount_cell(obj.reserved, obj.currency_id)

    @admin.display(description="announced")
    def announced_major(self, obj: Wallet) -> SafeString:
        return amount_cell(obj.announced, obj.currency_id)

    @admin.display(description="debt")
    def debt_major(self, obj: Wallet) -> SafeString:
        return amount_cell(obj.debt, obj.currency_id)

    @admin.display(description="withdrawals")
    def gate(self, obj: Wallet) -> SafeString:
        return show_gate(obj)

    @admin.display(description="frozen")
    def frozen(self, obj: Wallet) -> str:
        return moment(obj.frozen_at)

    @admin.display(description="frozen since (UTC)")
    def frozen_clock(self, obj: Wallet) -> SafeString:
        return clock(obj.frozen_at)

    @admin.display(description="frozen because")
    def frozen_because(self, obj: Wallet) -> str:
        entry = journal.last_freeze(obj)
        return f"{entry.note or NOTHING} ({entry.actor})" if entry else "the journal does not say"

    @admin.display(description="largest withdrawal")
    def limit_major(self, obj: Wallet) -> Any:
        return amount_cell(obj.withdrawal_limit, obj.currency_id) if obj.withdrawal_limit else "no limit"

    @admin.display(description="journal entries")
    def entries(self, obj: Wallet) -> str:
        return f"{obj.entry_count:,}"

    @admin.display(description="opened")
    def opened(self, obj: Wallet) -> str:
        return moment(obj.opened_at)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        if Gates.name_in(request) == "frozen":
            return (
                "short",
                "player_uid",
                "frozen_clock",
                "code",
                "spendable_major",
                "reserved_major",
                "debt_major",
            )
        return (
            "short",
            "player_uid",
            "code",
            "spendable_major",
            "reserved_major",
            "announced_major",
            "debt_major",
            "gate",
        )

    def get_fields(self, request: HttpRequest, obj: Wallet | None = None) -> Any:
        absent = () if obj and obj.frozen_at else ("frozen", "frozen_because")
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wallet]:
        wallets: QuerySet[Wallet] = super().get_queryset(request)
        return wallets.select_related("player").defer("head")

    def named(self, queryset: QuerySet[Wallet], text: str) -> QuerySet[Wallet]:
        id, player = read_uuid(text), Player.objects.filter(uid=text).first()
        return (
            queryset.filter(Q(pk=id) | Q(player=player))
            if player
            else queryset.filter(pk=id)
            if id
            else queryset.none()
        )

    def of_session(self, queryset: QuerySet[Wallet], session: GameSession) -> QuerySet[Wallet]:
        return queryset.filter(player_id=session.player_id, currency_id=session.currency_code)

    def sections(self, request: HttpRequest, obj: Wallet) -> list[Section]:
        before = read_number(request.GET.get("before", ""))
        entries, following = journal.journal_page(obj, before)
        older = (
            ("Older entries", f"?before={following}#journal-{obj.currency_id.lower()}") if following else None
        )
        newest = ("Newest entries", f"?#journal-{obj.currency_id.lower()}") if before else None
        return [
            journal.section(
                "Journal",
                entries,
                obj.currency_id,
                empty="There are no older entries.",
                more=older,
                back=newest,
            )
        ]


def read_number(text: str) -> int | None:
    """The number of an entry in an address, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
