"""What operators do to players: their status, their sessions, notes about them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from lib.backoffice.bulk_reports import Came, Outcomes, Report, RowOutcome, in_batches
from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.forms import RadioWidget, ReasonForm, TextareaWidget, TextWidget
from lib.backoffice.languages import _, format_lazy, ngettext_lazy
from lib.backoffice.pages import PageAdmin
from lib.clock import now
from players.admin.approved_action import RequestForm, operator_of, told, who_approves
from players.admin.player_sections import until_words
from players.approvals.kinds import NotExecutable
from players.approvals.operations import ApprovalRefused, request_approval
from players.approvals.players import LIFTING, LiftingPayload, waiting_words
from players.audit_trail.record import Origin
from players.exclusions import LONGEST_EXCLUSION, exclude_player
from players.models import MOST_NOTE, Approval, GameSession, Player
from players.operations import (
    LIFTED_BY_TWO,
    add_note,
    end_sessions,
    end_some,
    live_sessions,
    needs_two_to_lift,
    set_player_status,
)
from players.outcomes import PlayerRefused

Status = Player.Status
SESSIONS_END = _("Live sessions end at once: what a game asks for with their tokens is refused (102).")


ENDED = RowOutcome(Came.DONE, _("It is ended: its token is refused from now on."))
HAD_ENDED = RowOutcome(Came.UNCHANGED, _("It had ended already."))
SET_BY = {"front": _("the web front"), "operator": _("an operator"), "platform": _("the platform")}


class StatusForm(RequestForm):
    """The status a player is to have."""

    status = forms.ChoiceField(choices=Player.Status.choices, widget=RadioWidget)
    field_order = ("status", "reason")


class NoteForm(forms.Form):
    """A note is its own reason."""

    text = forms.CharField(
        label=_("Note"),
        max_length=MOST_NOTE,
        widget=TextareaWidget(attrs={"rows": 5}),
        help_text=_("Kept permanently beside your name, and never changed. Do not enter personal data."),
    )


class ChangeStatus(PageAction[Player]):
    """Bars a player, or readmits them; a self-exclusion or closing is lifted if a second person agrees."""

    title, permission = _("Change status"), LIFTING.permission
    refusals = (ApprovalRefused, NotExecutable, PlayerRefused)

    def form_for(self, row: Player, data: QueryDict | None) -> StatusForm:
        return StatusForm(data, initial={"status": row.status})

    def page(self, row: Player) -> Page:
        says = [
            _("Current status of {uid}: {status}, set by {set_by}.").format(
                uid=row.uid, status=Status(row.status).label, set_by=SET_BY[row.status_set_by]
            ),
            _(
                "Only active players can launch games and withdraw. "
                "Others can still receive money, and their pending transactions can be settled."
            ),
            SESSIONS_END,
            _("The web front can make a status set here stricter; it cannot lift it."),
        ]
        if row.status in LIFTED_BY_TWO:
            says += [_("Lifting it takes two people, and is only requested here."), who_approves(LIFTING)]
        if row.status == Status.SELF_EXCLUDED:
            says += [waiting_words()]
        return Page(_("Change the status of {uid}").format(uid=row.uid), says, _("Change status"))

    def do(self, act: Act[Player]) -> str:
        wanted = act.given["status"]
        if needs_two_to_lift(act.row.status, wanted):
            return told(
                self.requested(act, LiftingPayload(act.row.pk, Status(act.row.status), Status(wanted)))
            )
        return set_status(act, wanted)

    def requested(self, act: Act[Player], payload: LiftingPayload) -> Approval:
        return request_approval(
            LIFTING,
            payload,
            id=act.given["approval_id"],
            origin=Origin.of(act.request),
            reason=act.reason,
            digest=None,
        )


class ExclusionForm(ReasonForm):
    """Until when; nothing stands for no end."""

    until = forms.DateField(
        label=_("Free again on (UTC)"),
        required=False,
        widget=TextWidget(attrs={"placeholder": "2027-01-31", "autocomplete": "off"}),
        help_text=_("The day at whose beginning the self-exclusion ends by itself. Leave empty for no end."),
    )
    field_order = ("until", "reason")


class TimeOutForm(ReasonForm):
    """For how long, from now on."""

    hours = forms.TypedChoiceField(
        label=_("For how long"),
        coerce=int,
        initial=24,
        choices=[
            (24, _("24 hours")),
            (3 * 24, _("3 days")),
            (7 * 24, _("1 week")),
            *((weeks * 7 * 24, format_lazy(_("{weeks} weeks"), weeks=weeks)) for weeks in (2, 4, 6)),
        ],
        widget=RadioWidget,
    )
    field_order = ("hours", "reason")


class SelfExclude(PageAction[Player]):
    """The player wishes to be kept out. It ends at its date, or before by two people and the player."""

    title, permission = _("Self-exclude"), LIFTING.permission
    form: ClassVar[type[ReasonForm]] = ExclusionForm

    def page(self, row: Player) -> Page:
        if row.status == Status.CLOSED:
            raise Refused(format_lazy(_("{uid} is closed."), uid=row.uid))
        says = [
            _("{uid} can no longer launch games, withdraw or start orders (103).").format(uid=row.uid),
            SESSIONS_END,
            _("It cannot be shortened. To lift it before takes two people, and then the player's own word."),
        ]
        if row.status == Status.SELF_EXCLUDED:
            says.insert(
                0,
                _("{uid} is self-excluded now, {until}.").format(uid=row.uid, until=until_words(row)),
            )
        return Page(self.question(row), says, self.title, danger=True)

    def question(self, row: Player) -> str:
        return _("Self-exclude {uid}?").format(uid=row.uid)

    def end(self, given: dict[str, Any], at: datetime) -> datetime | None:
        """When it ends by itself; None is never."""
        return midnight(given["until"])

    def do(self, act: Act[Player]) -> str:
        at = now()
        until = self.end(act.given, at)
        if until and not at < until < at + LONGEST_EXCLUSION:
            raise ValidationError(_("The day must be in the future, and within 100 years."))
        try:
            player, ended = exclude_player(
                act.row.pk, until=until, set_by=Player.SetBy.OPERATOR, actor=act.actor, reason=act.reason
            )
        except PlayerRefused as problem:
            raise ValidationError(
                format_lazy(
                    _("The player is {about} already, and for longer: that is not shortened."),
                    about=problem.about,
                )
            ) from problem
        words = _("{uid} is self-excluded, {until}.")
        said = format_lazy(words, uid=player.uid, until=until_words(player))
        return with_ended(said, ended)


class TimeOut(SelfExclude):
    """A short exclusion, from now on."""

    title, form = _("Time-out"), TimeOutForm

    def question(self, row: Player) -> str:
        return _("A time-out for {uid}?").format(uid=row.uid)

    def end(self, given: dict[str, Any], at: datetime) -> datetime | None:
        return at + timedelta(hours=given["hours"])


def midnight(day: date | None) -> datetime | None:
    """The beginning of a day (UTC)."""
    return datetime.combine(day, time(), UTC) if day else None


class Block(PageAction[Player]):
    """The player can neither launch a game nor withdraw; one person lifts it again."""

    title, permission = _("Block"), LIFTING.permission

    def page(self, row: Player) -> Page:
        says = [
            _("{uid} can no longer launch games, withdraw or start orders (103).").format(uid=row.uid),
            SESSIONS_END,
            _(
                "Deposits are accepted, and pending transactions can still be settled. "
                "One operator can unblock."
            ),
        ]
        return Page(_("Block {uid}?").format(uid=row.uid), says, _("Block"), danger=True)

    def do(self, act: Act[Player]) -> str:
        return set_status(act, Status.BLOCKED)


class Unblock(PageAction[Player]):
    """The player can launch games again. Sessions that were ended stay so."""

    title, permission = _("Unblock"), LIFTING.permission

    def page(self, row: Player) -> Page:
        says = [
            _("{uid} can launch games and withdraw again. Sessions that have ended stay ended.").format(
                uid=row.uid
            )
        ]
        return Page(_("Unblock {uid}?").format(uid=row.uid), says, _("Unblock"))

    def do(self, act: Act[Player]) -> str:
        return set_status(act, Status.ACTIVE)


class EndSessions(PageAction[Player]):
    """No new withdrawal with any token that the player has."""

    title, permission = _("End sessions"), "players.end_session"

    def page(self, row: Player) -> Page:
        says = [
            SESSIONS_END,
            _("Pending transactions can still be settled. An active player can launch games again."),
        ]
        return Page(
            _("End every session of {uid}?").format(uid=row.uid), says, _("End sessions"), danger=True
        )

    def do(self, act: Act[Player]) -> str | Report:
        def end(ids: Sequence[UUID]) -> Outcomes:
            ended = end_some(act.row.pk, ids)
            return {id: ENDED if id in ended else HAD_ENDED for id in ids}

        outcomes = in_batches(list(live_sessions(act.row.pk).values_list("pk", flat=True)), end)
        words = ended_words(sum(one is ENDED for one in outcomes.values())) or _("No session was live.")
        return Report(words, GameSession, outcomes) if outcomes else words


class AddNote(PageAction[Player]):
    """Something that the next operator should know."""

    title, permission, form = _("Add note"), "players.add_note", NoteForm

    def page(self, row: Player) -> Page:
        return Page(
            _("Add a note about {uid}").format(uid=row.uid),
            [_("Everybody who sees notes reads it.")],
            _("Add note"),
        )

    def do(self, act: Act[Player]) -> str:
        add_note(act.row, act.given["text"], operator=operator_of(act.request))
        return _("The note is added.")


def set_status(act: Act[Player], status: str) -> str:
    """Sets a player's status; whoever is barred keeps no live session. Returns what was done."""
    try:
        player = set_player_status(act.row.pk, status=status, actor=act.actor, reason=act.reason)
    except PlayerRefused as problem:
        raise Refused(
            format_lazy(_("The player is {about}: lifting that takes two people."), about=problem.about)
        ) from problem
    ended = 0 if player.status == Status.ACTIVE else end_sessions(player.pk)
    words = _("{uid} is now {status}.")
    return with_ended(format_lazy(words, uid=player.uid, status=Status(player.status).label), ended)


