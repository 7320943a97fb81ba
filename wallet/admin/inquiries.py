"""Due transactions that no rule settles at once: what is in doubt comes first, it waits for a person."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.filters import Rows, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import clipped, clock, link, moment, mono
from lib.backoffice.pages import Section, read_uuid
from lib.clock import now
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import GameSession, Player
from wallet.admin import questions
from wallet.admin.amounts import amount_cell
from wallet.admin.calls import calls_section
from wallet.admin.decisions import DecidingActions
from wallet.admin.manual_review import DOUBTS, sentence, show_doubt, tally
from wallet.admin.states import show_state
from wallet.models import Inquiry
from wallet.settlement.due import forecast

LATEST_DECISIONS = 20
OLDEST, SOONEST = ("Older", "Newer"), ("Sooner", "Later")


def in_doubt(rows: Rows) -> Rows:
    """What waits for a person; what was settled a moment ago and is not closed yet is left out."""
    return rows.filter(closed_at=None, doubt_since__isnull=False, transaction__settled_at=None)


def waiting(rows: Rows) -> Rows:
    return rows.filter(closed_at=None, next_attempt_at__isnull=False, doubt="")


def still_open(rows: Rows) -> Rows:
    # As the two partial indexes have it: one of them is always true of what is open.
    return rows.filter(Q(next_attempt_at__isnull=False) | Q(doubt_since__isnull=False), closed_at=None)


class States(Selections):
    """What has to be decided, first."""

    title = "state"
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "doubt": Selection(
            "In doubt",
            in_doubt,
            ("doubt_since", "pk"),
            "Nothing is in doubt: there is nothing to decide.",
            OLDEST,
        ),
        "waiting": Selection(
            "Waiting for the game",
            waiting,
            ("next_attempt_at", "pk"),
            "The platform waits for no game's answer.",
            SOONEST,
        ),
        "open": Selection(
            "All open", still_open, ("began_at", "pk"), "Every due transaction is settled.", OLDEST
        ),
        "closed": Selection(
            "Closed", lambda rows: rows.filter(closed_at__isnull=False), ("-pk",), "No inquiry is closed yet."
        ),
        "all": Selection(
            "All",
            empty="No inquiry yet: the platform begins one when a transaction is due and has to be asked about.",
        ),
    }
    searched = "all"


@admin.register(Inquiry)
class InquiryAdmin(DecidingActions, SearchingAdmin, SelectingAdmin):
    """A due transaction that the platform asks the game about, or that a person has to decide."""

    list_filter = (States,)
    search_help_text = "Exact uid, mmTransactionId, qwTransactionId, or a session token"
    empty_text = "The platform begins one when a transaction is due and has to be asked about, or held."
    fields = (
        *("why", "doubt_began", "advice", "next_step", "counted", "closed"),
        *(
            "transaction_link",
            "mm_id",
            "transaction_state",
            "settled",
            "kind",
            "amount_major",
            "player_uid",
            "wallet_link",
            "game_link",
            "opened",
            "due",
        ),
    )

    @admin.display(description="since (UTC)")
    def since(self, obj: Inquiry) -> SafeString:
        return clock(obj.doubt_since or obj.began_at)

    @admin.display(description="closed (UTC)")
    def closed_clock(self, obj: Inquiry) -> SafeString:
        return clock(obj.closed_at)

    @admin.display(description="why")
    def doubt_shown(self, obj: Inquiry) -> SafeString:
        return show_doubt(obj)

    @admin.display(description="player")
    def player_uid(self, obj: Inquiry) -> SafeString:
        return player_link(obj.player)

    @admin.display(description="game")
    def game_slug(self, obj: Inquiry) -> SafeString:
        return clipped(obj.game.slug)

    @admin.display(description="game")
    def game_link(self, obj: Inquiry) -> SafeString:
        return link(obj.game.slug, "players_game_change", obj.game_id)

    @admin.display(description="type")
    def kind(self, obj: Inquiry) -> str:
        return obj.transaction.type

    @admin.display(description="amount")
    def amount_major(self, obj: Inquiry) -> SafeString:
        return amount_cell(obj.transaction.amount, obj.transaction.wallet.currency_id)

    @admin.display(description="last answer")
    def answer_shown(self, obj: Inquiry) -> SafeString:
        return questions.show_answer(obj.last_answer, short=True)

    @admin.display(description="asked")
    def times_asked(self, obj: Inquiry) -> str:
        return f"{obj.questions_asked:,}"

    @admin.display(description="next (UTC)")
    def next_clock(self, obj: Inquiry) -> SafeString:
        return clock(obj.next_attempt_at)

    @admin.display(description="state")
    def transaction_state(self, obj: Inquiry) -> SafeString:
        return show_state(obj.transaction)

    @admin.display(description="settled")
    def settled(self, obj: Inquiry) -> str:
        by = obj.transaction
        return f"{moment(by.settled_at)} by {by.settled_actor}{f': {by.reason}' if by.reason else ''}"

    @admin.display(description="transaction")
    def transaction_link(self, obj: Inquiry) -> SafeString:
        return link(mono(obj.transaction_id), "wallet_transaction_change", obj.transaction_id)

    @admin.display(description="game's id (mmTransactionId)")
    def mm_id(self, obj: Inquiry) -> SafeString:
        return mono(obj.transaction.mm_transaction_id)

    @admin.display(description="wallet")
    def wallet_link(self, obj: Inquiry) -> SafeString:
        code = obj.transaction.wallet.currency_id
        return link(f"{code} wallet and its journal", "wallet_wallet_change", obj.transaction.wallet_id)

    @admin.display(description="opened")
    def opened(self, obj: Inquiry) -> str:
        return moment(obj.transaction.opened_at)

    @admin.display(description="due since")
    def due(self, obj: Inquiry) -> str:
        return moment(obj.transaction.due_at)

    @admin.display(description="in doubt because")
    def why(self, obj: Inquiry) -> str:
        return obj.get_doubt_display() if obj.doubt else "it is not in doubt"

    @admin.display(description="in doubt since")
    def doubt_began(self, obj: Inquiry) -> str:
        return moment(obj.doubt_since)

    @admin.display(description="what helps")
    def advice(self, obj: Inquiry) -> str:
        return DOUBTS[Inquiry.Doubt(obj.doubt)][1]

    @admin.display(description="what happens next")
    def next_step(self, obj: Inquiry) -> str:
        return sentence(forecast(obj.transaction, now()))

    @admin.display(description="so far")
    def counted(self, obj: Inquiry) -> str:
        return tally(obj)

    @admin.display(description="closed")
    def closed(self, obj: Inquiry) -> str:
        return moment(obj.closed_at)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        what = ("player_uid", "game_slug", "kind", "amount_major", "answer_shown", "times_asked")
        if States.name_in(request) == "closed":
            return ("closed_clock", "transaction_state", *what)
        return ("since", "doubt_shown", *what, "next_clock")

    def get_fields(self, request: HttpRequest, obj: Inquiry | None = None) -> Any:
        absent = set() if obj and obj.doubt else {"doubt_began", "advice"}
        if obj and obj.closed_at:
            # How it came to be in doubt stays; what to do about it is past.
            absent |= {"advice", "next_step"} if obj.doubt else {"why", "advice", "next_step"}
        else:
            absent.add("closed")
        if obj and obj.transaction.settled_at is None:
            absent.add("settled")
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Inquiry]:
        rows: QuerySet[Inquiry] = super().get_queryset(request)
        return rows.select_related("transaction__wallet", "transaction__game", "player", "game").defer(
            "transaction__wallet__head"
        )

    def named(self, queryset: QuerySet[Inquiry], text: str) -> QuerySet[Inquiry]:
        condition = Q(transaction__mm_transaction_id=text)
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
        page = questions.read_page(request.GET.get("questions", ""))
        return [questions.section(obj, page, now()), decisions(obj), calls_section(obj.transaction)]


def decisions(inquiry: Inquiry) -> Section:
    """What operators did about an inquiry, or wanted to, with their reasons."""
    kind = ContentType.objects.get_for_model(Inquiry)
    entries = (
        LogEntry.objects.filter(content_type=kind, object_id=str(inquiry.pk))
        .select_related("user")
        .order_by("-pk")[:LATEST_DECISIONS]
    )
    rows = [
        (clock(entry.action_time), entry.user.get_username(), whole(entry.get_change_message()))
        for entry in entries
    ]
    return Section(
        "What operators did", ("When (UTC)", "Who", "What"), rows, "No operator has done anything about it."
    )


def whole(text: str) -> SafeString:
    """Sentences in a table, over as many lines as they need."""
    return format_html('<span class="wallet-sentence">{}</span>', text)
