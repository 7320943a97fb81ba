"""What operators do to players: their status, their sessions, notes about them."""

from uuid import UUID

from django import forms
from django.http import QueryDict

from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.forms import RadioWidget, TextareaWidget
from lib.backoffice.pages import PageAdmin
from players.admin.approved_action import RequestForm, operator_of, told, who_approves
from players.approvals.kinds import NotExecutable
from players.approvals.operations import ApprovalRefused, request_approval
from players.approvals.players import LIFTING, LiftingPayload
from players.audit_trail.record import Origin
from players.models import MOST_NOTE, Approval, Player
from players.operations import (
    LIFTED_BY_TWO,
    add_note,
    end_sessions,
    needs_two_to_lift,
    set_player_status,
)
from players.outcomes import PlayerRefused

Status = Player.Status
SESSIONS_END = "Live sessions end at once: what a game asks for with their tokens is refused (102)."


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
        by = "an operator" if row.status_set_by == Player.SetBy.OPERATOR else "the web front"
        says = [
            f"Current status of {row.uid}: {row.get_status_display()}, set by {by}.",
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


class Block(PageAction[Player]):
    """The player can neither launch a game nor withdraw; one person lifts it again."""

    title, permission = "Block", LIFTING.permission
    refusals = (PlayerRefused,)

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
    refusals = (PlayerRefused,)

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

    def do(self, act: Act[Player]) -> str:
        return ended_words(end_sessions(act.row.pk)) or "No session was live."


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
    player = set_player_status(act.row.pk, status=status, actor=act.actor, reason=act.reason)
    ended = 0 if player.status == Status.ACTIVE else end_sessions(player.pk)
    return " ".join([f"{player.uid} is now {player.get_status_display()}.", ended_words(ended)]).strip()


def ended_words(number: int) -> str:
    """How many sessions were ended, in a sentence; nothing if none were."""
    return "" if number == 0 else "1 session was ended." if number == 1 else f"{number} sessions were ended."


class PlayerActions(PageAdmin):
    """The actions of a player's page; each goes through an operation."""

    actions_detail: tuple[str, ...] = ("add_note", "end_sessions", "block", "unblock", "change_status")
    add_note, end_sessions = AddNote(), EndSessions()
    block, unblock, change_status = Block(), Unblock(), ChangeStatus()

    def pointless_actions(self, id: UUID) -> set[str]:
        status = Player.objects.filter(pk=id).values_list("status", flat=True).first()
        if status is None:
            return set(self.actions_detail)
        blocks = set() if status == Status.ACTIVE else {"block"}
        return blocks | (set() if status == Status.BLOCKED else {"unblock"})
