"""Transactions: read only, found by exact ids, with their journal, calls and discrepancies."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.filters import Rows, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, moment, mono, short_id
from lib.backoffice.pages import Section, read_uuid
from lib.clock import now
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import GameSession, Player
from wallet.admin import journal
from wallet.admin.amounts import amount_cell
from wallet.admin.calls import calls_section
from wallet.admin.manual_review import sentence, show_doubt, tally
from wallet.admin.states import show_state
from wallet.models import Inquiry, Transaction
from wallet.settlement.due import forecast

SOONEST = ("Sooner", "Later")

# Attributes that may be empty, and the fields that show them.
OPTIONAL = {
    "refusal": "refusal_shown",
    "game_id": "game_slug",
    "session_id": "session_link",
    "description": "description_shown",
    "due_at": "due",
    "inquiry": "inquiry_link",
    "settled_at": "settled",
    "settled_actor": "settled_by",
    "reason": "reason_shown",
    "reverses_id": "reverses_link",
}


def pending(rows: Rows) -> Rows:
    return rows.filter(state="pending")


def pending_and_due(rows: Rows) -> Rows:
    return rows.filter(state="pending", due_at__lte=now())


class Unfinished(Selections):
    """What is still open, by the one index of it. Other states have none, and a rare one would read the whole table."""

    title = "state"
    parameter_name = "unfinished"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection("All"),
        "pending": Selection(
            "Pending", pending, ("due_at", "pk"), "Nothing is pending: every transaction is settled.", SOONEST
        ),
        "due": Selection("Pending and due", pending_and_due, ("due_at", "pk"), "Nothing is due.", SOONEST),
    }


def first_step(transaction: Transaction) -> SafeString:
    """What happens to a pending transaction, in a word, from what the list has read."""
    inquiry: Inquiry | None = getattr(transaction, "inquiry", None)
    if inquiry and not inquiry.closed_at:
        return link(show_doubt(inquiry), "wallet_inquiry_change", inquiry.pk)
    if transaction.type == Transaction.Type.SET_ASIDE:
        # It never becomes due.
        return badge("refund ends it", "info")
    game = transaction.game
    if game is not None and game.query_url:
        return badge("game is asked", "info")
    return (
        badge("is held", "warning")
        if game is not None and game.unanswered_policy == game.Policy.HOLD
        else badge("expires")
    )


@admin.register(Transaction)
class TransactionAdmin(SearchingAdmin, SelectingAdmin):
    """What a game or an operator did with a player's money, as it stands now; the journal below says how it came to it."""

    list_filter = (Unfinished,)
    search_help_text = "Exact uid, mmTransactionId, qwTransactionId, or a session token"
    empty_text = "Transactions appear when a game withdraws or deposits, or an operator adjusts a wallet."
    fields = (
        *(
            "full_id",
            "mm_id",
            "type",
            "shown_state",
            "refusal_shown",
            "amount_major",
            "player_uid",
            "wallet_link",
            "game_slug",
            "session_link",
        ),
        *(
            "description_shown",
            "opened",
            "opened_by",
            "due",
            "next_step",
            "inquiry_link",
            "settled",
            "settled_by",
            "reason_shown",
            "reverses_link",
        ),
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
        return obj.type.replace("_", " ")

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
        return (
            link(mono(obj.session_id), "players_gamesession_change", obj.session_id)
            if obj.session_id
            else NOTHING
        )

    @admin.display(description="description")
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

    @admin.display(description="due (UTC)")
    def due_clock(self, obj: Transaction) -> SafeString:
        return clock(obj.due_at)

    @admin.display(description="then")
    def then(self, obj: Transaction) -> SafeString:
        return first_step(obj)

    @admin.display(description="what happens next")
    def next_step(self, obj: Transaction) -> str:
        return sentence(forecast(obj, now()))

    @admin.display(description="questions to the game")
    def inquiry_link(self, obj: Transaction) -> SafeString:
        inquiry = obj.inquiry
        words = (
            sentence(f"in doubt: {inquiry.get_doubt_display()}")
            if inquiry.doubt and not inquiry.closed_at
            else tally(inquiry)
        )
        return link(words, "wallet_inquiry_change", inquiry.pk)

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
        return (
            link(mono(obj.reverses_id), "wallet_transaction_change", obj.reverses_id)
            if obj.reverses_id
            else NOTHING
        )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        if Unfinished.name_in(request) == "all":
            return (
                "short",
                "opened_clock",
                "kind",
                "shown_state",
                "amount_major",
                "player_uid",
                "game_slug",
                "mm_short",
            )
        return ("short", "due_clock", "then", "kind", "amount_major", "player_uid", "game_slug")

    def get_fields(self, request: HttpRequest, obj: Transaction | None = None) -> Any:
        # What only some transactions have is shown where they have it.
        absent = {name for attribute, name in OPTIONAL.items() if not getattr(obj, attribute, None)}
        if obj is None or obj.settled_at is not None or obj.due_at is None:
            absent.add("next_step")
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        transactions: QuerySet[Transaction] = super().get_queryset(request)
        return transactions.select_related("player", "wallet", "game", "inquiry").defer("wallet__head")

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
            (
                row.get_kind_display().capitalize(),
                row.times_seen,
                clock(row.first_seen_at),
                clock(row.last_seen_at),
            )
            for row in obj.discrepancies.filter(player_id=obj.player_id)
        ]
        return [
            journal.section(
                "Journal",
                journal.entries_of_transaction(obj),
                code,
                empty="No entry: the audit will say why.",
            ),
            calls_section(obj),
            Section(
                "Discrepancies",
                ("What", "Times", "First seen (UTC)", "Last seen (UTC)"),
                found,
                "None: game and platform agree.",
            ),
        ]
