"""What operators do to a player's limits: set one, request that one is loosened, cancel a player's raise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, Q
from django.http import QueryDict
from django.utils.text import capfirst

from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.forms import RadioWidget, ReasonForm, SelectWidget, TextWidget
from lib.backoffice.languages import _, english, format_lazy
from lib.backoffice.pages import PageAdmin
from lib.backoffice.recorded_acts import State
from lib.clock import WalletNow
from players.admin.approved_action import ApprovedAction, TwoStepRequestForm
from players.admin.players import PlayerAdmin
from players.models import Game, Player
from wallet.admin.amounts import AmountField, currencies
from wallet.admin.player_limits import limit_sections, slugs_of
from wallet.admin.statement import games_to_choose
from wallet.approvals.limits import LOOSENING, LooseningPayload
from wallet.limit_words import BOUNDS, bound, bounded, pending_words
from wallet.limits import MOST_MINUTES, Kind, Limit, LimitName, SetBy, change_limit, limits_of
from wallet.models import Currency, PlayerLimit, Wallet
from wallet.outcomes import LimitRefused
from wallet.statement import MOST_WALLETS

RIGHT = LOOSENING.permission
MOST_PLAYED = 100
BOUND_HELP = _("An amount in that currency, such as 50.00; of the time played, whole minutes.")
BOUND_OR_NOTHING = format_lazy(
    "{bound} {nothing}", bound=BOUND_HELP, nothing=_("Leave empty to remove the limit.")
)
TAKES_TWO = _("The operators' limit is stricter than that. It takes two people: Loosen or remove a limit.")
TOO_MANY = _("There are too many limits in this currency: remove others first.")


@dataclass(frozen=True, slots=True)
class Found:
    """One of a player's limits, by what a form calls it."""

    key: str
    wallet: Wallet
    limit: Limit
    game: str | None

    @property
    def what(self) -> str:
        """What it bounds, and in which currency."""
        what = bounded(self.limit.kind, self.limit.period, self.game)
        return format_lazy("{code}: {what}", code=self.wallet.currency_id, what=what)

    @property
    def words(self) -> str:
        """What it bounds, and how it stands."""
        code, limit = self.wallet.currency_id, self.limit
        now = bound(limit.amount, limit.kind, code)
        if limit.pending_at:
            now = format_lazy("{now} → {after}", now=now, after=pending_words(limit, code))
        return format_lazy("{what}: {now}", what=self.what, now=now)


def limits_found(player: Player, set_by: str) -> list[Found]:
    """All of a player's limits that are theirs, or the operators'."""
    wallets = Wallet.objects.filter(player=player).defer("head").order_by("currency_id")[:MOST_WALLETS]
    pairs = [(wallet, limits_of(wallet)) for wallet in wallets]
    games = slugs_of(pairs)
    return [
        Found(key_of(wallet, limit), wallet, limit, games.get(limit.game_id) if limit.game_id else None)
        for wallet, limits in pairs
        for limit in limits
        if limit.set_by == set_by
    ]


def key_of(wallet: Wallet, limit: Limit) -> str:
    return f"{wallet.currency_id}.{limit.kind}.{limit.period}.{limit.game_id or ''}"


def read_bound(text: str, kind: str, currency: Currency) -> int:
    """A bound as it is typed: minor units of the currency, or minutes. Raises `ValidationError`."""
    if kind != Kind.TIME:
        return AmountField(currency).clean(text) or 0
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST_MINUTES):
        raise ValidationError(_("Enter whole minutes, from 1 to 1440."))
    return int(text)


def games_of(player: Player) -> list[tuple[str, str]]:
    """The games in which a player has had a session, by name."""
    played = Game.objects.filter(game_sessions__player=player).distinct()
    return list(played.order_by("name").values_list("slug", "name")[:MOST_PLAYED])


class BoundField(forms.CharField):
    """A bound; what it is depends on the limit, so the form reads it."""

    def __init__(self, **options: Any) -> None:
        widget = TextWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(widget=widget, max_length=30, **options)


