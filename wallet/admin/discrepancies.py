"""Discrepancies between games and the ledger: read only; a person corrects them by adjustments."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice import columns
from lib.backoffice.formatting import NOTHING, clipped, mono, sentence, short_id
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.pagination import BigTableAdmin
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import GameSession, Player
from wallet.admin.amounts import amount_column
from wallet.admin.calls import calls_section
from wallet.admin.transaction_states import settled_column, show_state, transaction_title, wallet_column
from wallet.models import Discrepancy, Transaction

Kind = Discrepancy.Kind
# A short name for the list; and what it means for the money.
MEANINGS = {
    Kind.CONFIRM_OF_RETURNED: (
        "confirmed, but returned",
        (
            "The game considers the transaction confirmed; the platform ended it without moving the money. "
            "If the game is right, correct it by a debit (withdrawal) or a credit (deposit) of the wallet."
        ),
    ),
    Kind.ROLLBACK_OF_CONFIRMED: (
        "rolled back, but confirmed",
        (
            "The game considers the transaction void; the platform moved the money. "
            "If the game is right, correct it by a credit (withdrawal) or a debit (deposit) of the wallet."
        ),
    ),
    Kind.TOMBSTONE_ELSEWHERE: (
        "id of another player",
        (
            "The game rolled back an id that this player never had, while it is pending for another player. "
            "The game may have named the wrong player. "
            "Nothing has moved, and the other transaction stays pending until the game settles it."
        ),
    ),
}


@admin.register(Discrepancy)
class DiscrepancyAdmin(SessionSearchAdmin, BigTableAdmin):
    """A call of a game that contradicts a settled transaction."""

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
    empty_text = "No game has contradicted a settled transaction."
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

    kind_short = columns.text("kind", lambda row: MEANINGS[Kind(row.kind)][0])
    kind_shown = columns.text("kind", lambda row: row.get_kind_display().capitalize())
    meaning = columns.text("meaning", lambda row: MEANINGS[Kind(row.kind)][1])
    transaction_short = columns.link(
        "transaction", "wallet_transaction_change", "transaction_id", look=short_id
    )
    transaction_full = columns.link("transaction", "wallet_transaction_change", "transaction_id", look=mono)
    mm_id = columns.mono("game's id (mmTransactionId)", "transaction.mm_transaction_id")
    state = columns.text("state", lambda row: show_state(row.transaction))

    settled = settled_column()
    amount_major = amount_column("amount", "transaction.amount", "transaction.wallet.currency_id")
    player_uid = player_column("player", "player")

    wallet_link = wallet_column("transaction.wallet")
    game_slug = columns.text(
        "game", lambda row: clipped(row.transaction.game.slug) if row.transaction.game else NOTHING
    )
    times = columns.number("occurrences", "times_seen")
    first_clock = columns.clock("first seen (UTC)", "first_seen_at")
    first_seen = columns.moment("first seen", "first_seen_at")
    last_seen = columns.moment("last seen", "last_seen_at")

    def title_of(self, row: Discrepancy) -> str:
        return f"{sentence(MEANINGS[Kind(row.kind)][0])}: {transaction_title(row.transaction)}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Discrepancy]:
        rows: QuerySet[Discrepancy] = super().get_queryset(request)
        needed = ("player", "transaction__wallet", "transaction__player", "transaction__game")
        return rows.select_related(*needed).defer("transaction__wallet__head")

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
