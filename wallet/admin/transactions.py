"""Transactions: read only, found by exact ids, with their journal, calls and discrepancies."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until
from lib.backoffice.filters import SOONEST_FIRST, Rows, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, clock, link, mono
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from lib.clock import now
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import Game, GameSession, Player
from wallet.admin import journal, transaction_story
from wallet.admin.amounts import amount_column, amount_conditions
from wallet.admin.calls import calls_section
from wallet.admin.discrepancies import show_discrepancy_state
from wallet.admin.manual_review_actions import PendingActions
from wallet.admin.review_reasons import show_doubt, tally
from wallet.admin.transaction_states import REFUSALS, show_state, show_type, transaction_title
from wallet.admin.transaction_why import why
from wallet.models import Discrepancy, Inquiry, Transaction
from wallet.models.days import of_mm_id

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
    """Pending transactions, by their one index. Other states have none, and would read the whole table."""

    title = _("state")
    parameter_name = "unfinished"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection(_("All")),
        "pending": Selection(
            _("Pending"),
            pending,
            ("due_at", "pk"),
            _("Nothing is pending: every transaction is settled."),
            SOONEST_FIRST,
        ),
        "due": Selection(
            _("Pending and due"), pending_and_due, ("due_at", "pk"), _("Nothing is due."), SOONEST_FIRST
        ),
    }


def first_step(transaction: Transaction) -> SafeString:
    """The next step of a pending transaction, in short, from what the list has read."""
    inquiry: Inquiry | None = getattr(transaction, "inquiry", None)
    if inquiry and not inquiry.closed_at:
        return link(show_doubt(inquiry), "wallet_inquiry_change", inquiry.pk)
    if transaction.type == Transaction.Type.SET_ASIDE:
        # It never becomes due.
        return badge(_("refund ends it"), "info")
    game = transaction.game
    if game is not None and game.query_url:
        return badge(_("game is queried"), "info")
    return (
        badge(_("is held"), "warning")
        if game is not None and game.unanswered_policy == game.Policy.HOLD
        else badge(_("expires"))
    )


@admin.register(Transaction)
class TransactionAdmin(PendingActions, SessionSearchAdmin, SelectingAdmin):
    """A movement of a player's money in its present state; the journal below says how it came to it."""

    list_filter = (Unfinished,)
    conditions = (
        since(),
        until(),
        choice("type", _("Type"), "type", lambda: Transaction.Type.choices),
        choice("state", _("State"), "state", lambda: Transaction.State.choices),
        choice("game", _("Game"), "game_id", slugs(Game)),
        *amount_conditions("amount", "wallet__currency_id"),
    )
    search_help_text = _("Exact uid, mmTransactionId, qwTransactionId, or a session token")
    empty_text = _(
        "A transaction is recorded when a game withdraws or deposits, a payment is credited, "
        "or an operator adjusts a wallet."
    )
    head_columns = HeadColumns(
        ["shown_state"], ["why"], ["amount_major", "player_uid", "wallet_link", "game_slug", "order_link"]
    )
    fields = (
        *("full_id", "mm_id", "type_shown", "refusal_shown", "session_link"),
        *(
            "description_shown",
            "opened",
            "opened_by",
            "due",
            "inquiry_link",
            "settled",
            "settled_by",
            "reason_shown",
            "reverses_link",
        ),
    )

    why = columns.text(_("what happened"), "why")
    short = columns.short_id(_("our id"))
    full_id = columns.mono(_("our id (qwTransactionId)"), "pk")
    mm_id = columns.mono(_("game's id (mmTransactionId)"), "mm_transaction_id")
    mm_short = columns.clipped(_("game's id"), "mm_transaction_id")
    kind = columns.text(_("type"), show_type)
    type_shown = columns.text(_("type"), lambda row: row.get_type_display())
    opened_clock = columns.clock(_("opened (UTC)"), "opened_at")
    shown_state = columns.text(_("state"), show_state)
    refusal_shown = columns.text(
        _("reason for declining"), lambda row: REFUSALS.get(row.refusal, row.refusal) or NOTHING
    )
    amount_major = amount_column(_("amount"), "amount", "wallet.currency_id")
    player_uid = player_column(_("player"), "player")
    game_slug = columns.text(_("game"), "game.slug")
    wallet_link = columns.link(_("wallet"), "wallet_wallet_change", "wallet_id", "wallet.currency_id")
    session_link = columns.link(_("session"), "players_gamesession_change", "session_id", look=mono)
    description_shown = columns.text(_("description"), "description")
    opened = columns.moment(_("opened"), "opened_at")
    opened_by = columns.text(_("opened by"), "actor")
    due = columns.moment(_("due"), "due_at")
    due_clock = columns.clock(_("due (UTC)"), "due_at")
    then = columns.text(_("next step"), first_step)

    @admin.display(description=_("status queries"))
    def inquiry_link(self, obj: Transaction) -> SafeString:
        inquiry = obj.inquiry
        words = (
            _("Manual review: {doubt}").format(doubt=inquiry.get_doubt_display())
            if inquiry.doubt and not inquiry.closed_at
            else tally(inquiry)
        )
        return link(words, "wallet_inquiry_change", inquiry.pk)

    settled = columns.moment(_("settled"), "settled_at")
    settled_by = columns.text(_("settled by"), "settled_actor")
    reason_shown = columns.text(_("reason"), "reason")
    reverses_link = columns.link(_("reverses"), "wallet_transaction_change", "reverses_id", look=mono)

    order_link = columns.link(_("order"), "payments_order_change", "reference", look=mono)

    def title_of(self, row: Transaction) -> str:
        return transaction_title(row)

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
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
        # Fields that only some transactions have are shown if they have them.
        absent = {name for attribute, name in OPTIONAL.items() if not getattr(obj, attribute, None)}
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Transaction]:
        transactions: QuerySet[Transaction] = super().get_queryset(request)
        return transactions.select_related("player", "wallet", "game", "inquiry").defer("wallet__head")

    def named(self, queryset: QuerySet[Transaction], text: str) -> QuerySet[Transaction]:
        condition = of_mm_id(text)
        if id := read_uuid(text):
            condition |= Q(pk=id)
        if player := Player.objects.filter(uid=text).first():
            condition |= Q(player_id=player.pk)
        return queryset.filter(condition)

    def of_session(self, queryset: QuerySet[Transaction], session: GameSession) -> QuerySet[Transaction]:
        # There is no index on the session; the unique key begins with player and game.
        return queryset.filter(player_id=session.player_id, game_id=session.game_id, session_id=session.pk)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Transaction | None:
        # A field of the page is asked for several times.
        row: Any = super().get_object(request, object_id, from_field)
        if row:
            found = row.discrepancies.filter(player_id=row.player_id)
            row.contradictions = list(
                found.select_related("player", "transaction__game", "transaction__wallet")
            )
            is_open = any(one.closed_at is None for one in row.contradictions)
            row.why = why(row, now(), is_contradicted=is_open)
        return row  # type: ignore[no-any-return]

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        return [
            transaction_story.section(request, obj, obj.contradictions),
            journal.section(
                _("Journal"),
                journal.entries_of_transaction(obj),
                obj.wallet.currency_id,
                empty=_("No entry: the audit reports why."),
            ),
            calls_section(obj),
            discrepancies_section(obj),
            journal.section(
                _("Around it in the wallet"),
                journal.entries_around(obj),
                obj.wallet.currency_id,
                empty=_("There is nothing else in this wallet."),
            ),
        ]


def discrepancies_section(transaction: Any) -> Section:
    """Where the game contradicts, and whether that is settled."""
    rows = [
        (
            link(row.get_kind_display().capitalize(), "wallet_discrepancy_change", row.pk),
            show_discrepancy_state(row),
            row.times_seen,
            clock(row.first_seen_at),
            clock(row.last_seen_at),
        )
        for row in transaction.contradictions
    ]
    headers = (_("Kind"), _("State"), _("Occurrences"), _("First seen (UTC)"), _("Last seen (UTC)"))
    return Section(Discrepancy, _("Discrepancies"), headers, rows, _("None: game and platform agree."))
