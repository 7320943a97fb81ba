"""Requests that wait for a second person, and how all others ended."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from lib.backoffice import columns
from lib.backoffice.conditions import Condition, Given, Rows, choice, since, until
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import (
    MOST_COUNTED,
    NOTHING,
    badge,
    clipped,
    clock,
    link,
    moment,
    sentence,
    wrapped,
)
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.stored_texts import reworded
from lib.clock import WalletNow
from players.admin.approval_decisions import APPROVE, DECLINE, WITHDRAW, decisions_of, effect_of
from players.admin.approved_action import effect_sections
from players.approvals.kinds import KINDS
from players.models import Approval, ApprovalEvent, Operator, Player

State, What = Approval.State, ApprovalEvent.What
COLOURS = {
    State.REQUESTED: "warning",
    State.EXECUTED: "success",
    State.NOT_EXECUTABLE: "danger",
    State.DECLINED: "danger",
}


# --- Whose they are -------------------------------------------------------------------------------------


def decidable_kinds(operator: Any) -> list[str]:
    """The names of the kinds that an operator can be the second person of."""
    return [kind.name for kind in KINDS.values() if operator.has_perm(kind.permission)]


def waiting_for(operator: Any) -> QuerySet[Approval]:
    """The requests that this operator can decide."""
    return Approval.objects.filter(
        state=State.REQUESTED, expires_at__gt=WalletNow(), kind__in=decidable_kinds(operator)
    ).exclude(requested_by=operator)


def count_waiting(request: HttpRequest) -> int:
    """How many of them, up to one more than `MOST_COUNTED`; looked up once for each page."""
    known: int | None = getattr(request, "approvals_waiting", None)
    if known is None:
        known = len(waiting_for(request.user).values_list("pk", flat=True)[: MOST_COUNTED + 1])
        request.approvals_waiting = known  # type: ignore[attr-defined]
    return known


def seen_by(operator: Any) -> Q:
    """Those that an operator may read: their own, those they can decide, and all about rows they may see."""
    if operator.has_perm("players.read_audit"):
        return Q()
    kinds = decidable_kinds(operator)
    kinds += [kind.name for kind in KINDS.values() if operator.has_perm(view_of(kind.about))]
    return Q(requested_by=operator) | Q(kind__in=kinds)


def view_of(label: str) -> str:
    """The permission to see the rows of a model, by its label."""
    app, name = label.split(".")
    return f"{app}.view_{name}"


# --- Pages ----------------------------------------------------------------------------------------------


def show_approval_state(approval: Approval) -> SafeString:
    words = State(approval.state).label
    if approval.is_alone:
        words = _("{state} alone").format(state=words)
    return badge(words, COLOURS.get(State(approval.state), ""))


def standing(approval: Approval) -> str:
    """What a request waits for, or what came of it."""
    if approval.state == State.REQUESTED:
        return _("It waits for a second person, until {moment}.").format(moment=moment(approval.expires_at))
    return (
        sentence(reworded(approval.result))
        if approval.result
        else _("It was {state}.").format(state=approval.get_state_display())
    )


def title_of(kind: str) -> str:
    """What operators call a kind."""
    return capfirst(KINDS[kind].title) if kind in KINDS else kind


def player_of(approval: Approval) -> SafeString | str:
    """A link to the player whose row a request is about, if that is another row than the player."""
    if approval.player is None or approval.subject_type == "players.player":
        return NOTHING
    return link(clipped(approval.player.uid), "players_player_change", approval.player_id)


class Which(Selections):
    """What waits for whoever looks comes first."""

    title = _("requests")
    parameter_name = "requests"
    offered: ClassVar[dict[str, Selection]] = {
        "for_me": Selection(
            _("Waiting for me"), order=("expires_at", "pk"), empty=_("Nothing waits for your approval.")
        ),
        "waiting": Selection(
            _("All waiting"),
            lambda rows: rows.filter(state=State.REQUESTED, expires_at__gt=WalletNow()),
            ("expires_at", "pk"),
            _("No request is waiting."),
        ),
        "mine": Selection(
            _("My requests"), order=("-requested_at", "-pk"), empty=_("You have requested nothing.")
        ),
        "all": Selection(_("All"), order=("-pk",), empty=_("Nothing has been requested yet.")),
    }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        of_operator: dict[str, Callable[[], Any]] = {
            "for_me": lambda: queryset.filter(pk__in=waiting_for(request.user).values("pk")),
            "mine": lambda: queryset.filter(requested_by=request.user),
        }
        name = self.name_in(request)
        return of_operator[name]() if name in of_operator else super().queryset(request, queryset)


def of_player(rows: Rows, value: str, given: Given) -> Rows:
    """Requests about a player or anything of theirs, by the exact uid."""
    return rows.filter(player__in=Player.objects.filter(uid=value).values("pk"))


def of_requester(rows: Rows, value: str, given: Given) -> Rows:
    """By the exact name, which an index has."""
    return rows.filter(requested_by__in=Operator.objects.filter(username=value).values("pk"))


class ApprovalAdmin(SelectingAdmin):
    """An act that needs a second person. Nothing of it is ever edited.

    The wallet's admin adds the amounts to its list and registers it.
    """

    list_filter = (Which,)
    conditions: ClassVar[tuple[Condition, ...]] = (
        since("requested_at"),
        until("requested_at"),
        choice("kind", _("Kind"), "kind", lambda: sorted((name, title_of(name)) for name in KINDS)),
        choice("state", _("State"), "state", lambda: State.choices),
        Condition("player", _("Player (uid)"), of_player),
        Condition("requester", _("Requested by"), of_requester),
    )
    empty_text = _("Acts that need a second person wait here.")
    list_display = ("what", "kind_shown", "state_shown", "by", "requested", "ends")
    head_columns = HeadColumns(
        ["state_shown"], ["reason_shown", "standing"], ["subject_link", "player_link", "by"]
    )
    fields = (
        *("kind_shown", "requested_moment", "expires", "decided", "ended", "decision_reason", "full_id"),
    )
    actions_detail = ("approve", "decline", "withdraw")
    approve, decline, withdraw = APPROVE, DECLINE, WITHDRAW

    what = columns.excerpt(_("request"), lambda row: reworded(row.title))
    kind_shown = columns.text(_("kind"), lambda row: title_of(row.kind))
    state_shown = columns.text(_("state"), show_approval_state)
    player_link = columns.text(_("player"), player_of)
    by = columns.clipped(_("requested by"), "requested_by.username")
    requested = columns.clock(_("requested (UTC)"), "requested_at")
    requested_moment = columns.moment(_("requested"), "requested_at")
    ends = columns.text(_("ends or ended (UTC)"), lambda row: clock(row.ended_at or row.expires_at))
    expires = columns.moment(_("expires"), "expires_at")
    ended = columns.moment(_("ended"), "ended_at")
    reason_shown = columns.text(_("reason"), lambda row: f"{row.requested_by.username}: {row.reason}")
    standing = columns.text(_("what came of it"), standing)
    full_id = columns.mono(_("id"), "pk")

    def title_of(self, row: Approval) -> str:
        return reworded(row.title)

    @admin.display(description=_("about"))
    def subject_link(self, obj: Approval) -> Any:
        name = subject_name(obj)
        if not obj.subject_id and obj.state == State.EXECUTED:
            # It was made, and had no key yet when that was requested.
            return name
        rows = apps.get_model(obj.subject_type)._base_manager  # noqa: SLF001 (documented)
        if not obj.subject_id or not rows.filter(pk=obj.subject_id).exists():
            absent = {State.EXECUTED: _("removed"), State.REQUESTED: _("not there yet")}
            why = absent.get(State(obj.state)) or _("not there")
            return f"{name} ({why})"
        return link(name, f"{obj.subject_type.replace('.', '_')}_change", obj.subject_id)

    @admin.display(description=_("decided by"))
    def decided(self, obj: Approval) -> str:
        if obj.is_alone:
            return _("nobody: the approval rules let one person act alone")
        return str(obj.decided_by or NOTHING)

    def get_fields(self, request: HttpRequest, obj: Approval | None = None) -> Any:
        if obj is None or obj.state == State.REQUESTED:
            absent = {"decided", "ended", "decision_reason"}
        else:
            absent = {"expires"} | ({"decision_reason"} if not obj.decision_reason else set())
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        rows: QuerySet[Approval] = super().get_queryset(request)
        rows = rows.select_related("requested_by", "decided_by", "player").defer("sealed")
        return rows.filter(seen_by(request.user))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        id = read_uuid(str(object_id))
        approval = self.get_queryset(request).filter(pk=id, state=State.REQUESTED).first() if id else None
        possible = {one.title for one in decisions_of(request, approval)} if approval else set()
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if str(action.description) in possible]

    def sections(self, request: HttpRequest, obj: Approval) -> list[Section]:
        effect = effect_sections(effect_of(obj), _("Effect, as it was requested"))
        lines = [(reworded(line),) for line in obj.says]
        words = [Section(Approval, _("In words"), (), lines, "")] if lines else []
        return [*effect, *words, history(obj)]


def history(approval: Approval) -> Section:
    """What has happened to a request."""
    rows = [
        (clock(event.at), event.get_what_display(), who(event.operator), wrapped(note_of(event)))
        for event in approval.events.select_related("operator").order_by("pk")
    ]
    return Section(
        Approval,
        _("What happened"),
        (_("When (UTC)"), _("What"), _("Who"), _("Words")),
        rows,
        _("Nothing yet."),
    )


def note_of(event: ApprovalEvent) -> str:
    """The words of an event: the platform's own of what was done, or a person's reason."""
    is_platforms = event.what in (What.EXECUTED, What.NOT_EXECUTABLE)
    return reworded(event.note) if is_platforms else event.note


def subject_name(approval: Approval) -> str:
    """What a request is about; a single word is a name that somebody gave."""
    name = approval.subject_name
    return reworded(name) if " " in name else name


def who(operator: Operator | None) -> str:
    return operator.username if operator else _("the platform")