def with_ended(said: str, number: int) -> str:
    """A sentence, and how many sessions were ended by what it says."""
    return format_lazy("{said} {ended}", said=said, ended=ended_words(number)) if number else said


def ended_words(number: int) -> str:
    """How many sessions were ended, in a sentence; nothing if none were."""
    words = ngettext_lazy("{number} session was ended.", "{number} sessions were ended.", number)
    return format_lazy(words, number=number) if number else ""


class PlayerActions(PageAdmin):
    """The actions of a player's page; each goes through an operation."""

    actions_detail: tuple[str, ...] = (
        *("add_note", "end_sessions", "block", "unblock"),
        *("time_out", "self_exclude", "change_status"),
    )
    add_note, end_sessions = AddNote(), EndSessions()
    block, unblock = Block(), Unblock()
    time_out, self_exclude, change_status = TimeOut(), SelfExclude(), ChangeStatus()

    def pointless_actions(self, id: UUID) -> set[str]:
        status = Player.objects.filter(pk=id).values_list("status", flat=True).first()
        if status is None:
            return set(self.actions_detail)
        blocks = set() if status == Status.ACTIVE else {"block"}
        excludes = {"time_out", "self_exclude"} if status == Status.CLOSED else set()
        return blocks | excludes | (set() if status == Status.BLOCKED else {"unblock"})
