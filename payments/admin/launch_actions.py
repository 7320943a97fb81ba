"""Launches a session of a test player, for whoever tries a game.

Nobody gets at a real player's money by it: the mark is another person's, and the player has paid nothing.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, QueryDict

from lib.backoffice.confirmation import Act, Page, PageAction, Refused, ShownOnce
from lib.backoffice.formatting import moment
from lib.backoffice.forms import ReasonForm, SelectWidget
from lib.backoffice.languages import _, format_lazy
from payments.orders.real_money import has_paid_for_real
from players.admin.approved_action import operator_of
from players.audit_trail.marks import marked_by
from players.models import Game, Player
from players.outcomes import PlayerRefused
from wallet.launch_urls import launch_url
from wallet.models import Currency
from wallet.operations import launch_game

MEANING = _(
    "It is like a session that the web front launches: whoever has its URL plays with what the player has. "
    "It ends by itself, or by End sessions."
)


class LaunchForm(ReasonForm):
    """Which game, in which currency."""

    game = forms.ChoiceField(widget=SelectWidget, label=_("Game"))
    currency = forms.ChoiceField(widget=SelectWidget, label=_("Currency"))
    field_order = ("game", "currency", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        games = Game.objects.filter(is_active=True).order_by("slug").values_list("slug", "name")
        codes = Currency.objects.order_by("code").values_list("code", flat=True)
        choices: dict[str, list[tuple[str, str]]] = {
            "game": [(slug, f"{slug} ({name})") for slug, name in games],
            "currency": [(code, code) for code in codes],
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]


class LaunchTestSession(PageAction[Player]):
    """The URL of a new session, shown once to whoever launches it."""

    title, permission, form = _("Launch a test session"), "players.launch_test_session", LaunchForm
    refusals = (PlayerRefused,)

    def form_for(self, row: Player, data: QueryDict | None) -> LaunchForm:
        return LaunchForm(data)

    def page(self, row: Player) -> Page:
        require_test_player(row)
        return Page(_("Launch a session of {uid}?").format(uid=row.uid), [MEANING], _("Launch"))

    def do(self, act: Act[Player]) -> ShownOnce:
        player = Player.objects.get(pk=act.row.pk)
        require_test_player(player)
        require_another_marked(act.request, player)
        slug, code = act.given["game"], act.given["currency"]
        launched = launch_game(player.uid, slug, code, language=None, ttl_seconds=None, actor=act.actor)
        return ShownOnce(
            words=format_lazy(
                _("A test session in {game} in {currency} was launched, until {until}."),
                game=slug,
                currency=code,
                until=moment(launched.expires_at),
            ),
            title=format_lazy(_("A test session of {uid}"), uid=player.uid),
            heading=_("Open the game now: its address is shown only once"),
            before=format_lazy(
                _("{game}, {currency}, until {until}."),
                game=slug,
                currency=code,
                until=moment(launched.expires_at),
            ),
            values=[
                (_("Launch URL"), launch_url(launched, code), "launch-url"),
                (_("Token"), str(launched.token), "token"),
            ],
            after=MEANING,
            back=act.row,
        )


def require_test_player(player: Player) -> None:
    """Raises `Refused` unless the player is there for tests alone."""
    if not player.is_test:
        raise Refused(format_lazy(_("{uid} is no test player."), uid=player.uid))
    if player.status != Player.Status.ACTIVE:
        status = Player.Status(player.status).label
        raise Refused(format_lazy(_("{uid} is {status}."), uid=player.uid, status=status))
    if has_paid_for_real(player.pk):
        words = _("{uid} has paid with real money, and is no test player whatever the mark says.")
        raise Refused(format_lazy(words, uid=player.uid))


def require_another_marked(request: HttpRequest, player: Player) -> None:
    """Raises `Refused` if whoever launches has made a test player of this one: that takes two people."""
    if marked_by(player) == operator_of(request).pk:
        raise Refused(_("You have marked this player as a test player yourself: somebody else launches."))


def is_launchable(id: UUID) -> bool:
    """Whether the button stands on the page."""
    return Player.objects.filter(pk=id, is_test=True, status=Player.Status.ACTIVE).exists()
