"""Discrepancies between games and the ledger: those that wait for a person come first."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until
from lib.backoffice.filters import OLDEST_FIRST, Rows, SelectingAdmin, Selection
from lib.backoffice.formatting import NOTHING, badge, clipped, mono, sentence, short_id
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.recorded_forms import acts_section
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import Game, GameSession, Player
from wallet.admin.amounts import amount_column
from wallet.admin.calls import calls_section
from wallet.admin.discrepancy_actions import DiscrepancyActions
from wallet.admin.discrepancy_words import MEANINGS, ending, what_happened
from wallet.admin.owners import Owned, OwnedRows, mine
from wallet.admin.transaction_states import settled_column, show_state, transaction_title, wallet_column
from wallet.models import Discrepancy, Transaction

Kind = Discrepancy.Kind


def still_open(rows: Rows) -> Rows:
    """By the index of those that are open."""
    return rows.filter(closed_at=None)


OPEN = Selection(
    _("Open"),
    still_open,
    ("first_seen_at", "pk"),
    _("No discrepancy is open: games and platform agree."),
    OLDEST_FIRST,
)


class States(Owned):
    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "open": OPEN,
        "mine": mine(OPEN),
        "closed": Selection(
            _("Closed"),
            lambda rows: rows.filter(closed_at__isnull=False),
            empty=_("None has been closed yet."),
        ),
        "all": Selection(_("All"), empty=_("No game has contradicted a settled transaction.")),
    }
    searched = "all"


def show_discrepancy_state(row: Discrepancy) -> SafeString:
    """Whether it waits for a person, and how it ended."""
    if row.closed_at is None:
        return badge(_("open"), "warning")
    return badge(_("settled as the game says"), "success") if row.correction_id else badge(_("closed"))


def next_step(row: Discrepancy) -> str:
    """What to do about an open one; how a closed one ended."""
    if row.closed_at:
        return _("Closed {ending}").format(ending=ending(row))
    return MEANINGS[Kind(row.kind)][1]


@admin.register(Discrepancy)
class DiscrepancyAdmin(DiscrepancyActions, OwnedRows, SessionSearchAdmin, SelectingAdmin):
    """A call of a game that contradicts a settled transaction."""

    list_filter = (States,)

    conditions = (
        since(),
        until(),
        choice("kind", _("Kind"), "kind", lambda: Kind.choices),
        choice("game", _("Game"), "transaction__game_id", slugs(Game)),
    )
    search_help_text = _("Exact uid or qwTransactionId")
    empty_text = _("No game has contradicted a settled transaction.")
    head_columns = HeadColumns(
        ["shown_state"], ["what", "next_step"], ["amount_major", "player_uid", "game_slug", "owner_shown"]
    )
    fields = (
        *("transaction_full", "mm_id", "state", "settled", "wallet_link", "correction_link"),
        *("times", "first_seen", "last_seen"),
    )

    kind_short = columns.text(_("kind"), lambda row: MEANINGS[Kind(row.kind)][0])
    what = columns.text(_("what happened"), what_happened)
    shown_state = columns.text(_("state"), show_discrepancy_state)
    next_step = columns.text(_("what to do"), next_step)
    correction_link = columns.link(_("booked by"), "wallet_transaction_change", "correction_id", look=mono)
    transaction_short = columns.link(
        _("transaction"), "wallet_transaction_change", "transaction_id", look=short_id
    )
    transaction_full = columns.link(
        _("transaction"), "wallet_transaction_change", "transaction_id", look=mono
    )
    mm_id = columns.mono(_("game's id (mmTransactionId)"), "transaction.mm_transaction_id")
    state = columns.text(_("its state"), lambda row: show_state(row.transaction))

    settled = settled_column()
    amount_major = amount_column(_("amount"), "transaction.amount", "transaction.wallet.currency_id")
    player_uid = player_column(_("player"), "player")

    wallet_link = wallet_column("transaction.wallet")
    game_slug = columns.text(
        _("game"), lambda row: clipped(row.transaction.game.slug) if row.transaction.game else NOTHING
    )
    times = columns.number(_("occurrences"), "times_seen")
    first_clock = columns.clock(_("first seen (UTC)"), "first_seen_at")
    first_seen = columns.moment(_("first seen"), "first_seen_at")
    last_seen = columns.moment(_("last seen"), "last_seen_at")

    def title_of(self, row: Discrepancy) -> str:
        return f"{sentence(MEANINGS[Kind(row.kind)][0])}: {transaction_title(row.transaction)}"

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        is_open = States.name_in(request) in ("open", "mine")
        return (
            *("first_clock", "kind_short", "transaction_short", "amount_major", "player_uid", "game_slug"),
            *(("owner_shown",) if is_open else ("shown_state",)),
            "times",
        )

    def get_fields(self, request: HttpRequest, obj: Discrepancy | None = None) -> Any:
        is_booked = obj is not None and obj.correction_id is not None
        return [name for name in self.fields if is_booked or name != "correction_link"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Discrepancy]:
        rows: QuerySet[Discrepancy] = super().get_queryset(request)
        return rows.select_related(
            "player", "owner", "transaction__wallet", "transaction__player", "transaction__game"
        ).defer("transaction__wallet__head")

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
        return [calls_section(obj.transaction), acts_section(request, obj, 1)]
