"""The call log: read only."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from lib.backoffice import columns
from lib.backoffice.conditions import Condition, Given, Rows, choice, since, slugs, until
from lib.backoffice.formatting import NOTHING, badge, clock, link, mono, search_address
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.pagination import BigTableAdmin
from lib.http.error_documents import DOCUMENTS
from players.admin.players import player_link
from players.admin.search import SessionSearchAdmin
from players.models import Credential, Game, GameSession, Player
from wallet.admin.amounts import amount_cell, amount_column
from wallet.api.errors import answer_to
from wallet.models import ApiCall, Transaction

SUCCESSES = ("opened", "confirmed", "rolled_back", "found")
CALL_HEADERS = (_("When (UTC)"), _("Endpoint"), _("Amount"), _("Outcome"), _("From"), _("Duration"))
MOST_CALLS = 50
# In the order of `wallet/api/errors.py`, those that succeed first.
OUTCOMES = {
    "opened": _("opened"),
    "confirmed": _("confirmed"),
    "rolled_back": _("rolled back"),
    "found": _("found"),
    "malformed": _("malformed"),
    "unknown_token": _("unknown token"),
    "session_ended": _("session ended"),
    "gaming_off": _("gaming off"),
    "player_inactive": _("player inactive"),
    "wallet_frozen": _("wallet frozen"),
    "insufficient_funds": _("insufficient funds"),
    "foreign_currency": _("foreign currency"),
    "not_found": _("not found"),
    "already_confirmed": _("already confirmed"),
    "already_rolled_back": _("already rolled back"),
    "already_expired": _("already expired"),
    "other_content": _("other content"),
    "limit_reached": _("limit reached"),
    "maintenance": _("maintenance"),
}


def show_outcome(call: ApiCall) -> SafeString:
    """The outcome of a call; a repeat got the stored answer."""
    answer = answer_to(call.outcome)
    number = f"{answer[0]} " if answer else ""
    words = OUTCOMES.get(call.outcome, call.outcome.replace("_", " "))
    words = _("{words} (repeat)").format(words=words) if call.replayed else words
    return badge(f"{number}{words}", "success" if call.outcome in SUCCESSES else "danger")


def sentence_of(call: ApiCall) -> str:
    """The sentence that the game got, if it was refused."""
    answer = answer_to(call.outcome)
    return gettext(answer[1]) if answer else NOTHING


def show_answer(call: ApiCall) -> SafeString:
    """The same with the sentence that the game got, if it was refused."""
    answer = answer_to(call.outcome)
    return format_html("{} {}", show_outcome(call), gettext(answer[1])) if answer else show_outcome(call)


def show_help(call: ApiCall) -> SafeString | str:
    """A link to what a refusal means, and what is to be done."""
    answer = answer_to(call.outcome)
    if answer is None:
        return NOTHING
    address, words = DOCUMENTS[answer[0]].address, _("Why, and what to do")
    return format_html('<a href="{}" class="wallet-link" hreflang="en">{}</a>', address, words)


def of_outcome(rows: Rows, value: str, given: Given) -> Rows:
    """The calls that were accepted, or all others."""
    accepted = {"outcome__in": SUCCESSES}
    return rows.filter(**accepted) if value == "ok" else rows.exclude(**accepted)


def of_player(rows: Rows, value: str, given: Given) -> Rows:
    """The calls about a player."""
    player = Player.objects.filter(uid=value).first()
    return rows.filter(player_id=player.pk) if player else rows.none()


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
    """The latest calls that named a transaction, with those refused before a player was known."""
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
    empty = _(
        "No call of a game names this transaction: "
        "it was posted by an operator or the platform, or the call log of that day was purged."
    )
    more = (
        (_("All calls with this id"), search_address("wallet_apicall", transaction.mm_transaction_id or ""))
        if calls
        else None
    )
    return Section(ApiCall, _("Calls"), CALL_HEADERS, [call_row(call) for call in calls], empty, more)


@admin.register(ApiCall)
class ApiCallAdmin(SessionSearchAdmin, BigTableAdmin):
    """A call as the game sent it, and the answer."""

    list_display = (
        "at_clock",
        "game_slug",
        "endpoint_shown",
        "mm_short",
        "amount_major",
        "outcome_shown",
        "player_uid",
    )
    further_columns = ("took_ms",)
    conditions = (
        since(),
        until(),
        choice("game", _("Game"), "game_id", slugs(Game)),
        Condition("player", _("Player (uid)"), of_player),
        Condition("endpoint", _("Endpoint"), lambda rows, value, given: rows.filter(endpoint=value)),
        Condition("outcome", _("Outcome"), of_outcome, lambda: (("ok", _("accepted")), ("no", _("refused")))),
    )
    search_help_text = _("Exact mmTransactionId or qwTransactionId")
    empty_text = _("Every wallet call that names a transaction is logged here. No game has called yet.")
    head_columns = HeadColumns(["outcome_shown"], ["said"], ["amount_major", "player_uid", "game_slug"])
    fields = (
        *("full_id", "at_utc", "endpoint_shown", "mm_id", "transaction_link"),
        *("help_shown", "replayed_shown", "credential_link", "address_shown", "took_ms"),
    )

    full_id = columns.mono(_("id"), "pk")
    endpoint_shown = columns.mono(_("endpoint"), "endpoint")
    replayed_shown = columns.flag(_("repeat"), "replayed")
    at_clock = columns.clock(_("when (UTC)"), "at")
    mm_short = columns.clipped(_("game's id"), "mm_transaction_id")
    at_utc = columns.moment(_("when"), "at")
    game_slug = columns.text(_("game"), "game.slug")
    mm_id = columns.mono(_("game's id (mmTransactionId)"), "mm_transaction_id")
    amount_major = amount_column(_("amount"), "amount", "currency_code")
    outcome_shown = columns.text(_("outcome"), show_outcome)
    said = columns.text(_("answer"), sentence_of)
    help_shown = columns.text(_("help"), show_help)
    player_uid = columns.text(_("player"), lambda row: player_link(row.player) if row.player else NOTHING)
    transaction_link = columns.link(
        _("transaction"),
        "wallet_transaction_change",
        "transaction_id",
        look=mono,
        empty=_("none found or opened"),
    )

    @admin.display(description=_("credential"))
    def credential_link(self, obj: ApiCall) -> Any:
        found = Credential.objects.filter(pk=obj.credential).first()
        return link(found.username, "players_credential_change", found.pk) if found else mono(obj.credential)

    address_shown = columns.mono(_("from"), "address")
    took_ms = columns.text(_("duration"), took)

    def title_of(self, row: ApiCall) -> str:
        return _("{endpoint} of {game}").format(endpoint=row.endpoint, game=row.game.slug)

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
