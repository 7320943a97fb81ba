"""Transactions: read only, found by exact ids, with their journal, calls and discrepancies."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from players.admin.pages import Section, read_uuid
from players.admin.paging import BigTableAdmin
from players.admin.players import player_link
from players.admin.searching import SearchingAdmin
from players.admin.show import NOTHING, badge, clipped, clock, link, moment, mono, search_address, short_id
from players.clock import WalletNow
from players.models import GameSession, Player
from wallet.admin import journal
from wallet.admin.amounts import amount_cell
from wallet.admin.calls import CALL_HEADERS, call_row, calls_of_transaction
from wallet.models import Transaction

STATE_COLOURS = {"pending": "info", "confirmed": "success", "rolled_back": "warning", "expired": "warning", "declined": "danger"}


# Attributes that may be empty, and the fields that show them.
OPTIONAL = {
    "refusal": "refusal_shown",
    "game_id": "game_slug",
    "session_id": "session_link",
    "description": "description_shown",
    "due_at": "due",
    "settled_at": "settled",
    "settled_actor": "settled_by",
    "reason": "reason_shown",
    "reverses_id": "reverses_link",
}


def show_state(transaction: Transaction) -> SafeString:
    """A transaction's state as a badge."""
    return badge(transaction.get_state_display(), STATE_COLOURS.get(transaction.state, ""))


class Unfinished(admin.SimpleListFilter):
    """What is still open. Other states have no index, and a rare one would read the whole table."""

    title = "state"
    parameter_name = "unfinished"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("pending", "pending"), ("due", "pending and due")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transaction]) -> QuerySet[Transaction]:
        if self.value() == "pending":
            return queryset.filter(state="pending")
        if self.value() == "due":
            return queryset.filter(state="pending", due_at__lte=WalletNow())
        return queryset


@admin.register(Transaction)
class TransactionAdmin(SearchingAdmin, BigTableAdmin):
    """What a game or an operator did with a player's money, as it stands now; the journal below says how it came to it."""

    list_display = ("short", "opened_clock", "kind", "shown_state", "amount_major", "player_uid", "game_slug", "mm_short")
    list_filter = (Unfinished,)
    search_help_text = "Exact uid, mmTransactionId, qwTransactionId, or a session token"
    empty_text = "Transactions appear when a game withdraws or deposits, or an operator adjusts a wallet."
    fields = (
        *("full_id", "mm_id", "type", "shown_state", "refusal_shown", "amount_major", "player_uid", "wallet_link", "game_slug", "session_link"),
        *("description_shown", "opened", "opened_by", "due", "settled", "settled_by", "reason_shown", "reverses_link"),
    )

    @admin.display(description="our id")
    def short(self, obj: Transaction) -> SafeString:
        return short_id(obj.pk)

    @admin.display(description="our id (qwTransactionId)")
    def full_id(self, obj: Transaction) -> SafeString:
        return mono(obj.pk)

    @admin.display(description="game's id (mmTransactionId)")
    def mm_id(self, obj: Transaction) -> SafeString:
        return mono(obj.mm_transaction_id)

    @admin.display(description="game's id")
    def mm_short(self, obj: Transaction) -> SafeString:
        return clipped(obj.mm_transaction_id)

    @admin.display(description="type")
    def kind(self, obj: Transaction) -> str:
        return obj.type

    @admin.display(description="opened (UTC)")
    def opened_clock(self, obj: Transaction) -> SafeString:
        return clock(obj.opened_at)

    @admin.display(description="state")
    def shown_state(self, obj: Transaction) -> SafeString:
        return show_state(obj)

    @admin.display(description="declined for")
    def refusal_shown(self, obj: Transaction) -> str:
        return obj.refusal.replace("_", " ") or NOTHING

    @admin.display(description="amount")
    def amount_major(self, obj: Transaction) -> SafeString:
        return amount_cell(obj.amount, obj.wallet.currency_id)

    @admin.display(description="player")
    def player_uid(self, obj: Transaction) -> SafeString:
        return player_link(obj.player)

    @admin.display(description="game")
    def game_slug(self, obj: Transaction) -> str:
        return obj.game.slug if obj.game else NOTHING

    @admin.display(description="wallet")
    def wallet_link(self, obj: Transaction) -> SafeString:
        return link(obj.wallet.currency_id, "wallet_wallet_change", obj.wallet_id)

    @admin.display(description="session")
    def session_link(self, obj: Transaction) -> Any:
        return link(mono(obj.session_id), "players_gamesession_change", obj.session_id) if obj.session_id else NOTHING

    @admin.display(description="the game's words")
    def description_shown(self, obj: Transaction) -> str:
        return obj.description or NOTHING

    @admin.display(description="opened")
    def opened(self, obj: Transaction) -> str:
        return moment(obj.opened_at)

    @admin.display(description="opened by")
    def opened_by(self, obj: Transaction) -> str:
        return obj.actor

    @admin.display(description="due")
    def due(self, obj: Transaction) -> str:
        return moment(obj.due_at)

    @admin.display(description="settled")
    def settled(self, obj: Transaction) -> str:
        return moment(obj.settled_at)

    @admin.display(description="settled by")
    def settled_by(self, obj: Transaction) -> str:
        return obj.settled_actor or NOTHING

    @admin.display(description="reason")
    def reason_shown(self, obj: Transaction) -> str:
        return obj.reason or NOTHING

    @admin.display(description="reverses")
    def reverses_link(self, obj: Transaction) -> Any:
        return link(mono(obj.reverses_id), "wallet_transaction_change", obj.reverses_id) if obj.reverses_id else NOTHING

    def get_fields(self, request: HttpRequest, obj: Transaction | None = None) -> Any:
        # What only some transactions have is shown where they have it.
        absent = {name for attribute, name in OPTIONAL.items() if not getattr(obj, attribute, None)}
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        transactions: QuerySet[Transaction] = super().get_queryset(request)
        return transactions.select_related("player", "wallet", "game")

    def named(self, queryset: QuerySet[Transaction], text: str) -> QuerySet[Transaction]:
        condition = Q(mm_transaction_id=text)
        if id := read_uuid(text):
            condition |= Q(pk=id)
        if player := Player.objects.filter(uid=text).first():
            condition |= Q(player_id=player.pk)
        return queryset.filter(condition)

    def of_session(self, queryset: QuerySet[Transaction], session: GameSession) -> QuerySet[Transaction]:
        # There is no index on the session; the unique key begins with player and game.
        return queryset.filter(player_id=session.player_id, game_id=session.game_id, session_id=session.pk)

    def sections(self, request: HttpRequest, obj: Model) -> list[Section]:
        assert isinstance(obj, Transaction)
        code = obj.wallet.currency_id
        found = [
            (row.get_kind_display().capitalize(), row.times_seen, clock(row.first_seen_at), clock(row.last_seen_at))
            for row in obj.discrepancies.filter(player_id=obj.player_id)
        ]
        calls = calls_of_transaction(obj)
        none_called = "No game call names this transaction: an operator or the platform made it, or the log of that day was cleared."
        more = ("All calls of this id", search_address("wallet_apicall", obj.mm_transaction_id or "")) if calls else None
        return [
            journal.section("Journal", journal.entries_of_transaction(obj), code, empty="No entry: the audit will say why."),
            Section("Calls", CALL_HEADERS, [call_row(call) for call in calls], none_called, more),
            Section("Discrepancies", ("What", "Times", "First seen (UTC)", "Last seen (UTC)"), found, "None: game and platform agree."),
        ]
