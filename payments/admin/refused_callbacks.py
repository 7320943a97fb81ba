"""Refused callbacks: kept for some days, searched by what they say, and verified again.

What they say is nobody's word until then, and every page says so.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.bulk_reports import RowOutcome
from lib.backoffice.conditions import Condition, Given, Rows, choice, since, slugs, until
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import (
    NOTHING,
    badge,
    clock,
    link,
    moment,
    mono,
    search_address,
    sentence,
    short_id,
)
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.raw_messages import show_body, show_headers
from lib.backoffice.stored_texts import reworded
from payments.admin.callbacks import RawMessageAdmin, problem_of
from payments.admin.search import orders_named, orders_of_session
from payments.admin.states import in_words, show_outcome_of
from payments.admin.verification import VerifyOne, came_of
from payments.callbacks.rejected import KEPT_DAYS
from payments.callbacks.reverification import unverified
from payments.models import Order, Provider, RefusedCallback
from players.admin.search import SessionSearchAdmin
from players.models import GameSession
from wallet.admin.amounts import amount_cell, amount_column, amount_conditions

LATEST = 10
# More are not offered to choose from.
MOST_PROBLEMS = 50
HEADERS = (_("Received (UTC)"), _("State"), _("Order it names"), _("Amount it names"), _("Problem"))
# As it was received, it may hold a payer's name and address.
UNVERIFIED = _(
    "It was answered with 401 and changed nothing. Anybody can send one: do not rely on its content. "
    "If it is the provider's, enter the secret that it was signed with, then have it verified again."
)
NONE_REFUSED = format_lazy(_("No callback was refused in the last {number} days."), number=KEPT_DAYS)
VERIFIED = _("It was refused at first, and genuine. It was taken in as if it had just arrived.")


class States(Selections):
    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "unverified": Selection(_("Not verified"), unverified, empty=_("No refused callback waits.")),
        "verified": Selection(
            _("Verified since"),
            lambda rows: rows.filter(verified_at__isnull=False),
            empty=_("None has been verified again."),
        ),
        "all": Selection(_("All"), empty=NONE_REFUSED),
    }
    searched = "all"


def show_state(row: RefusedCallback) -> SafeString:
    """Whether it was verified again, and what came of it."""
    if row.verified_at:
        return show_outcome_of(row.outcome)
    return badge(_("being verified"), "info") if row.due_at else badge(_("not verified"), "danger")


def refused_row(row: RefusedCallback) -> tuple[Any, ...]:
    """A refused callback in a table of another page, by `HEADERS`."""
    return (
        link(clock(row.at), "payments_refusedcallback_change", row.pk),
        show_state(row),
        named_order(row, short_id),
        amount_cell(row.said_amount, row.said_currency),
        problem_of(row),
    )


def named_order(row: RefusedCallback, look: Callable[[UUID], SafeString]) -> SafeString:
    """The order that it names; a link if that was started with its provider."""
    if row.said_order is None:
        return SafeString(NOTHING)
    shown = look(row.said_order)
    return link(shown, "payments_order_change", row.said_order) if row.is_likely else shown


def section_of(rows: QuerySet[RefusedCallback], title: str, empty: str, search: str) -> Section:
    """The latest of some, in a table of another page."""
    latest = rows.defer("headers", "body").order_by("-pk")[:LATEST]
    more = (_("All of them"), search_address("payments_refusedcallback", search))
    return Section(RefusedCallback, title, HEADERS, [refused_row(row) for row in latest], empty, more)


def of_order(order: Order) -> QuerySet[RefusedCallback]:
    """Those that name an order, and were refused by a provider that it was started with."""
    return RefusedCallback.objects.filter(said_order=order.pk, is_likely=True)


def problems() -> list[tuple[str, str]]:
    """The problems that there are: the table is bounded for each provider."""
    found = RefusedCallback.objects.order_by("problem").values_list("problem", flat=True).distinct()
    return [(problem, sentence(reworded(problem))) for problem in found[:MOST_PROBLEMS]]


def of_named_order(rows: Rows, value: str, given: Given) -> Rows:
    """By an order's id, or the game's own."""
    id = read_uuid(value)
    named = orders_named(value)
    return rows.filter(Q(said_order=id) | Q(said_order__in=named) if id else Q(said_order__in=named))


@admin.register(RefusedCallback)
class RefusedCallbackAdmin(RawMessageAdmin, SessionSearchAdmin, SelectingAdmin):
    """A callback that was answered with 401, with the reason."""

    list_filter = (States,)
    list_display = (
        "at_clock",
        "provider_slug",
        "state_shown",
        "type_short",
        "order_short",
        "amount_said",
        "reference_short",
        "why_shown",
    )
    further_columns = ("state_shown",)
    conditions = (
        since(),
        until(),
        choice("provider", _("Provider"), "provider_id", slugs(Provider)),
        choice("problem", _("Problem"), "problem", problems),
        Condition("order", _("Order it names"), of_named_order),
        *amount_conditions("said_amount", "said_currency"),
    )
    search_help_text = _("Exact provider, orderId, cpOrderId, uid, message id or provider's reference")
    empty_text = NONE_REFUSED
    head_columns = HeadColumns(
        ["state_shown"], ["why_full", "note"], ["amount_said", "order_said", "provider_link"]
    )
    fields = (
        *("at_utc", "verified", "type_shown", "reference_said", "message_said"),
        *("address_shown", "headers_shown", "body_shown"),
    )
    actions_detail = ("verify",)
    verify = VerifyOne()

    at_clock = columns.clock(_("received (UTC)"), "at")
    at_utc = columns.moment(_("received"), "at")
    provider_slug = columns.clipped(_("provider"), "provider.slug")
    provider_link = columns.link(_("provider"), "payments_provider_change", "provider_id", "provider.slug")
    state_shown = columns.text(_("state"), show_state)
    verified = columns.moment(_("verified"), "verified_at")
    type_short = columns.text(_("it says"), lambda row: in_words(row.said_type) or NOTHING)
    type_shown = columns.text(_("it says (unverified)"), lambda row: in_words(row.said_type) or NOTHING)
    amount_said = amount_column(_("amount named"), "said_amount", "said_currency")
    reference_short = columns.clipped(_("reference named"), "said_reference")
    reference_said = columns.mono(_("provider's reference (unverified)"), "said_reference")
    message_said = columns.mono(_("message id (unverified)"), "message_id")
    address_shown = columns.mono(_("from"), "address")
    why_shown = columns.text(_("problem"), problem_of)
    why_full = columns.sentence(_("problem"), lambda row: reworded(row.problem))
    note = columns.text(_("note"), lambda row: VERIFIED if row.verified_at else UNVERIFIED)
    headers_shown = columns.text(_("headers"), lambda row: show_headers(row.headers))
    body_shown = columns.text(_("body"), lambda row: show_body(row.body))

    order_short = columns.text(_("order named"), lambda row: named_order(row, short_id))
    order_said = columns.text(_("order (unverified)"), lambda row: named_order(row, mono))

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
        # Where all have the same state, their problems have the room.
        is_same = States.name_in(request) == "unverified"
        return tuple(name for name in self.list_display if not (is_same and name == "state_shown"))

    def title_of(self, row: RefusedCallback) -> str:
        return _("Refused callback of {provider}, {at}").format(provider=row.provider.slug, at=moment(row.at))

    def came_of(self, row: RefusedCallback) -> RowOutcome:
        return came_of(row)

    def get_fields(self, request: HttpRequest, obj: RefusedCallback | None = None) -> Any:
        absent = set() if obj and obj.verified_at else {"verified"}
        return [name for name in super().get_fields(request, obj) if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RefusedCallback]:
        rows: QuerySet[RefusedCallback] = super().get_queryset(request)
        return rows.select_related("provider").defer("headers", "body")

    def named(self, queryset: QuerySet[RefusedCallback], text: str) -> QuerySet[RefusedCallback]:
        # The table is small: it is bounded for each provider.
        condition = Q(said_reference=text) | Q(message_id=text) | Q(said_order__in=orders_named(text))
        condition |= Q(provider__in=Provider.objects.filter(slug=text))
        id = read_uuid(text)
        return queryset.filter(condition | Q(pk=id) | Q(said_order=id) if id else condition)

    def of_session(
        self, queryset: QuerySet[RefusedCallback], session: GameSession
    ) -> QuerySet[RefusedCallback]:
        return queryset.filter(said_order__in=orders_of_session(session))

    def pointless_actions(self, id: UUID) -> set[str]:
        return set() if unverified(RefusedCallback.objects.filter(pk=id)).exists() else {"verify"}
