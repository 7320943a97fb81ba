"""The steps from an empty platform to a first withdrawal, each ticked as soon as it has happened."""

from typing import NamedTuple

from django.apps import apps
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse

from lib.backoffice.languages import _
from lib.backoffice.pages import view_permission

# What has happened, each by one row at most.
HAPPENED = """
    SELECT EXISTS (SELECT 1 FROM players_game),
        EXISTS (SELECT 1 FROM players_credential WHERE kind = 'game' AND revoked_at IS NULL),
        EXISTS (SELECT 1 FROM players_credential WHERE kind = 'platform' AND revoked_at IS NULL),
        EXISTS (SELECT 1 FROM players_player),
        EXISTS (SELECT 1 FROM players_gamesession),
        EXISTS (SELECT 1 FROM wallet_wallet WHERE spendable > 0),
        EXISTS (SELECT 1 FROM wallet_transaction WHERE type = 'withdrawal')
"""


class Kind(NamedTuple):
    """A step in words, and the model whose pages it is done or seen on."""

    words: str
    model: str


# In the order of `HAPPENED`.
KINDS = (
    Kind(_("Add a game, with its launch URL."), "players.game"),
    Kind(_("Make a credential for the game's backend."), "players.credential"),
    Kind(
        _("Make a credential for the web front, which names players and starts games."), "players.credential"
    ),
    Kind(_("Have the web front name a player."), "players.player"),
    Kind(_("Have the web front launch the game for the player."), "players.gamesession"),
    Kind(
        _("Give the player money: by a payment, or by an adjustment on the wallet's page."), "wallet.wallet"
    ),
    Kind(_("Have the game withdraw from the wallet."), "wallet.transaction"),
)


class Step(NamedTuple):
    """`address` is empty for an operator who may not see those pages."""

    words: str
    is_done: bool
    address: str


def first_steps(request: HttpRequest) -> list[Step]:
    """The steps; none once something was withdrawn."""
    with connection.cursor() as cursor:
        cursor.execute(HAPPENED)
        happened: tuple[bool, ...] = cursor.fetchone()
    if happened[-1]:
        return []
    return [
        Step(kind.words, is_done, address(request, kind.model))
        for kind, is_done in zip(KINDS, happened, strict=True)
    ]


def address(request: HttpRequest, model: str) -> str:
    """The list of a model, if the operator may see it."""
    if not request.user.has_perm(view_permission(apps.get_model(model))):
        return ""
    return reverse(f"admin:{model.replace('.', '_')}_changelist")