class SetLimitForm(ReasonForm):
    """Which limit, and what it is to be."""

    currency = forms.ChoiceField(label=_("Currency"), choices=currencies, widget=SelectWidget)
    limit = forms.ChoiceField(
        label=_("Limit"),
        choices=[(f"{kind}.{period}", capfirst(words)) for (kind, period), words in BOUNDS.items()],
        widget=SelectWidget,
    )
    game = forms.ChoiceField(label=_("Game"), required=False, widget=SelectWidget)
    bound = BoundField(label=_("At most"), help_text=BOUND_HELP)
    field_order = ("currency", "limit", "game", "bound", "reason")

    def __init__(self, player: Player, data: QueryDict | None, **options: Any) -> None:
        super().__init__(data, **options)
        # Of more games than can be offered, those that the player has been in are there.
        offered = dict([("", _("all games")), *games_of(player), *games_to_choose()])
        self.fields["game"].choices = list(offered.items())  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        kind, _mark, period = given["limit"].partition(".")
        game = Game.objects.get(slug=given["game"]) if given["game"] else None
        if game and kind == Kind.BALANCE:
            raise ValidationError({"game": _("A balance is of all games.")})
        given["name"] = LimitName(kind, period, game, SetBy.OPERATOR)
        try:
            given["amount"] = read_bound(given["bound"], kind, Currency.objects.get(pk=given["currency"]))
        except ValidationError as problem:
            raise ValidationError({"bound": problem}) from problem
        return given


class ChosenLimit(forms.Form):
    """A form in which one of a player's limits is chosen; the cleaned value `found` is it."""

    limit = forms.ChoiceField(label=_("Limit"), widget=RadioWidget)

    def __init__(self, found: Sequence[Found], data: QueryDict | None) -> None:
        super().__init__(data, initial={"limit": found[0].key} if len(found) == 1 else {})
        self.found = {one.key: one for one in found}
        self.fields["limit"].choices = [(one.key, one.words) for one in found]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        given["found"] = self.found.get(given.get("limit", ""))
        return given


class LoosenForm(ChosenLimit, TwoStepRequestForm):
    """Which of the operators' limits, and what it is to be; nothing removes it."""

    bound = BoundField(label=_("At most"), required=False, help_text=BOUND_OR_NOTHING)
    field_order = ("limit", "bound", "reason")

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        one: Found | None = given["found"]
        given["amount"] = None
        if one and given.get("bound"):
            try:
                given["amount"] = read_bound(given["bound"], one.limit.kind, one.wallet.currency)
            except ValidationError as problem:
                raise ValidationError({"bound": problem}) from problem
        return given


class CancelForm(ChosenLimit, ReasonForm):
    """Which of the player's changes that wait."""

    field_order = ("limit", "reason")


class LimitAction(PageAction[Player]):
    """An act on a player's limits, which stand beside the player in what is recorded."""

    permission = RIGHT

    def recorded_state(self, admin: PageAdmin, row: Player) -> State | None:
        state = super().recorded_state(admin, row)
        return state and {**state, "limits": limits_recorded(row)}


@english()
def limits_recorded(player: Player) -> list[str]:
    """A player's limits, and whose they are, as they are recorded."""
    found = [(set_by, one) for set_by in SetBy.values for one in limits_found(player, set_by)]
    return [f"{set_by}: {one.words}" for set_by, one in found]


class SetPlayerLimit(LimitAction):
    """Bounds a player, at once, or bounds them more strictly."""

    title = _("Set a limit")

    def form_for(self, row: Player, data: QueryDict | None) -> SetLimitForm:
        wallet = Wallet.objects.filter(player=row).only("currency_id").order_by("opened_at").first()
        return SetLimitForm(row, data, initial={"currency": wallet.currency_id if wallet else ""})

    def page(self, row: Player) -> Page:
        says = [
            _("It counts at once, and counts what has happened before in the same period."),
            _("What exceeds it is refused (111): a withdrawal, or an order of what is paid in or held."),
            _("The player's own limits stay; of two that bound the same, the stricter counts."),
            _("A limit that operators have set is made stricter here. To loosen it takes two people."),
        ]
        wallets = Wallet.objects.filter(player=row).defer("head").order_by("currency_id")[:MOST_WALLETS]
        present = [section for section in limit_sections(list(wallets)) if section.rows]
        title = _("Set a limit for {uid}").format(uid=row.uid)
        return Page(title, says, _("Set the limit"), sections=present)

    def do(self, act: Act[Player]) -> str:
        name, code, amount = act.given["name"], act.given["currency"], act.given["amount"]
        try:
            outcome = change_limit(
                act.row, code, name, act="set", amount=amount, actor=act.actor, reason=act.reason
            )
        except LimitRefused as problem:
            raise ValidationError(TAKES_TWO if problem.outcome == "takes_two" else TOO_MANY) from problem
        words = _("{what}: at most {bound} from now on.")
        if outcome == "unchanged":
            words = _("{what}: at most {bound}, as before.")
        what = bounded(name.kind, name.period, name.game.slug if name.game else None)
        return format_lazy(words, what=capfirst(what), bound=bound(amount, name.kind, code))


