"""Callbacks of providers with a valid signature, kept for ever."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until
from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import (
    NOTHING,
    badge,
    clipped,
    clock,
    link,
    moment,
    mono,
    sentence,
    short_id,
    wrapped,
)
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import PageAdmin, Section, read_uuid
from lib.backoffice.raw_messages import show_body, show_headers
from lib.backoffice.recorded_acts import RECORDING, RecordedAct
from lib.backoffice.stored_texts import reworded
from payments.admin.attention import to_look_at
from payments.admin.search import orders_named, orders_of_session
from payments.admin.states import in_words, show_outcome
from payments.callbacks.operations import resolve_callback
from payments.models import Callback, Provider, RefusedCallback
from players.admin.search import SessionSearchAdmin
from players.models import GameSession

Outcome = Callback.Outcome
# Headers and bodies of others are for whoever needs them.
READ_RAW, RAW = "payments.read_raw_callback", ("headers_shown", "body_shown")
CALLBACK_HEADERS = (
    _("Received (UTC)"),
    _("Type"),
    _("Outcome"),
    _("Problem"),
    _("Provider's reference"),
    _("Times"),
)
SOURCES = {"callback": _("the provider called"), "query": _("the provider was asked")}
# By whom what came again, or has gone back, is resolved.
PLATFORM = "platform"
# The meaning of each outcome, and what helps.
MEANINGS = {
    Outcome.ACTED: _("It was processed once. Repeats are only counted."),
    Outcome.NOTHING: _("It required no action. Repeats are only counted."),
    Outcome.DUPLICATE: _(
        "Duplicate payment: the order was paid already, and this money credits nothing. "
        "Refund it on the order's page or at the provider, then resolve this."
    ),
    Outcome.CONTRADICTS: _(
        "It was answered with 422 and changed nothing: it contradicts the stored order. "
        "Ask the provider which is right."
    ),
    Outcome.NO_ORDER: _(
        "It was answered with 404 and changed nothing: the order is unknown. "
        "Another system may be using the same secret."
    ),
}


class Outcomes(Selections):
    """Callbacks that a person has to review come first."""

    title = _("outcome")
    parameter_name = "outcome"
    offered: ClassVar[dict[str, Selection]] = {
        "open": Selection(_("To review"), to_look_at, empty=_("No callback needs review.")),
        "acted": Selection(
            _("Processed"),
            lambda rows: rows.filter(outcome=Outcome.ACTED),
            empty=_("No callback has been processed yet."),
        ),
        "all": Selection(_("All"), empty=_("No callback has been received yet.")),
    }
    searched = "all"


def callback_row(callback: Callback) -> tuple[Any, ...]:
    """A callback in a table of another page, by `CALLBACK_HEADERS`."""
    at = link(clock(callback.received_at), "payments_callback_change", callback.pk)
    return (
        at,
        type_of(callback),
        show_outcome(callback),
        problem_of(callback),
        clipped(callback.reference),
        f"{callback.times_seen:,}",
    )


def type_of(callback: Callback) -> str:
    """What it tells; of an answer that it is one."""
    if callback.source == Callback.Source.QUERY:
        return _("{type} (asked)").format(type=callback.type or _("nothing"))
    return callback.type or _("unknown")


def problem_of(row: Callback | RefusedCallback) -> SafeString:
    """The problem with a callback, in a list."""
    return wrapped(sentence(reworded(row.problem)))


def outcome_and_resolution(row: Callback) -> SafeString:
    """The outcome of a callback, and whether an operator has resolved it."""
    if row.resolved_at:
        return format_html("{} {}", show_outcome(row), badge(_("resolved"), "success"))
    return show_outcome(row)


def resolution_of(row: Callback) -> str:
    """Why a callback was resolved: by a person's reason, or by the platform's."""
    return reworded(row.reason) if row.resolved_by == PLATFORM else row.reason


class Resolve(PageAction[Callback]):
    """Takes the callback off the list."""

    title, permission = _("Resolve"), "payments.resolve_callback"

    def page(self, row: Callback) -> Page:
        problem = sentence(reworded(row.problem)) if row.problem else ""
        says = [
            f"{row.provider.name}: {row.get_outcome_display()}. {problem}",
            MEANINGS[Outcome(row.outcome)],
            _(
                "Resolving takes the callback off the list. "
                "It moves no money, and does not change the callback."
            ),
        ]
        return Page(_("Resolve this callback?"), says, _("Resolve"))

    def do(self, act: Act[Callback]) -> str:
        is_new = resolve_callback(act.row, actor=act.actor, reason=act.reason)
        return _("The callback is resolved.") if is_new else _("There was nothing to resolve.")


class RawMessageAdmin(PageAdmin):
    """A page with a message as it was received. It may hold personal data: every look at it is recorded."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_fields(request, obj)
        return shown if request.user.has_perm(READ_RAW) else [name for name in shown if name not in RAW]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = kwargs.get("obj")
        if row and request.user.has_perm(READ_RAW):
            RECORDING.there.record(request, RecordedAct(action=self.action_name("view_raw"), subject=row))
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(Callback)
class CallbackAdmin(RawMessageAdmin, SessionSearchAdmin, SelectingAdmin):
    """A message of a provider, and its outcome."""

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
    conditions = (
        since(),
        until(),
        choice("provider", _("Provider"), "provider_id", slugs(Provider)),
    )
    search_help_text = _("Exact orderId, cpOrderId, uid, message id or provider's reference")
    empty_text = _("A callback is recorded when a provider reports a payment (POST /pay/…).")
    head_columns = HeadColumns(
        ["outcome_shown"], ["why_full", "meaning_shown"], ["order_link", "provider_link"]
    )
    fields = (
        *("resolved", "reason_shown"),
        *(
            "type_shown",
            "message",
            "reference_full",
            "received",
            "last_seen",
            "times",
            "source_shown",
            "address_shown",
        ),
        *("headers_shown", "body_shown"),
    )
    actions_detail = ("resolve",)
    resolve = Resolve()

    received_clock = columns.clock(_("received (UTC)"), "received_at")
    provider_slug = columns.clipped(_("provider"), "provider.slug")
    provider_link = columns.link(_("provider"), "payments_provider_change", "provider_id", "provider.slug")
    type_short = columns.text(_("type"), lambda row: in_words(row.type) or NOTHING)
    type_shown = columns.text(_("type"), "type", empty=_("none that is processed"))

    outcome_shown = columns.text(_("outcome"), outcome_and_resolution)
    why_shown = columns.text(_("problem"), problem_of)
    why_full = columns.sentence(_("problem"), lambda row: reworded(row.problem))
    meaning_shown = columns.text(_("meaning"), lambda row: MEANINGS[Outcome(row.outcome)])
    order_short = columns.link(_("order"), "payments_order_change", "order_id", look=short_id)
    order_link = columns.link(_("order"), "payments_order_change", "order_id", look=mono, empty=_("unknown"))
    message = columns.mono(_("message id"), "message_id")
    reference_full = columns.mono(_("provider's reference"), "reference")
    received = columns.moment(_("received"), "received_at")
    last_seen = columns.moment(_("last seen"), "last_seen_at")
    times = columns.number(_("occurrences"), "times_seen")
    source_shown = columns.text(_("how we heard of it"), lambda row: SOURCES[row.source])
    address_shown = columns.mono(_("from"), "address")
    headers_shown = columns.text(_("headers"), lambda row: show_headers(row.headers))
    body_shown = columns.text(_("body"), lambda row: show_body(row.body))
    resolved = columns.text(
        _("resolved"),
        lambda row: _("{at} by {operator}").format(at=moment(row.resolved_at), operator=row.resolved_by),
    )
    reason_shown = columns.text(_("reason"), resolution_of)

    def title_of(self, row: Callback) -> str:
        type = sentence(in_words(row.type) or str(_("callback")))
        return _("{type} from {provider}").format(type=type, provider=row.provider.slug)

    def get_fields(self, request: HttpRequest, obj: Callback | None = None) -> Any:
        absent = set() if obj and obj.resolved_at else {"resolved", "reason_shown"}
        return [name for name in super().get_fields(request, obj) if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Callback]:
        rows: QuerySet[Callback] = super().get_queryset(request)
        # Long columns are read only if they are shown.
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

    def pointless_actions(self, id: UUID) -> set[str]:
        return set() if to_look_at(Callback.objects.filter(pk=id)).exists() else {"resolve"}

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
                Callback,
                _("Other callbacks for this order"),
                CALLBACK_HEADERS,
                [callback_row(row) for row in others],
                _("This is the only one."),
            )
        ]
