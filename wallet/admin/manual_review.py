"""Manual review: due transactions that no rule settles. Those that wait for a decision come first."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until
from lib.backoffice.filters import OLDEST_FIRST, SOONEST_FIRST, Rows, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, clock, mono, sentence
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.pagination import read_page
from lib.backoffice.recorded_forms import acts_section
from lib.clock import now
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import Game, GameSession, Player
from wallet.admin import status_queries
from wallet.admin.amounts import amount_column
from wallet.admin.calls import calls_section
from wallet.admin.manual_review_actions import ReviewActions
from wallet.admin.review_reasons import DOUBTS, show_doubt, tally
from wallet.admin.transaction_states import (
    settled_column,
    show_state,
    show_type,
    transaction_title,
    wallet_column,
)
from wallet.models import Inquiry
from wallet.models.days import of_mm_id
from wallet.settlement.due import forecast

LISTED = _(
    "A transaction is listed when it is due, and its game is queried or its policy is to hold, "
    "or when an operator has its game asked."
)


def in_doubt(rows: Rows) -> Rows:
    """The inquiries that wait for a person, without those settled a moment ago that are not closed yet."""
    return rows.filter(closed_at=None, doubt_since__isnull=False, transaction__settled_at=None)


def waiting(rows: Rows) -> Rows:
    return rows.filter(closed_at=None, next_attempt_at__isnull=False, doubt="")


def still_open(rows: Rows) -> Rows:
    # As the two partial indexes have it: one of them is always true of what is open.
    return rows.filter(Q(next_attempt_at__isnull=False) | Q(doubt_since__isnull=False), closed_at=None)


def in_doubt_now(row: Inquiry) -> bool:
    return bool(row.doubt) and row.closed_at is None


def next_words(row: Inquiry) -> str:
    return _("Next: {step}.").format(step=forecast(row.transaction, now()))


class States(Selections):
    """Those that need a decision come first."""

    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "doubt": Selection(
            _("To decide"),
            in_doubt,
            ("doubt_since", "pk"),
            _("Nothing to decide: no transaction needs manual review."),
            OLDEST_FIRST,
        ),
        "waiting": Selection(
            _("Waiting for the game"),
            waiting,
            ("next_attempt_at", "pk"),
            _("No transaction waits for a game's answer."),
            SOONEST_FIRST,
        ),
        "open": Selection(
            _("All open"),
            still_open,
            ("began_at", "pk"),
            _("Every due transaction is settled."),
            OLDEST_FIRST,
        ),
        "closed": Selection(
            _("Closed"),
            lambda rows: rows.filter(closed_at__isnull=False),
            ("-pk",),
            _("Nothing has been closed yet."),
        ),
        "all": Selection(
            _("All"),
            empty=LISTED,
        ),
    }
    searched = "all"


@admin.register(Inquiry)
class InquiryAdmin(ReviewActions, SessionSearchAdmin, SelectingAdmin):
    """A due transaction that the game is queried about, or that a person has to decide."""

    list_filter = (States,)
    conditions = (
        since("began_at"),
        until("began_at"),
        choice("game", _("Game"), "game_id", slugs(Game)),
    )
    search_help_text = _("Exact uid, mmTransactionId, qwTransactionId, or a session token")
    empty_text = LISTED
    head_columns = HeadColumns(
        ["doubt_shown", "transaction_state"],
        ["why", "advice", "next_step"],
        ["amount_major", "player_uid", "game_link", "doubt_began"],
    )
    fields = (
        *("counted", "closed"),
        *("transaction_link", "mm_id", "settled", "kind", "wallet_link", "opened", "due"),
    )

    since = columns.text(_("since (UTC)"), lambda row: clock(row.doubt_since or row.began_at))
    closed_clock = columns.clock(_("closed (UTC)"), "closed_at")
    doubt_shown = columns.text(_("reason"), show_doubt)
    player_uid = player_column(_("player"), "player")
    game_slug = columns.clipped(_("game"), "game.slug")
    game_link = columns.link(_("game"), "players_game_change", "game_id", "game.slug")
    kind = columns.text(_("type"), lambda row: show_type(row.transaction))
    amount_major = amount_column(_("amount"), "transaction.amount", "transaction.wallet.currency_id")
    answer_shown = columns.text(
        _("last answer"), lambda row: status_queries.show_answer(row.last_answer, short=True)
    )
    times_asked = columns.number(_("queries"), "questions_asked")
    next_clock = columns.clock(_("next query (UTC)"), "next_attempt_at")
    transaction_state = columns.text(_("state"), lambda row: show_state(row.transaction))

    settled = settled_column()
    transaction_link = columns.link(
        _("transaction"), "wallet_transaction_change", "transaction_id", look=mono
    )
    mm_id = columns.mono(_("game's id (mmTransactionId)"), "transaction.mm_transaction_id")

    wallet_link = wallet_column("transaction.wallet")
    opened = columns.moment(_("opened"), "transaction.opened_at")
    due = columns.moment(_("due since"), "transaction.due_at")
    why = columns.text(
        _("reason for review"), lambda row: sentence(row.get_doubt_display()) if row.doubt else NOTHING
    )
    doubt_began = columns.moment(_("waiting since"), "doubt_since")
    advice = columns.text(
        _("advice"), lambda row: DOUBTS[Inquiry.Doubt(row.doubt)][1] if in_doubt_now(row) else NOTHING
    )
    next_step = columns.text(
        _("next step"),
        lambda row: NOTHING if row.closed_at else next_words(row),
    )
    counted = columns.text(_("status queries"), tally)
    closed = columns.moment(_("closed"), "closed_at")

    def title_of(self, row: Inquiry) -> str:
        return transaction_title(row.transaction)

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        what = ("player_uid", "game_slug", "kind", "amount_major", "answer_shown", "times_asked")
        if States.name_in(request) == "closed":
            return ("closed_clock", "transaction_state", *what)
        return ("since", "doubt_shown", *what, "next_clock")

    def get_fields(self, request: HttpRequest, obj: Inquiry | None = None) -> Any:
        is_closed = bool(obj and obj.closed_at)
        is_settled = bool(obj and obj.transaction.settled_at)
        absent = {name for name, is_there in (("closed", is_closed), ("settled", is_settled)) if not is_there}
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Inquiry]:
        rows: QuerySet[Inquiry] = super().get_queryset(request)
        needed = ("transaction__wallet", "transaction__player", "transaction__game", "player", "game")
        return rows.select_related(*needed).defer("transaction__wallet__head")

    def named(self, queryset: QuerySet[Inquiry], text: str) -> QuerySet[Inquiry]:
        condition = of_mm_id(text, "transaction__")
        if id := read_uuid(text):
            condition |= Q(transaction_id=id)
        if player := Player.objects.filter(uid=text).first():
            condition |= Q(transaction__player_id=player.pk)
        return queryset.filter(condition)

    def of_session(self, queryset: QuerySet[Inquiry], session: GameSession) -> QuerySet[Inquiry]:
        return queryset.filter(
            transaction__player_id=session.player_id,
            transaction__game_id=session.game_id,
            transaction__session_id=session.pk,
        )

    def sections(self, request: HttpRequest, obj: Inquiry) -> list[Section]:
        page = read_page(request.GET.get("questions", ""))
        return [
            status_queries.section(obj, page, now()),
            acts_section(request, obj, 1),
            calls_section(obj.transaction),
        ]
