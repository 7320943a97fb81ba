"""What providers told us: with a right signature, kept for ever; and the sample of what was refused."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import ReasonForm, ask, done, page_action
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, moment, mono, short_id
from lib.backoffice.pages import Section, actor, read_uuid
from lib.backoffice.pagination import BigTableAdmin
from payments.admin.attention import to_look_at
from payments.admin.raw_messages import show_body, show_headers
from payments.admin.search import orders_named, orders_of_session
from payments.admin.states import show_outcome
from payments.callbacks.operations import resolve_callback
from payments.models import Callback, Provider, RefusedCallback
from players.admin.search import SearchingAdmin
from players.models import GameSession
from wallet.admin.manual_review import sentence

RESOLVE = "payments.change_callback"
Outcome = Callback.Outcome
CALLBACK_HEADERS = ("Received (UTC)", "Type", "Outcome", "Why", "Provider's reference", "Times")
REFUSED_HEADERS = ("When (UTC)", "From", "Why")
# What it means, and what helps.
MEANINGS = {
    Outcome.ACTED: "It was acted on, once and for ever. The same again is only counted.",
    Outcome.NOTHING: "It changes nothing, and that is right. The same again is only counted.",
    Outcome.DUPLICATE: "The order was paid already: this money credits nothing. Refund it on the order's page or at the provider, then resolve this.",
    Outcome.CONTRADICTS: "It was answered with 422 and changed nothing: it does not agree with what is stored. Ask the provider's people what is true.",
    Outcome.NO_ORDER: "It was answered with 404 and changed nothing: the platform knows no such order. Another system may use the same secret.",
}


class Outcomes(Selections):
    """What a person has to look at, first."""

    title = "outcome"
    parameter_name = "outcome"
    offered: ClassVar[dict[str, Selection]] = {
        "open": Selection(
            "To look at", to_look_at, empty="Nothing waits to be looked at: every callback made sense."
        ),
        "acted": Selection(
            "Acted on", lambda rows: rows.filter(outcome=Outcome.ACTED), empty="No callback was acted on yet."
        ),
        "all": Selection("All", empty="No provider has called back yet."),
    }
    searched = "all"


def callback_row(callback: Callback) -> tuple[Any, ...]:
    """A callback in a table of another page, by `CALLBACK_HEADERS`."""
    at = link(clock(callback.received_at), "payments_callback_change", callback.pk)
    return (
        at,
        callback.type or "nothing known",
        show_outcome(callback),
        why(callback),
        clipped(callback.reference),
        f"{callback.times_seen:,}",
    )


def refused_row(refused: RefusedCallback) -> tuple[Any, ...]:
    """A refused callback in a table of another page, by `REFUSED_HEADERS`."""
    return (
        link(clock(refused.at), "payments_refusedcallback_change", refused.pk),
        mono(refused.address),
        why(refused),
    )


def why(row: Callback | RefusedCallback) -> SafeString:
    """What was wrong, in a list."""
    return (
        format_html('<span class="wallet-wrapped">{}</span>', sentence(row.problem))
        if row.problem
        else SafeString(NOTHING)
    )


@admin.register(Callback)
class CallbackAdmin(SearchingAdmin, SelectingAdmin):
    """What a provider said, and what came of it."""

    list_filter = (Outcomes,)
    list_display = (
        "received_clock",
        "provider_slug",
        "type_short",
        "outcome_shown",
        "why_shown",
        "order_short",
        "times",
    )
    search_help_text = "Exact orderId, cpOrderId, uid, message id or provider's reference"
    empty_text = "Callbacks appear when a provider tells of a payment (POST /pay/…)."
    fields = (
        *("outcome_shown", "why_full", "meaning_shown", "resolved", "reason_shown"),
        *(
            "provider_link",
            "type_shown",
            "order_link",
            "message",
            "reference_full",
            "received",
            "last_seen",
            "times",
            "address_shown",
        ),
        *("headers_shown", "body_shown"),
    )
    actions_detail = ("resolve",)

    @admin.display(description="received (UTC)")
    def received_clock(self, obj: Callback) -> SafeString:
        return clock(obj.received_at)

    @admin.display(description="provider")
    def provider_slug(self, obj: Callback) -> SafeString:
        return clipped(obj.provider.slug)

    @admin.display(description="provider")
    def provider_link(self, obj: Callback) -> SafeString:
        return link(obj.provider.slug, "payments_provider_change", obj.provider_id)

    @admin.display(description="type")
    def type_short(self, obj: Callback) -> str:
        return obj.type.removeprefix("payment.").replace("_", " ") or NOTHING

    @admin.display(description="type")
    def type_shown(self, obj: Callback) -> str:
        return obj.type or "nothing that is acted on"

    @admin.display(description="outcome")
    def outcome_shown(self, obj: Callback) -> SafeString:
        if obj.resolved_at:
            return format_html("{} {}", show_outcome(obj), badge("resolved", "success"))
        return show_outcome(obj)

    @admin.display(description="why")
    def why_shown(self, obj: Callback) -> SafeString:
        return why(obj)

    @admin.display(description="why")
    def why_full(self, obj: Callback) -> str:
        return sentence(obj.problem)

    @admin.display(description="what it means")
    def meaning_shown(self, obj: Callback) -> str:
        return MEANINGS[Outcome(obj.outcome)]

    @admin.display(description="order")
    def order_short(self, obj: Callback) -> Any:
        return (
            link(short_id(obj.order_id), "payments_order_change", obj.order_id) if obj.order_id else NOTHING
        )

    @admin.display(description="order")
    def order_link(self, obj: Callback) -> Any:
        return (
            link(mono(obj.order_id), "payments_order_change", obj.order_id)
            if obj.order_id
            else "none is known"
        )

    @admin.display(description="message id")
    def message(self, obj: Callback) -> SafeString:
        return mono(obj.message_id)

    @admin.display(description="provider's reference")
    def reference_full(self, obj: Callback) -> SafeString:
        return mono(obj.reference)

    @admin.display(description="received")
    def received(self, obj: Callback) -> str:
        return moment(obj.received_at)

    @admin.display(description="last seen")
    def last_seen(self, obj: Callback) -> str:
        return moment(obj.last_seen_at)

    @admin.display(description="times")
    def times(self, obj: Callback) -> str:
        return f"{obj.times_seen:,}"

    @admin.display(description="from")
    def address_shown(self, obj: Callback) -> SafeString:
        return mono(obj.address)

    @admin.display(description="headers")
    def headers_shown(self, obj: Callback) -> SafeString:
        return show_headers(obj.headers)

    @admin.display(description="body")
    def body_shown(self, obj: Callback) -> SafeString:
        return show_body(obj.body)

    @admin.display(description="resolved")
    def resolved(self, obj: Callback) -> str:
        return f"{moment(obj.resolved_at)} by {obj.resolved_by}"

    @admin.display(description="reason")
    def reason_shown(self, obj: Callback) -> str:
        return obj.reason or NOTHING

    def get_fields(self, request: HttpRequest, obj: Callback | None = None) -> Any:
        absent = set() if obj and obj.resolved_at else {"resolved", "reason_shown"}
        if obj and not obj.problem:
            absent.add("why_full")
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        rows: QuerySet[Callback] = super().get_queryset(request)
        # What is long is read where it is shown.
        return rows.select_related("provider").defer("headers", "body")

    def named(self, queryset: QuerySet[Callback], text: str) -> QuerySet[Callback]:
        providers = list(Provider.objects.values_list("pk", flat=True))
        # As the two partial indexes of message ids have it.
        taken = Q(provider_id__in=providers, message_id=text, outcome__in=Callback.TAKEN)
        refused = Q(
            provider_id__in=providers, message_id=text, outcome__in=(Outcome.CONTRADICTS, Outcome.NO_ORDER)
        )
        condition = taken | refused | Q(reference=text) | Q(order_id__in=orders_named(text))
        return queryset.filter(condition | Q(pk=id) if (id := read_uuid(text)) else condition)

    def of_session(self, queryset: QuerySet[Callback], session: GameSession) -> QuerySet[Callback]:
        return queryset.filter(order_id__in=orders_of_session(session))

    def senseless_actions(self, id: UUID) -> set[str]:
        return set() if to_look_at(Callback.objects.filter(pk=id)).exists() else {"resolve"}

    @page_action(title="Resolve", permission=RESOLVE)
    def resolve(self, request: HttpRequest, obj: Callback) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            is_new = resolve_callback(obj, actor=actor(request.user), reason=reason)
            return done(
                self,
                request,
                obj,
                "The callback is resolved." if is_new else "There was nothing to resolve.",
                reason=reason,
            )
        says = [
            f"{obj.provider.name}: {obj.get_outcome_display()}. {sentence(obj.problem) if obj.problem else ''}",
            MEANINGS[Outcome(obj.outcome)],
            "Resolving takes it off the list. It moves no money, and the callback stays as it was received.",
        ]
        return ask(self, request, obj, title="Resolve this callback?", says=says, form=form, button="Resolve")

    def sections(self, request: HttpRequest, obj: Callback) -> list[Section]:
        if obj.order_id is None:
            return []
        others = (
            Callback.objects.filter(order_id=obj.order_id)
            .exclude(pk=obj.pk)
            .defer("headers", "body")
            .order_by("-pk")[:25]
        )
        return [
            Section(
                "Other callbacks about this order",
                CALLBACK_HEADERS,
                [callback_row(row) for row in others],
                "It is the only one.",
            )
        ]


@admin.register(RefusedCallback)
class RefusedCallbackAdmin(BigTableAdmin):
    """A sample of callbacks that were answered with 401: whoever looks for the reason finds it here."""

    list_display = ("at_clock", "provider", "address_shown", "why_shown")
    list_select_related = ("provider",)
    empty_text = "No callback was refused. Of those that are, the latest hundred of each provider are kept, at most one in a second."
    fields = ("why_full", "provider_link", "at_utc", "address_shown", "headers_shown", "body_shown", "advice")

    @admin.display(description="when (UTC)")
    def at_clock(self, obj: RefusedCallback) -> SafeString:
        return clock(obj.at)

    @admin.display(description="when")
    def at_utc(self, obj: RefusedCallback) -> str:
        return moment(obj.at)

    @admin.display(description="provider")
    def provider_link(self, obj: RefusedCallback) -> SafeString:
        return link(obj.provider.slug, "payments_provider_change", obj.provider_id)

    @admin.display(description="from")
    def address_shown(self, obj: RefusedCallback) -> SafeString:
        return mono(obj.address)

    @admin.display(description="why")
    def why_shown(self, obj: RefusedCallback) -> SafeString:
        return why(obj)

    @admin.display(description="why")
    def why_full(self, obj: RefusedCallback) -> str:
        return sentence(obj.problem)

    @admin.display(description="headers")
    def headers_shown(self, obj: RefusedCallback) -> SafeString:
        return show_headers(obj.headers)

    @admin.display(description="body (its beginning)")
    def body_shown(self, obj: RefusedCallback) -> SafeString:
        return show_body(obj.body)

    @admin.display(description="how to read it")
    def advice(self, obj: RefusedCallback) -> str:
        return "It was answered with 401 and changed nothing. Anybody can send one: believe nothing it says."

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefusedCallback]:
        rows: QuerySet[RefusedCallback] = super().get_queryset(request)
        return rows.defer("headers", "body")
