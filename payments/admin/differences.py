"""Differences between files and the ledger: those that wait for a decision come first, the oldest on top."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import Condition, Given, choice, since, slugs, until
from lib.backoffice.filters import OLDEST_FIRST, SelectingAdmin, Selection
from lib.backoffice.formatting import NOTHING, badge, clipped, link, mono, sentence
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.recorded_forms import acts_section
from lib.backoffice.search import SearchingAdmin
from lib.backoffice.stored_texts import reworded
from payments.admin.difference_actions import DifferenceActions
from payments.admin.difference_words import KINDS
from payments.models import Difference, ReconciliationFile, ReconciliationSource
from payments.reconciliation.columns import STATES as THEIRS
from players.admin.players import player_column
from players.models import Player
from wallet.admin.amounts import amount_column
from wallet.admin.owners import Owned, OwnedRows, mine
from wallet.currencies import show_amount
from wallet.models import Transaction
from wallet.models.days import of_mm_id

Kind, State = Difference.Kind, Difference.State
COLOURS = {State.OPEN: "warning", State.EXPLAINED: "info", State.RESOLVING: "info", State.RESOLVED: "success"}
NONE = _("Nothing waits: files and ledger agree, or were decided about.")
OPEN = Selection(
    _("Undecided"),
    lambda rows: rows.filter(state__in=Difference.UNDECIDED),
    ("first_seen_at", "pk"),
    NONE,
    OLDEST_FIRST,
)


class DifferenceStates(Owned):
    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "open": OPEN,
        "mine": mine(OPEN),
        "accepted": Selection(
            _("Accepted"), lambda rows: rows.filter(state=State.ACCEPTED), empty=_("None was accepted.")
        ),
        "resolved": Selection(
            _("Resolved"), lambda rows: rows.filter(state=State.RESOLVED), empty=_("None was resolved yet.")
        ),
        "all": Selection(_("All"), empty=_("No file has differed from the ledger.")),
    }
    searched = "all"


def recent_files() -> list[tuple[str, str]]:
    """The newest files, as choices."""
    newest = ReconciliationFile.objects.order_by("-pk")[:50]
    return [(str(file.pk), f"{file.name} ({file.began_at:%Y-%m-%d %H:%M})") for file in newest]


def of_file(rows: QuerySet[Any], value: str, given: Given) -> QuerySet[Any]:
    """Also of a file that is not among the newest: its own page leads here."""
    id = read_uuid(value)
    return rows.filter(file_id=id) if id else rows.none()


def show_state(row: Difference) -> SafeString:
    return badge(str(row.get_state_display()), COLOURS.get(State(row.state), ""))


def our_link(row: Difference) -> Any:
    """The transaction, or the payment's order."""
    if row.match is None:
        return NOTHING
    if row.source.game_id:
        return link(mono(row.match), "wallet_transaction_change", row.match)
    return mono(row.match)