class LoosenPlayerLimit(ApprovedAction[Player]):
    """Requests that a limit of the operators is raised, or goes."""

    title, permission, kind = _("Loosen or remove a limit"), RIGHT, LOOSENING

    def form_for(self, row: Player, data: QueryDict | None) -> LoosenForm:
        found = [one for one in limits_found(row, SetBy.OPERATOR) if one.limit.amount is not None]
        if not found:
            raise Refused(_("No operator has set a limit for this player."))
        return LoosenForm(found, data)

    def page(self, row: Player) -> Page:
        says = [
            _("Limits of the player's own are loosened by the player alone, through the web front."),
            _("You will see the effect before anything is requested."),
        ]
        return Page(_("Loosen or remove a limit of {uid}").format(uid=row.uid), says, _("Continue"))

    def payload(self, row: Player, given: dict[str, Any]) -> LooseningPayload:
        wallet, limit = given["found"].wallet, given["found"].limit
        return LooseningPayload(
            row.pk, wallet.currency_id, limit.kind, limit.period, limit.game_id, given["amount"]
        )


class CancelLimitChange(LimitAction):
    """Takes back what a player has asked for and what does not count yet: the limit stays as it is."""

    title = _("Cancel a pending change")

    def form_for(self, row: Player, data: QueryDict | None) -> CancelForm:
        found = [one for one in limits_found(row, SetBy.PLAYER) if one.limit.pending_at]
        if not found:
            raise Refused(_("No change of this player's limits is pending."))
        return CancelForm(found, data)

    def page(self, row: Player) -> Page:
        says = [
            _("The player's limit stays as it is. The player can ask for the change anew, and waits again."),
        ]
        title = _("Cancel a pending change of {uid}'s limits").format(uid=row.uid)
        return Page(title, says, _("Cancel the change"))

    def do(self, act: Act[Player]) -> str:
        one: Found = act.given["found"]
        code, limit = one.wallet.currency_id, one.limit
        game = Game.objects.get(pk=limit.game_id) if limit.game_id else None
        name = LimitName(limit.kind, limit.period, game, SetBy.PLAYER)
        outcome = change_limit(act.row, code, name, act="cancel", actor=act.actor, reason=act.reason)
        if outcome == "unchanged":
            raise Refused(_("No change of this player's limits is pending."))
        words = _("The change is cancelled. {what}: still {bound}.")
        return format_lazy(words, what=one.what, bound=bound(limit.amount, limit.kind, code))


class LimitActions(PlayerAdmin):
    """The acts on a player's limits, beside these on the player's page."""

    actions_in_sections = ("set_limit", "loosen_limit", "cancel_limit_change")
    actions_detail: tuple[str, ...] = (*PlayerAdmin.actions_detail, *actions_in_sections)
    set_limit, loosen_limit, cancel_limit_change = SetPlayerLimit(), LoosenPlayerLimit(), CancelLimitChange()

    def pointless_actions(self, id: UUID) -> set[str]:
        limits = PlayerLimit.objects.filter(player=id)
        theirs = limits.filter(set_by=SetBy.OPERATOR, amount__isnull=False)
        bounded_ones = Wallet.objects.filter(player=id, withdrawal_limit__isnull=False)
        waits = Q(needs_confirmation=True) | Q(pending_at__gt=WalletNow())
        pending = limits.filter(waits, set_by=SetBy.PLAYER, pending_at__isnull=False)
        asked = (Exists(theirs), Exists(bounded_ones), Exists(pending))
        has_theirs, is_bounded, has_pending = (
            Player.objects.filter(pk=id).values_list(*asked).first() or [False] * 3
        )
        pointless = super().pointless_actions(id)
        if not (has_theirs or is_bounded):
            pointless |= {"loosen_limit"}
        return pointless if has_pending else pointless | {"cancel_limit_change"}
