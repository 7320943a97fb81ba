"""What operators do to players: their status, their sessions, notes about them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from lib.backoffice.bulk_reports import Came, Outcomes, Report, RowOutcome, in_batches
from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.forms import RadioWidget, ReasonForm, TextareaWidget, TextWidget
from lib.backoffice.pages import PageAdmin
from lib.clock import now
from players.admin.approved_action import RequestForm, operator_of, told, who_approves
from players.admin.player_sections import until_words
from players.approvals.kinds import NotExecutable
from players.approvals.operations import ApprovalRefused, request_approval
from players.approvals.players import LIFTING, LiftingPayload
from players.audit_trail.record import Origin
from players.models import MOST_NOTE, Approval, GameSession, Player
from players.operations import (
    LIFTED_BY_TWO,
    add_note,
    end_sessions,
    end_some,
    exclude_player,
    live_sessions,
    needs_two_to_lift,
    set_player_status,
)
from players.outcomes import PlayerRefused

Status = Player.Status
SESSIONS_END = "Live sessions end at once: what a game asks for with their tokens is refused (102)."


ENDED = RowOutcome(Came.DONE, "It is ended: its token is refused from now on.")
HAD_ENDED = RowOutcome(Came.UNCHANGED, "It had ended already.")
SET_BY = {"front": "the web front", "operator": "an operator", "platform": "the platform"}
MOST_YEARS = 100


class StatusForm(RequestForm):
    """The status a player is to have."""

    status = forms.ChoiceField(choices=Player.Status.choices, widget=RadioWidget)
    field_order = ("status", "reason")


class NoteForm(forms.Form):
    """A note is its own reason."""

    text = forms.CharField(
        label="Note",
        max_length=MOST_NOTE,
        widget=TextareaWidget(attrs={"rows": 5}),
        help_text="Kept permanently beside your name, and never changed. Do not enter personal data.",
    )


class ChangeStatus(PageAction[Player]):
    """Bars a player, or readmits them; a self-exclusion or closing is lifted if a second person agrees."""

    title, permission = "Change status", LIFTING.permission
    refusals = (ApprovalRefused, NotExecutable, PlayerRefused)

    def form_for(self, row: Player, data: QueryDict | None) -> StatusForm:
        return StatusForm(data, initial={"status": row.status})

    def page(self, row: Player) -> Page:
        says = [
            f"Current status of {row.uid}: {row.get_status_display()}, set by {SET_BY[row.status_set_by]}.",
            (
                "Only active players can launch games and withdraw. "
                "Others can still receive money, and their pending transactions can be settled."
            ),
            SESSIONS_END,
            "The web front can make a status set here stricter; it cannot lift it.",
        ]
        if row.status in LIFTED_BY_TWO:
            says += [f"Lifting it takes two people, and is only requested here. {who_approves(LIFTING)}"]
        return Page(f"Change the status of {row.uid}", says, "Change status")

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
        label="Free again on (UTC)",
        required=False,
        widget=TextWidget(attrs={"placeholder": "2027-01-31", "autocomplete": "off"}),
        help_text="The day at whose beginning the self-exclusion ends by itself. Leave empty for no end.",
    )
    field_order = ("until", "reason")


class SelfExclude(PageAction[Player]):
    """The player wishes to be kept out. It ends at its date, or before by two people."""

    title, permission, form = "Self-exclude", LIFTING.permission, ExclusionForm

    def page(self, row: Player) -> Page:
        if row.status == Status.CLOSED:
            raise Refused(f"{row.uid} is closed.")
        says = [
            f"{row.uid} can no longer launch games, withdraw or start orders (103).",
            SESSIONS_END,
            "It cannot be shortened. Lifting it before its date takes two people; the web front cannot.",
        ]
        if row.status == Status.SELF_EXCLUDED:
            says.insert(0, f"{row.uid} is self-excluded now, {until_words(row)}.")
        return Page(f"Self-exclude {row.uid}?", says, "Self-exclude", danger=True)

    def do(self, act: Act[Player]) -> str:
        until, at = midnight(act.given["until"]), now()
        if until and not at < until < at + timedelta(days=366 * MOST_YEARS):
            raise ValidationError("The day must be in the future, and within 100 years.")
        try:
            player = exclude_player(act.row.pk, until=until, actor=act.actor, reason=act.reason)
        except PlayerRefused as problem:
            raise ValidationError(
                f"The player is {problem.about} already, and for longer: that is not shortened."
            ) from problem
        said = f"{player.uid} is self-excluded, {until_words(player)}."
        return " ".join([said, ended_words(end_sessions(player.pk))]).strip()


def midnight(day: date | None) -> datetime | None:
    """The beginning of a day (UTC)."""
    return datetime.combine(day, time(), UTC) if day else None


class Block(PageAction[Player]):
    """The player can neither launch a game nor withdraw; one person lifts it again."""

    title, permission = "Block", LIFTING.permission

    def page(self, row: Player) -> Page:
        says = [
            f"{row.uid} can no longer launch games, withdraw or start orders (103).",
            SESSIONS_END,
            "Deposits are accepted, and pending transactions can still be settled. One operator can unblock.",
        ]
        return Page(f"Block {row.uid}?", says, "Block", danger=True)

    def do(self, act: Act[Player]) -> str:
        return set_status(act, Status.BLOCKED)


class Unblock(PageAction[Player]):
    """The player can launch games again. Sessions that were ended stay so."""

    title, permission = "Unblock", LIFTING.permission

    def page(self, row: Player) -> Page:
        says = [f"{row.uid} can launch games and withdraw again. Sessions that have ended stay ended."]
        return Page(f"Unblock {row.uid}?", says, "Unblock")

    def do(self, act: Act[Player]) -> str:
        return set_status(act, Status.ACTIVE)


class EndSessions(PageAction[Player]):
    """No new withdrawal with any token that the player has."""

    title, permission = "End sessions", "players.end_session"

    def page(self, row: Player) -> Page:
        says = [
            SESSIONS_END,
            "Pending transactions can still be settled. An active player can launch games again.",
        ]
        return Page(f"End every session of {row.uid}?", says, "End sessions", danger=True)

    def do(self, act: Act[Player]) -> str | Report:
        def end(ids: Sequence[UUID]) -> Outcomes:
            ended = end_some(act.row.pk, ids)
            return {id: ENDED if id in ended else HAD_ENDED for id in ids}

        outcomes = in_batches(list(live_sessions(act.row.pk).values_list("pk", flat=True)), end)
        words = ended_words(sum(one is ENDED for one in outcomes.values())) or "No session was live."
        return Report(words, GameSession, outcomes) if outcomes else words


class AddNote(PageAction[Player]):
    """Something that the next operator should know."""

    title, permission, form = "Add note", "players.add_note", NoteForm

    def page(self, row: Player) -> Page:
        return Page(f"Add a note about {row.uid}", ["Everybody who sees notes reads it."], "Add note")

    def do(self, act: Act[Player]) -> str:
        add_note(act.row, act.given["text"], operator=operator_of(act.request))
        return "The note is added."


def set_status(act: Act[Player], status: str) -> str:
    """Sets a player's status; whoever is barred keeps no live session. Returns what was done."""
    try:
        player = set_player_status(act.row.pk, status=status, actor=act.actor, reason=act.reason)
    except PlayerRefused as problem:
        raise Refused(f"The player is {problem.about}: lifting that takes two people.") from problem
    ended = 0 if player.status == Status.ACTIVE else end_sessions(player.pk)
    return " ".join([f"{player.uid} is now {player.get_status_display()}.", ended_words(ended)]).strip()


def ended_words(number: int) -> str:
    """How many sessions were ended, in a sentence; nothing if none were."""
    return "" if number == 0 else "1 session was ended." if number == 1 else f"{number} sessions were ended."


class PlayerActions(PageAdmin):
    """The actions of a player's page; each goes through an operation."""

    actions_detail: tuple[str, ...] = (
        *("add_note", "end_sessions", "block", "unblock"),
        *("self_exclude", "change_status"),
    )
    add_note, end_sessions = AddNote(), EndSessions()
    block, unblock = Block(), Unblock()
    self_exclude, change_status = SelfExclude(), ChangeStatus()

    def pointless_actions(self, id: UUID) -> set[str]:
        status = Player.objects.filter(pk=id).values_list("status", flat=True).first()
        if status is None:
            return set(self.actions_detail)
        blocks = set() if status == Status.ACTIVE else {"block"}
        excludes = {"self_exclude"} if status == Status.CLOSED else set()
        return blocks | excludes | (set() if status == Status.BLOCKED else {"unblock"})