@admin.register(Difference)
class DifferenceAdmin(DifferenceActions, OwnedRows, SearchingAdmin, SelectingAdmin):
    """What a partner's file says otherwise than the ledger."""

    list_filter = (DifferenceStates,)
    conditions = (
        since("first_seen_at"),
        until("first_seen_at"),
        choice("kind", _("Kind"), "kind", lambda: Kind.choices),
        choice("source", _("Source"), "source_id", slugs(ReconciliationSource, "name")),
        Condition("file", _("File"), of_file, recent_files),
    )
    reads_standby = False
    search_help_text = _("Exact id in the file, qwTransactionId, or uid")
    empty_text = _("No file has differed from the ledger.")
    head_columns = HeadColumns(
        ["shown_state"],
        ["advice", "note_shown"],
        ["amount_shown", "player_uid", "source_link", "owner_shown"],
    )
    fields = (
        *("file_link", "line_shown", "key_shown", "our_side", "times", "first_seen", "last_seen"),
        *("decided", "approval_link"),
    )

    first_clock = columns.clock(_("first seen (UTC)"), "first_seen_at")
    first_seen = columns.moment(_("first seen"), "first_seen_at")
    last_seen = columns.moment(_("last seen"), "last_seen_at")
    kind_shown = columns.text(_("kind"), lambda row: KINDS[row.kind][0])
    advice = columns.text(_("what to do"), lambda row: KINDS[row.kind][1])
    shown_state = columns.text(_("state"), show_state)
    note_shown = columns.text(_("reason"), lambda row: reworded(row.note), empty="")
    line_shown = columns.text(_("line"), lambda row: NOTHING if row.line is None else f"{row.line:,}")
    key_short = columns.clipped(_("id in the file"), "key")
    key_shown = columns.mono(_("id in the file"), "key")
    amount_shown = amount_column(_("amount"), "amount", "currency_code")
    player_uid = player_column(_("player"), "player")
    source_name = columns.clipped(_("source"), "source.name")
    source_link = columns.link(
        _("source"), "payments_reconciliationsource_change", "source_id", "source.name"
    )
    file_link = columns.link(_("file"), "payments_reconciliationfile_change", "file_id", "file.name")
    our_side = columns.text(_("here"), our_link)
    times = columns.number(_("seen in files"), "times_seen")
    decided = columns.text(
        _("decided"),
        lambda row: f"{row.decided_at:%Y-%m-%d %H:%M:%S} UTC {row.decided_by}" if row.decided_at else NOTHING,
    )
    approval_link = columns.link(_("approval"), "players_approval_change", "approval", look=mono)

    def title_of(self, row: Difference) -> str:
        name = row.key or (_("line {line}").format(line=row.line) if row.line else str(row.match))
        return f"{sentence(str(KINDS[row.kind][0]))}: {name}"

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        is_open = DifferenceStates.name_in(request) in ("open", "mine")
        return (
            *("first_clock", "kind_shown", "key_short", "amount_shown", "player_uid", "source_name"),
            *("line_shown", "shown_state"),
            *(("owner_shown",) if is_open else ()),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Difference]:
        rows: QuerySet[Difference] = super().get_queryset(request)
        return rows.select_related("source__game", "file", "player", "owner")

    def named(self, queryset: QuerySet[Difference], text: str) -> QuerySet[Difference]:
        if player := Player.objects.filter(uid=text).first():
            return queryset.filter(player=player)
        if id := read_uuid(text):
            return queryset.filter(match=id)
        known = Transaction.objects.filter(of_mm_id(text)).values_list("pk", flat=True)[:20]
        return queryset.filter(match__in=list(known)) | queryset.filter(key=text)

    def sections(self, request: HttpRequest, obj: Difference) -> list[Section]:
        return [sides_section(obj), acts_section(request, obj, 1)]


def sides_section(row: Difference) -> Section:
    """The file's side beside ours."""
    theirs, ours = row.theirs, row.ours
    if row.kind == Kind.UNREADABLE:
        table = [
            (_("The row"), clipped(theirs.get("text", ""))),
            (_("Why it cannot be read"), reworded(sentence(theirs.get("problem", "")))),
        ]
        return Section(Difference, _("In the file"), (_("What"), _("In the file")), table, "")
    rows = [
        (_("Amount"), shown_amount(theirs), shown_amount(ours)),
        (_("State"), THEIRS.get(theirs.get("state", ""), NOTHING), our_state(row)),
        (_("Time"), theirs.get("at") or NOTHING, times_of(ours)),
        (_("Player"), theirs.get("player") or NOTHING, row.player.uid if row.player and ours else NOTHING),
    ]
    likely = ours.get("line")
    note = _("Line {line} of the file has the same amount and time under another id.") if likely else ""
    headers = (_("What"), _("In the file"), _("Here, when it was compared"))
    return Section(
        Difference, _("Both sides"), headers, rows, "", note=note.format(line=f"{likely:,}") if likely else ""
    )


def shown_amount(side: dict[str, Any]) -> str:
    return show_amount(side.get("amount"), side["currency"]) if side.get("currency") else NOTHING


def our_state(row: Difference) -> str:
    state = row.ours.get("state", "")
    if not state:
        return NOTHING
    known = dict(Transaction.State.choices)
    return str(known.get(state, state))


def times_of(side: dict[str, Any]) -> str:
    return ", ".join(filter(None, (side.get("at"), side.get("settled_at")))) or NOTHING
