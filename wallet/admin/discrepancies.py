"""What contradicts: read only, for a person to set right by an adjustment, or to let be."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, clipped, clock, link, moment, mono, short_id
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.pagination import BigTableAdmin
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import GameSession, Player
from wallet.admin.amounts import amount_cell
from wallet.admin.calls import calls_section
from wallet.admin.states import show_state
from wallet.models import Discrepancy, Transaction

Kind = Discrepancy.Kind
# In a word, for the list; and what it means for the money.
MEANINGS = {
    Kind.CONFIRM_OF_RETURNED: (
        "confirmed, but returned",
        (
            "The game takes the transaction for done, and the platform has ended it without the money moving. "
            "If the game is right, set it right by a debit (withdrawal) or a credit (deposit) of the wallet."
        ),
    ),
    Kind.ROLLBACK_OF_CONFIRMED: (
        "rolled back, but confirmed",
        (
            "The game takes the transaction for void, and the platform has moved the money. "
            "If the game is right, set it right by a credit (withdrawal) or a debit (deposit) of the wallet."
        ),
    ),
    Kind.TOMBSTONE_ELSEWHERE: (
        "id of another player",
        (
            "The game rolled back an id that this player never had, while another player of the game has it pending. "
            "The game may have named the wrong player: nothing has moved, and the other transaction stays pending until the game settles it."
        ),
    ),
}


@admin.register(Discrepancy)
class DiscrepancyAdmin(SearchingAdmin, BigTableAdmin):
    """A game's word against what the platform settled."""

    list_display = (
        "first_clock",
        "kind_short",
        "transaction_short",
        "state",
        "amount_major",
        "player_uid",
        "game_slug",
        "times",
    )
    search_help_text = "Exact uid or qwTransactionId"
    empty_text = "None: no game has contradicted what the platform settled."
    fields = (
        *(
            "kind_shown",
            "meaning",
            "transaction_full",
            "mm_id",
            "state",
            "settled",
            "amount_major",
            "player_uid",
            "wallet_link",
            "game_slug",
        ),
        *("times", "first_seen", "last_seen"),
    )

    @admin.display(description="what")
    def kind_short(self, obj: Discrepancy) -> str:
        return MEANINGS[Kind(obj.kind)][0]

    @admin.display(description="what")
    def kind_shown(self, obj: Discrepancy) -> str:
        return obj.get_kind_display().capitalize()

    @admin.display(description="what it means")
    def meaning(self, obj: Discrepancy) -> str:
        return MEANINGS[Kind(obj.kind)][1]

    @admin.display(description="transaction")
    def transaction_short(self, obj: Discrepancy) -> SafeString:
        return link(short_id(obj.transaction_id), "wallet_transaction_change", obj.transaction_id)

    @admin.display(description="transaction")
    def transaction_full(self, obj: Discrepancy) -> SafeString:
        return link(mono(obj.transaction_id), "wallet_transaction_change", obj.transaction_id)

    @admin.display(description="game's id (mmTransactionId)")
    def mm_id(self, obj: Discrepancy) -> SafeString:
        return mono(obj.transaction.mm_transaction_id)

    @admin.display(description="platform says")
    def state(self, obj: Discrepancy) -> SafeString:
        return show_state(obj.transaction)

    @admin.display(description="settled")
    def settled(self, obj: Discrepancy) -> str:
        by = obj.transaction
        return f"{moment(by.settled_at)} by {by.settled_actor}{f': {by.reason}' if by.reason else ''}"

    @admin.display(description="amount")
    def amount_major(self, obj: Discrepancy) -> SafeString:
        return amount_cell(obj.transaction.amount, obj.transaction.wallet.currency_id)

    @admin.display(description="player")
    def player_uid(self, obj: Discrepancy) -> SafeString:
        return player_link(obj.player)

    @admin.display(description="wallet")
    def wallet_link(self, obj: Discrepancy) -> SafeString:
        code = obj.transaction.wallet.currency_id
        return link(f"{code} wallet and its journal", "wallet_wallet_change", obj.transaction.wallet_id)

    @admin.display(description="game")
    def game_slug(self, obj: Discrepancy) -> Any:
        return clipped(obj.transaction.game.slug) if obj.transaction.game else NOTHING

    @admin.display(description="times")
    def times(self, obj: Discrepancy) -> str:
        return f"{obj.times_seen:,}"

    @admin.display(description="since (UTC)")
    def first_clock(self, obj: Discrepancy) -> SafeString:
        return clock(obj.first_seen_at)

    @admin.display(description="first seen")
    def first_seen(self, obj: Discrepancy) -> str:
        return moment(obj.first_seen_at)

    @admin.display(description="last seen")
    def last_seen(self, obj: Discrepancy) -> str:
        return moment(obj.last_seen_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Discrepancy]:
        rows: QuerySet[Discrepancy] = super().get_queryset(request)
        return rows.select_related("player", "transaction__wallet", "transaction__game").defer(
            "transaction__wallet__head"
        )

    def named(self, queryset: QuerySet[Discrepancy], text: str) -> QuerySet[Discrepancy]:
        id, player = read_uuid(text), Player.objects.filter(uid=text).first()
        if player:
            return queryset.filter(player=player)
        transaction = Transaction.objects.filter(pk=id).first() if id else None
        return (
            queryset.filter(player_id=transaction.player_id, transaction=transaction)
            if transaction
            else queryset.none()
        )

    def of_session(self, queryset: QuerySet[Discrepancy], session: GameSession) -> QuerySet[Discrepancy]:
        return queryset.filter(player_id=session.player_id)

    def sections(self, request: HttpRequest, obj: Discrepancy) -> list[Section]:
        return [calls_section(obj.transaction)]
