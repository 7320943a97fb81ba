"""Payout limits: what a game may pay out in a currency."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice import columns
from lib.backoffice.formatting import link
from lib.backoffice.forms import TextWidget
from lib.backoffice.pages import Section
from players.admin.games import GameAdmin
from players.admin.guarded_forms import GuardedAdmin, GuardedForm
from players.models import Game
from wallet.admin.amounts import AmountField, amount_cell, written
from wallet.approvals.payout_limits import AMOUNTS, PAYOUT_LIMIT_CHANGE, UNLIMITED
from wallet.models import PayoutLimit
from wallet.payout_limits import with_net_payout

WHAT_IS_COUNTED = (
    "A deposit beyond a limit is refused (111) when the game announces it, and its id never succeeds later. "
    "Net payout of a day (UTC): the deposits announced that day, less those rolled back or expired the same "
    "day, less the withdrawals confirmed that day. "
    "It is counted while there is a limit: on the first day, from the moment at which the limit is set."
)


def show_limit(limit: PayoutLimit, name: str) -> Any:
    """A limit in major units. An empty one says what that means."""
    minor = getattr(limit, name)
    return UNLIMITED if minor is None else amount_cell(minor, limit.currency_id)


def limit_field(label: str) -> forms.CharField:
    """An amount in major units of the currency that stands in the same form."""
    widget = TextWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
    help_text = "Such as 50000.00. Leave empty for no limit: the game is unlimited then."
    return forms.CharField(label=label, required=False, max_length=30, widget=widget, help_text=help_text)


class PayoutLimitForm(GuardedForm):
    """Limits in major units; its cleaned values are in minor units."""

    kind = PAYOUT_LIMIT_CHANGE

    largest_deposit = limit_field("Largest deposit")
    daily_payout = limit_field("Net payout per day")

    class Meta:
        model = PayoutLimit
        fields = ("game", "currency", *AMOUNTS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in AMOUNTS:
            minor = getattr(self.instance, name)
            self.initial[name] = "" if minor is None else written(minor, str(self.instance.currency_id))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        currency = given.get("currency") or (self.instance.currency if self.instance.currency_id else None)
        for name in AMOUNTS:
            text = given.get(name) or ""
            given[name] = None
            if text and currency:
                try:
                    given[name] = AmountField(currency).clean(text)
                except ValidationError as problem:
                    self.add_error(name, problem)
        return given


@admin.register(PayoutLimit)
class PayoutLimitAdmin(GuardedAdmin):
    """What a game may pay out in one currency. A game and currency without a row are unlimited."""

    form = PayoutLimitForm
    add_permission = change_permission = "wallet.change_game_limits"
    list_display = ("game", "currency", "largest", "daily", "today")
    list_select_related = ("game",)
    ordering = ("game__slug", "currency_id")
    search_fields = ("game__slug__iexact", "currency__code__iexact")
    search_help_text = "A game's slug, or a currency's code"
    empty_text = "No game has a limit: what games may pay out is unlimited."
    fieldsets = (
        (None, {"fields": ("game", "currency", *AMOUNTS), "description": WHAT_IS_COUNTED}),
        ("Today", {"fields": ("today", "since")}),
    )

    largest = columns.text("largest deposit", lambda row: show_limit(row, "largest_deposit"))
    daily = columns.text("net payout per day", lambda row: show_limit(row, "daily_payout"))
    since = columns.moment("counted since", "counting_since")

    @admin.display(description="net payout today")
    def today(self, obj: PayoutLimit) -> Any:
        if obj.daily_payout is None:
            return "not counted"
        return amount_cell(int(obj.net_today), obj.currency_id)  # type: ignore[attr-defined]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayoutLimit]:
        return with_net_payout(super().get_queryset(request))

    def get_fieldsets(self, request: HttpRequest, obj: PayoutLimit | None = None) -> Any:
        limits, today, *others = super().get_fieldsets(request, obj)
        may_change = obj is None or self.has_change_permission(request, obj)
        if not may_change:
            limits = (None, {**limits[1], "fields": ("game", "currency", "largest", "daily")})
        shown = [today] if obj and obj.daily_payout is not None else []
        return [limits, *shown, *others]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        shown = ("largest", "daily", "today", "since")
        return ("game", "currency", *shown) if obj else shown


LIMIT_HEADERS = ("Currency", "Largest deposit", "Net payout per day")
EVERYTHING_UNLIMITED = "What this game may pay out is unlimited in every currency."


@admin.register(Game)
class GameWithLimitsAdmin(GameAdmin):
    """A game, and what it may pay out."""

    def sections(self, request: HttpRequest, obj: Game) -> list[Section]:
        rows = [
            (
                link(row.currency_id, "wallet_payoutlimit_change", row.pk),
                show_limit(row, "largest_deposit"),
                show_limit(row, "daily_payout"),
            )
            for row in PayoutLimit.objects.filter(game=obj).order_by("currency_id")
        ]
        limits = Section(PayoutLimit, "Payout limits", LIMIT_HEADERS, rows, EVERYTHING_UNLIMITED)
        return [*super().sections(request, obj), limits]
