"""Payout limits: what a game may pay out in a currency."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice import columns
from lib.backoffice.formatting import link
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from players.admin.games import GameAdmin
from players.admin.guarded_forms import GuardedAdmin
from players.models import Game
from wallet.admin.amount_forms import AmountsForm, text_of_amount
from wallet.admin.amounts import amount_cell
from wallet.approvals.payout_limits import AMOUNTS, PAYOUT_LIMIT_CHANGE, UNLIMITED
from wallet.models import Currency, PayoutLimit
from wallet.payout_limits import with_net_payout

WHAT_IS_COUNTED = _(
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
    hint = _("Such as 50000.00. Leave empty for no limit: the game is unlimited then.")
    return text_of_amount(label, hint)


class PayoutLimitForm(AmountsForm):
    """A game's limits in a currency."""

    kind = PAYOUT_LIMIT_CHANGE

    largest_deposit = limit_field(_("Largest deposit"))
    daily_payout = limit_field(_("Net payout per day"))

    class Meta:
        model = PayoutLimit
        fields = ("game", "currency", *AMOUNTS)

    def currency(self, given: dict[str, Any]) -> Currency | None:
        return given.get("currency") or (self.instance.currency if self.instance.currency_id else None)


@admin.register(PayoutLimit)
class PayoutLimitAdmin(GuardedAdmin):
    """What a game may pay out in one currency. A game and currency without a row are unlimited."""

    form = PayoutLimitForm
    add_permission = change_permission = "wallet.change_game_limits"
    list_display = ("game", "currency", "largest", "daily", "today")
    list_select_related = ("game",)
    ordering = ("game__slug", "currency_id")
    search_fields = ("game__slug__iexact", "currency__code__iexact")
    search_help_text = _("A game's slug, or a currency's code")
    empty_text = _("No game has a limit: what games may pay out is unlimited.")
    fieldsets = (
        (None, {"fields": ("game", "currency", *AMOUNTS), "description": WHAT_IS_COUNTED}),
        (_("Today"), {"fields": ("today", "since")}),
    )

    largest = columns.text(_("largest deposit"), lambda row: show_limit(row, "largest_deposit"))
    daily = columns.text(_("net payout per day"), lambda row: show_limit(row, "daily_payout"))
    since = columns.moment(_("counted since"), "counting_since")

    @admin.display(description=_("net payout today"))
    def today(self, obj: PayoutLimit) -> Any:
        if obj.daily_payout is None:
            return _("not counted")
        return amount_cell(int(obj.net_today), obj.currency_id)  # type: ignore[attr-defined]

    def title_of(self, row: PayoutLimit) -> str:
        return _("Payout limit of {game} in {code}").format(game=row.game.slug, code=row.currency_id)

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


LIMIT_HEADERS = (_("Currency"), _("Largest deposit"), _("Net payout per day"))
EVERYTHING_UNLIMITED = _("What this game may pay out is unlimited in every currency.")


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
        limits = Section(PayoutLimit, _("Payout limits"), LIMIT_HEADERS, rows, EVERYTHING_UNLIMITED)
        return [*super().sections(request, obj), limits]
