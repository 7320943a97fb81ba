"""Event receivers: who is sent the feed of events, where, how far they are, and how they are signed to."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import NOTHING, badge, moment
from lib.backoffice.forms import TextWidget
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from lib.backoffice.stored_texts import reworded_failure
from lib.clock import WalletNow
from payments.admin import signing_secrets
from payments.admin.shops import PAUSE
from payments.admin.signing_secrets import MakeSecret, RetireSecret
from payments.approvals.endpoints import RECEIVER_CHANGE
from payments.models import EventReceiver, Secret
from payments.models.receivers import validate_types
from payments.pushes.operations import pause_receiver, resume_receiver
from players.admin.guarded_forms import GuardedAdmin, GuardedForm
from wallet.models import Event, EventHead

ROTATION = _(
    "Events are signed with each live secret. "
    "To rotate, make a new one, hand it over, wait until the receiver accepts it, then retire the old ones."
)


def live_secrets(receiver: EventReceiver) -> QuerySet[Secret]:
    return Secret.objects.filter(receiver=receiver, retired_at=None).order_by("-created_at", "-pk")


class Pause(PageAction[EventReceiver]):
    """Nothing is sent, and nothing is lost for as long as events are kept."""

    title, permission = _("Pause"), PAUSE

    def name_to_type(self, row: EventReceiver) -> str:
        return row.name

    def page(self, row: EventReceiver) -> Page:
        says = [
            _("No event is sent to {receiver} until it is resumed. Then it goes on where it ended.").format(
                receiver=row.name
            ),
            _("Events are kept for EVENTS_KEEP_DAYS: after a longer pause, some are lost for it."),
        ]
        return Page(_("Pause this receiver?"), says, _("Pause"), danger=True)

    def do(self, act: Act[EventReceiver]) -> str:
        return _("The receiver is paused.") if pause_receiver(act.row) else _("It was paused already.")


class Resume(PageAction[EventReceiver]):
    """It goes on where it ended; if events are lost, at the present end."""

    title, permission = _("Resume"), PAUSE

    def page(self, row: EventReceiver) -> Page:
        says = [_("Events are sent to {receiver} from now on, the oldest first.").format(receiver=row.name)]
        if row.lost_at:
            says = [
                _(
                    "The next events for {receiver} are not there any more. "
                    "It goes on with what happens from now on."
                ).format(receiver=row.name),
                _("What happened before that it is not sent: it has to read the balances anew."),
            ]
        return Page(_("Resume this receiver?"), says, _("Resume"), danger=bool(row.lost_at))

    def do(self, act: Act[EventReceiver]) -> str:
        return (
            _("The receiver is resumed.")
            if resume_receiver(act.row)
            else _("It was not paused, and does not fail.")
        )


class ReceiverForm(GuardedForm):
    kind = RECEIVER_CHANGE


@admin.register(EventReceiver)
class EventReceiverAdmin(GuardedAdmin):
    """Whoever is sent events. Never deleted: its secrets are remembered."""

    form = ReceiverForm
    head_columns = HeadColumns(["state"], ["sending"], ["waiting", "behind"])
    add_permission = change_permission = "players.change_endpoints"
    formfield_overrides: ClassVar[dict[Any, Any]] = {ArrayField: {"widget": TextWidget}}
    list_display = ("name", "url_shown", "types_shown", "state", "waiting", "behind")
    search_fields = ("name__iexact",)
    search_help_text = _("Name")
    empty_text = _("Add a receiver for each system that is to be sent events instead of reading them.")
    actions = None
    fields = (
        *("name", "url", "types"),
        *("attempted", "answer", "took", "attempts_shown", "next_attempt", "taken", "made"),
    )
    readonly_fields = ("attempted", "answer", "took", "attempts_shown", "next_attempt", "taken", "made")
    item_validators: ClassVar[dict[str, Any]] = {"types": validate_types}
    actions_detail = ("make_secret", "retire", "pause", "resume")
    make_secret = MakeSecret(
        _("Make a secret for events"),
        "events",
        _("A new secret that signs events to the receiver. It is shown once."),
        ROTATION,
    )
    pause, resume = Pause(), Resume()
    retire = RetireSecret(
        live_secrets,
        ROTATION,
        _("A retired secret signs nothing any more. Without a live secret, nothing can be sent."),
    )

    url_shown = columns.excerpt(_("URL"), "url")
    types_shown = columns.wrapped(_("types"), lambda row: ", ".join(row.types) or _("all"))
    attempted = columns.moment(_("last attempt"), "attempted_at")
    attempts_shown = columns.number(_("attempts of the present message"), "attempts")
    next_attempt = columns.moment(
        _("next attempt"), lambda row: row.next_attempt_at if row.failing_since else None
    )
    taken = columns.moment(_("last taken"), "taken_at")
    made = columns.moment(_("created"), "created_at")
    took = columns.text(_("duration"), lambda row: "" if row.took_ms is None else f"{row.took_ms:,} ms")

    @admin.display(description=_("last answer"))
    def answer(self, obj: EventReceiver) -> str:
        return reworded_failure(obj.problem) or (str(obj.status) if obj.status else NOTHING)

    @admin.display(description=_("state"))
    def state(self, obj: EventReceiver) -> SafeString:
        if obj.lost_at:
            return badge(_("events lost"), "danger")
        if obj.paused_at:
            return badge(_("paused"), "warning")
        if not obj.is_signed:  # type: ignore[attr-defined]
            return badge(_("no secret"), "danger")
        return badge(_("failing"), "danger") if obj.failing_since else badge(_("active"), "success")

    @admin.display(description=_("events waiting"))
    def waiting(self, obj: EventReceiver) -> str:
        """Those of other types among them, as nobody has looked at these."""
        return f"{max(0, obj.head - obj.cursor_position):,}"  # type: ignore[attr-defined]

    @admin.display(description=_("seconds behind"))
    def behind(self, obj: EventReceiver) -> str:
        """Since when the next event has waited."""
        at = obj.next_event_at  # type: ignore[attr-defined]
        return f"{max(0, round((obj.read_at - at).total_seconds())):,}" if at else "0"  # type: ignore[attr-defined]

    @admin.display(description=_("sending"))
    def sending(self, obj: EventReceiver) -> str:
        if obj.lost_at:
            words = _(
                "Nothing is sent since {at}: the next events are not there any more. "
                "Resume it at the present end."
            )
            return words.format(at=moment(obj.lost_at))
        if obj.paused_at:
            words = _("Paused since {at}: events wait until it is resumed.")
            return words.format(at=moment(obj.paused_at))
        if obj.failing_since:
            words = _("Failing since {at}: the same events are sent again and again, and later ones wait.")
            return words.format(at=moment(obj.failing_since))
        if not obj.is_signed:  # type: ignore[attr-defined]
            return _("Nothing is sent without a secret: make one.")
        return _("Events are sent within seconds, in their order.")

    def title_of(self, row: EventReceiver) -> str:
        return _("Event receiver {name}").format(name=row.name)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventReceiver]:
        rows: QuerySet[EventReceiver] = super().get_queryset(request)
        # Days go up with positions: the parts of earlier days are not looked at.
        following = Event.objects.filter(
            day__gte=OuterRef("cursor_day"), position__gt=OuterRef("cursor_position")
        ).order_by("position")
        return rows.annotate(
            is_signed=Exists(Secret.objects.filter(receiver=OuterRef("pk"), retired_at=None)),
            head=Subquery(EventHead.objects.values("position")),
            next_event_at=Subquery(following.values("at")[:1]),
            read_at=WalletNow(),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*(("name",) if obj else ()), *self.readonly_fields)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if obj else self.fields[:3]

    def pointless_actions(self, id: UUID) -> set[str]:
        receiver = EventReceiver.objects.filter(pk=id).first()
        if receiver is None:
            return set(self.actions_detail)
        without = set() if live_secrets(receiver).exists() else {"retire"}
        is_stopped = bool(receiver.paused_at or receiver.lost_at)
        if is_stopped:
            without.add("pause")
        return without if is_stopped or receiver.failing_since else without | {"resume"}

    def sections(self, request: HttpRequest, obj: EventReceiver) -> list[Section]:
        secrets = Secret.objects.filter(receiver=obj)
        return [
            signing_secrets.section(EventReceiver, secrets, _("None: make one, so that events are sent."))
        ]
