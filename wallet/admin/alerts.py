"""Alerts: what the platform found wrong by itself, until an operator resolves it with a reason."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import ReasonForm, ask, done, page_action
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, moment, mono
from lib.backoffice.pages import actor
from players.admin.search import SearchingAdmin
from players.models import GameSession
from wallet.admin.manual_review import sentence
from wallet.alerts import resolve_alert
from wallet.models import Alert

Kind = Alert.Kind
RESOLVE = "wallet.change_alert"
NEWEST = (F("raised_at").desc(), "-pk")
CRITICAL_FIRST = (Case(When(kind__in=Alert.CRITICAL, then=Value(0)), default=Value(1)), *NEWEST)
ACCEPTED = "Resolving accepts this difference: found again with the very same words, it is not raised again. Another difference is."
# In a word, for the list; what to look at; and what resolving does.
MEANINGS = {
    Kind.WALLET_DIFFERENCE: (
        "wallet difference",
        "The wallet's balances do not follow from its journal. Its withdrawals are frozen until an operator lifts that on the wallet's page.",
        f"{ACCEPTED} It does not lift the wallet's freeze: do that on the wallet's page.",
    ),
    Kind.LEDGER_DIFFERENCE: (
        "ledger difference",
        "The books as a whole do not add up. Find out what wrote to the database besides the platform before you resolve this.",
        ACCEPTED,
    ),
    Kind.CHECKPOINT_DIFFERENCE: (
        "checkpoint difference",
        (
            "History is not what a signed checkpoint says it was: somebody may have rewritten it. Keep the file and the database as they are. "
            "No checkpoint is made until the difference is accepted (manage.py make_checkpoint --accept)."
        ),
        "Resolving does not accept the difference: tomorrow's verification raises it again, until manage.py make_checkpoint --accept says why it is right.",
    ),
    Kind.GAME_FORGETS: (
        "game forgets",
        "The game answers UNKNOWN about most transactions, as it would after losing its data. None of its transactions expires by that word meanwhile.",
        "It clears by itself when the game knows its transactions again, and is raised again while it does not.",
    ),
    Kind.SWEEP_FAILED: (
        "sweep failed",
        "The last run of this sweep broke off. The next one goes on where it stopped.",
        "It clears by itself when the sweep has run again, and is raised again while it fails.",
    ),
    Kind.SETTLEMENT_FAILED: (
        "settlement failed",
        "A due transaction could not be settled. The next sweep tries it again.",
        "It is raised again when it fails again.",
    ),
    Kind.CREDIT_HELD: (
        "credit held",
        "A payment or its return is booked, but the wallet's part of it is not: it would have held, or owed, more than a wallet ever may.",
        "Resolve it when the wallet has been put right by an adjustment. A later return of the payment takes no credit that was not given.",
    ),
    Kind.REFUND_OPEN: (
        "refund open",
        "Nobody knows what became of a refund. The credit that was set aside for it waits, and the provider is asked about it again and again.",
        "It is raised again while the refund has no end. Ask the provider's people.",
    ),
    Kind.DELIVERY_GIVEN_UP: (
        "delivery given up",
        "A player has paid, and the game has not taken the delivery. No more tries are made.",
        "Resolve it when the game has delivered, or the order is refunded; the delivery can be sent again from its page.",
    ),
}


class Openness(Selections):
    title = "state"
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "open": Selection(
            "Open", lambda rows: rows.filter(resolved_at=None), CRITICAL_FIRST, "No alert is open."
        ),
        "resolved": Selection(
            "Resolved",
            lambda rows: rows.filter(resolved_at__isnull=False),
            NEWEST,
            "No alert is resolved yet.",
        ),
        "all": Selection("All", order=NEWEST, empty="The platform has never raised an alert."),
    }
    searched = "all"


def show_kind(alert: Alert) -> SafeString:
    """What was found, in a word; red where it is critical and open."""
    colour = "" if alert.resolved_at else "danger" if alert.kind in Alert.CRITICAL else "warning"
    return badge(MEANINGS[Kind(alert.kind)][0], colour)


@admin.register(Alert)
class AlertAdmin(SearchingAdmin, SelectingAdmin):
    """Something that a person must look at."""

    list_filter = (Openness,)
    search_help_text = "Exact uid, or what it is about: a wallet, a game, a sweep"
    empty_text = "The platform has never raised an alert."
    fields = (
        "kind_shown",
        "subject_mono",
        "wallet_link",
        "text_shown",
        "meaning",
        "raised",
        "last_seen",
        "times",
        "state",
        "resolved",
        "reason_shown",
    )
    actions_detail = ("resolve",)

    @admin.display(description="raised (UTC)")
    def raised_clock(self, obj: Alert) -> SafeString:
        return clock(obj.raised_at)

    @admin.display(description="what")
    def kind_short(self, obj: Alert) -> SafeString:
        return show_kind(obj)

    @admin.display(description="what")
    def kind_shown(self, obj: Alert) -> str:
        return sentence(obj.get_kind_display())

    @admin.display(description="about")
    def subject_shown(self, obj: Alert) -> SafeString:
        return clipped(obj.subject)

    @admin.display(description="about")
    def subject_mono(self, obj: Alert) -> SafeString:
        return mono(obj.subject)

    @admin.display(description="found")
    def found(self, obj: Alert) -> SafeString:
        return format_html('<span class="wallet-clip wallet-wide" title="{}">{}</span>', obj.text, obj.text)

    @admin.display(description="found")
    def text_shown(self, obj: Alert) -> SafeString:
        return format_html('<span class="wallet-text">{}</span>', obj.text)

    @admin.display(description="wallet")
    def wallet_link(self, obj: Alert) -> Any:
        if obj.wallet is None:
            return NOTHING
        frozen = badge("frozen", "danger") if obj.wallet.frozen_at else badge("not frozen")
        words = f"{obj.wallet.currency_id} wallet of {obj.wallet.player.uid}"
        return format_html("{} {}", link(words, "wallet_wallet_change", obj.wallet_id), frozen)

    @admin.display(description="what it means")
    def meaning(self, obj: Alert) -> str:
        return MEANINGS[Kind(obj.kind)][1]

    @admin.display(description="raised")
    def raised(self, obj: Alert) -> str:
        return moment(obj.raised_at)

    @admin.display(description="last seen")
    def last_seen(self, obj: Alert) -> str:
        return moment(obj.last_seen_at)

    @admin.display(description="last seen (UTC)")
    def last_clock(self, obj: Alert) -> SafeString:
        return clock(obj.last_seen_at)

    @admin.display(description="times")
    def times(self, obj: Alert) -> str:
        return f"{obj.times_seen:,}"

    @admin.display(description="state")
    def state(self, obj: Alert) -> SafeString:
        return (
            badge("resolved", "success")
            if obj.resolved_at
            else badge("open", "danger" if obj.kind in Alert.CRITICAL else "warning")
        )

    @admin.display(description="resolved")
    def resolved(self, obj: Alert) -> str:
        return f"{moment(obj.resolved_at)} by {obj.resolved_by}"

    @admin.display(description="reason")
    def reason_shown(self, obj: Alert) -> str:
        return obj.reason or NOTHING

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        which = () if Openness.name_in(request) == "open" else ("state",)
        return ("raised_clock", "kind_short", *which, "subject_shown", "found", "times", "last_clock")

    def get_fields(self, request: HttpRequest, obj: Alert | None = None) -> Any:
        absent = set() if obj and obj.resolved_at else {"resolved", "reason_shown"}
        if obj and obj.wallet_id is None:
            absent.add("wallet_link")
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        alerts: QuerySet[Alert] = super().get_queryset(request)
        return alerts.select_related("wallet__player").defer("wallet__head")

    def named(self, queryset: QuerySet[Alert], text: str) -> QuerySet[Alert]:
        # The index begins with the kind.
        return queryset.filter(Q(kind__in=Kind.values, subject=text) | Q(wallet__player__uid=text))

    def of_session(self, queryset: QuerySet[Alert], session: GameSession) -> QuerySet[Alert]:
        return queryset.filter(wallet__player_id=session.player_id, wallet__currency_id=session.currency_code)

    def senseless_actions(self, id: UUID) -> set[str]:
        return set() if Alert.objects.filter(pk=id, resolved_at=None).exists() else {"resolve"}

    @page_action(title="Resolve", permission=RESOLVE)
    def resolve(self, request: HttpRequest, obj: Alert) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            is_new = resolve_alert(obj, actor=actor(request.user), reason=reason)
            return done(
                self,
                request,
                obj,
                "The alert is resolved." if is_new else "The alert was resolved already.",
                reason=reason,
            )
        says = [f"{obj.subject}: {obj.text}", MEANINGS[Kind(obj.kind)][2]]
        return ask(self, request, obj, title="Resolve this alert?", says=says, form=form, button="Resolve")
