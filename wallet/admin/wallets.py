"""Wallets: balances and the journal, read only; gates and adjustments behind confirmation pages."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from players.admin.pages import Section, read_uuid
from players.admin.paging import BigTableAdmin
from players.admin.players import player_link
from players.admin.searching import SearchingAdmin
from players.admin.show import badge, moment, mono, short_id
from players.models import GameSession, Player
from wallet.admin import journal
from wallet.admin.acting import WalletActions
from wallet.admin.amounts import amount_cell
from wallet.models import Wallet

WALLET_HEADERS = ("Wallet", "Spendable", "Reserved", "Announced", "Debt", "Withdrawals")


def show_gate(wallet: Wallet) -> SafeString:
    """Whether withdrawals may leave a wallet."""
    if wallet.frozen_at:
        return badge("frozen", "danger")
    return badge("limited", "warning") if wallet.withdrawal_limit else badge("open", "success")


@admin.register(Wallet)
class WalletAdmin(WalletActions, SearchingAdmin, BigTableAdmin):
    """A player's money in one currency. Only the ledger writes it."""

    list_display = ("short", "player_uid", "code", "spendable_major", "reserved_major", "announced_major", "debt_major", "gate")
    search_help_text = "Exact uid, wallet id, or a session token"
    empty_text = "Wallets are opened when a player first launches a game in a currency."
    fields = (
        *("full_id", "player_uid", "code", "spendable_major", "reserved_major", "announced_major", "debt_major"),
        *("gate", "frozen", "limit_major", "entries", "opened"),
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

    @admin.display(description="largest withdrawal")
    def limit_major(self, obj: Wallet) -> Any:
        return amount_cell(obj.withdrawal_limit, obj.currency_id) if obj.withdrawal_limit else "no limit"

    @admin.display(description="journal entries")
    def entries(self, obj: Wallet) -> str:
        return f"{obj.entry_count:,}"

    @admin.display(description="opened")
    def opened(self, obj: Wallet) -> str:
        return moment(obj.opened_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wallet]:
        wallets: QuerySet[Wallet] = super().get_queryset(request)
        return wallets.select_related("player").defer("head")

    def named(self, queryset: QuerySet[Wallet], text: str) -> QuerySet[Wallet]:
        id, player = read_uuid(text), Player.objects.filter(uid=text).first()
        return queryset.filter(Q(pk=id) | Q(player=player)) if player else queryset.filter(pk=id) if id else queryset.none()

    def of_session(self, queryset: QuerySet[Wallet], session: GameSession) -> QuerySet[Wallet]:
        return queryset.filter(player_id=session.player_id, currency_id=session.currency_code)

    def sections(self, request: HttpRequest, obj: Wallet) -> list[Section]:
        before = read_number(request.GET.get("before", ""))
        entries, following = journal.journal_page(obj, before)
        older = ("Older entries", f"?before={following}#journal-{obj.currency_id.lower()}") if following else None
        newest = ("Newest entries", f"?#journal-{obj.currency_id.lower()}") if before else None
        return [journal.section("Journal", entries, obj.currency_id, empty="There are no older entries.", more=older, back=newest)]


def read_number(text: str) -> int | None:
    """The number of an entry in an address, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
