"""The call log: read only."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, moment, mono, search_address
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.pagination import BigTableAdmin
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import Credential, GameSession
from wallet.admin.amounts import amount_cell
from wallet.models import ApiCall, Transaction

SUCCESSES = ("opened", "confirmed", "rolled_back", "found")
CALL_HEADERS = ("When (UTC)", "Endpoint", "Amount", "Outcome", "From", "Took")
MOST_CALLS = 50


def show_outcome(call: ApiCall) -> SafeString:
    """How a call was answered; a repeat got the stored answer."""
    words = call.outcome.replace("_", " ") + (" (repeat)" if call.replayed else "")
    return badge(words, "success" if call.outcome in SUCCESSES else "danger")


def took(call: ApiCall) -> str:
    return f"{call.took_us / 1000:.1f} ms"


def call_row(call: ApiCall) -> tuple[Any, ...]:
    """A call in the table of another page, by `CALL_HEADERS`."""
    at = link(clock(call.at), "wallet_apicall_change", call.pk)
    return (
        at,
        call.endpoint,
        amount_cell(call.amount, call.currency_code),
        show_outcome(call),
        mono(call.address),
        took(call),
    )


def calls_of_transaction(transaction: Transaction) -> list[ApiCall]:
    """The latest calls that named a transaction, those included that were refused before a player was known."""
    if transaction.mm_transaction_id is None or transaction.game_id is None:
        return []
    named = ApiCall.objects.filter(
        mm_transaction_id=transaction.mm_transaction_id, game_id=transaction.game_id
    )
    ours = (
        Q(transaction_id=transaction.pk)
        | Q(transaction_id=None, player_id=None)
        | Q(transaction_id=None, player_id=transaction.player_id)
    )
    return list(named.filter(ours).order_by("-id")[:MOST_CALLS])


def calls_section(transaction: Transaction) -> Section:
    """The latest calls about a transaction, for the pages of others."""
    calls = calls_of_transaction(transaction)
    empty = "No game call names this transaction: an operator or the platform made it, or the log of that day was cleared."
    more = (
        ("All calls of this id", search_address("wallet_apicall", transaction.mm_transaction_id or ""))
        if calls
        else None
    )
    return Section("Calls", CALL_HEADERS, [call_row(call) for call in calls], empty, more)


@admin.register(ApiCall)
class ApiCallAdmin(SearchingAdmin, BigTableAdmin):
    """What a game really sent, and how it was answered."""

    list_display = (
        "at_clock",
        "game_slug",
        "endpoint",
        "mm_short",
        "amount_major",
        "outcome_shown",
        "player_uid",
        "took_ms",
    )
    search_help_text = "Exact mmTransactionId or qwTransactionId"
    empty_text = "Every wallet call that names a transaction is written down here. No game has called yet."
    fields = (
        *("full_id", "at_utc", "endpoint", "mm_id", "transaction_link", "amount_major", "outcome_shown"),
        *("replayed", "game_slug", "player_uid", "credential_link", "address_shown", "took_ms"),
    )

    @admin.display(description="id")
    def full_id(self, obj: ApiCall) -> SafeString:
        return mono(obj.pk)

    @admin.display(description="when (UTC)")
    def at_clock(self, obj: ApiCall) -> SafeString:
        return clock(obj.at)

    @admin.display(description="game's id")
    def mm_short(self, obj: ApiCall) -> SafeString:
        return clipped(obj.mm_transaction_id)

    @admin.display(description="when")
    def at_utc(self, obj: ApiCall) -> str:
        return moment(obj.at)

    @admin.display(description="game")
    def game_slug(self, obj: ApiCall) -> str:
        return obj.game.slug

    @admin.display(description="game's id (mmTransactionId)")
    def mm_id(self, obj: ApiCall) -> SafeString:
        return mono(obj.mm_transaction_id)

    @admin.display(description="amount")
    def amount_major(self, obj: ApiCall) -> SafeString:
        return amount_cell(obj.amount, obj.currency_code)

    @admin.display(description="outcome")
    def outcome_shown(self, obj: ApiCall) -> SafeString:
        return show_outcome(obj)

    @admin.display(description="player")
    def player_uid(self, obj: ApiCall) -> Any:
        return player_link(obj.player) if obj.player else NOTHING

    @admin.display(description="transaction")
    def transaction_link(self, obj: ApiCall) -> Any:
        return (
            link(mono(obj.transaction_id), "wallet_transaction_change", obj.transaction_id)
            if obj.transaction_id
            else "none was found or opened"
        )

    @admin.display(description="credential")
    def credential_link(self, obj: ApiCall) -> Any:
        found = Credential.objects.filter(pk=obj.credential).first()
        return link(found.username, "players_credential_change", found.pk) if found else mono(obj.credential)

    @admin.display(description="from")
    def address_shown(self, obj: ApiCall) -> SafeString:
        return mono(obj.address)

    @admin.display(description="took")
    def took_ms(self, obj: ApiCall) -> str:
        return took(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiCall]:
        calls: QuerySet[ApiCall] = super().get_queryset(request)
        return calls.select_related("game", "player")

    def named(self, queryset: QuerySet[ApiCall], text: str) -> QuerySet[ApiCall]:
        id = read_uuid(text)
        known = Transaction.objects.filter(pk=id).first() if id else None
        if known and known.mm_transaction_id:
            return queryset.filter(mm_transaction_id=known.mm_transaction_id, transaction_id=known.pk)
        return queryset.filter(mm_transaction_id=text)

    def of_session(self, queryset: QuerySet[ApiCall], session: GameSession) -> QuerySet[ApiCall]:
        # The log does not name sessions.
        return queryset.none()
