"""Where a history happens: games with their shops, providers, and two operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from django.conf import settings
from django.contrib.auth.models import Group

from payments.demo import PROVIDERS, demo_provider, demo_shop
from payments.models import Price, Provider
from payments.providers.registry import PROVIDERS as REGISTRY
from players.demo import ADMIN, APPROVER, GAMES, demo_game
from players.models import Credential, Game, Operator
from players.operations import create_credential
from wallet import currencies
from wallet.ledger import CallContext
from wallet.models import Currency

CURRENCIES = {"XAG": ("Silver coins", 2), "EUR": ("Euro", 2), "JPY": ("Yen", 0), "BHD": ("Bahraini dinar", 3)}
# Its backend can be asked what became of a transaction, until the history ends.
ASKED_GAME = "emberline"
# Of those who act if the demonstration's operators are not there; they cannot log in.
STAND_INS = ("history-first", "history-second")
NETWORK = "198.51.100"


@dataclass(frozen=True, slots=True)
class House:
    """A game, what it sells, and how its backend calls."""

    game: Game
    credential: Credential
    address: str
    offers: Sequence[Price]

    @property
    def actor(self) -> str:
        return f"game:{self.credential.username}"

    @property
    def pending(self) -> timedelta:
        hours = self.game.pending_hours
        return timedelta(hours=hours) if hours else settings.PENDING_TTL

    def call(self, random: Random, endpoint: str) -> CallContext:
        """A call of the backend, which takes the web server a moment."""
        elapsed_us = int(random.lognormvariate(7.2, 0.5))
        return CallContext(self.game.pk, self.actor, self.credential.pk, endpoint, self.address, elapsed_us)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that is there before the first player comes."""

    houses: Sequence[House]
    requester: Operator
    approver: Operator


def make_stage(url: str) -> Stage:
    """Makes what is missing of it; its providers' pages are the sandbox's at `url`."""
    make_currencies()
    for slug, scheme, name, currency in PROVIDERS:
        if not Provider.objects.filter(slug=slug).exists():
            demo_provider(slug, scheme, name, currency, url, kept=None)
    for slug in GAMES:
        demo_shop(demo_game(slug), url)
    asked = make_asked_game(url)
    games = [*(demo_game(slug) for slug in GAMES), asked]
    houses = [make_house(game, f"{NETWORK}.{number}") for number, game in enumerate(games, start=10)]
    REGISTRY.forget()
    return Stage(houses, *(make_operator(*names) for names in zip((ADMIN, APPROVER), STAND_INS, strict=True)))


def make_currencies() -> None:
    for code, (name, decimals) in CURRENCIES.items():
        Currency.objects.get_or_create(code=code, defaults={"name": name, "decimals": decimals})
    currencies.forget()


def make_asked_game(url: str) -> Game:
    about = {
        "name": "Emberline Adventures",
        "launch_url": f"https://{ASKED_GAME}.example/play",
        "unanswered_policy": Game.Policy.HOLD,
        "query_url": f"https://{ASKED_GAME}.example/state",
    }
    game, _ = Game.objects.get_or_create(slug=ASKED_GAME, defaults=about)
    demo_shop(game, url)
    return game


def make_house(game: Game, address: str) -> House:
    credential = Credential.objects.filter(game=game, revoked_at=None).order_by("created_at").first()
    if credential is None:
        name = (
            game.slug
            if not Credential.objects.filter(username=game.slug).exists()
            else f"{game.slug}-history"
        )
        credential, _ = create_credential(
            kind="game", game=game, username=name, allowed_networks=[], note="history"
        )
    offers = (
        Price.objects.filter(product__game=game).select_related("product").order_by("product__code", "pk")
    )
    return House(game, credential, address, list(offers))


def make_operator(name: str, stand_in: str) -> Operator:
    """The demonstration's operator of that name, or somebody instead."""
    operator = Operator.objects.filter(username=name, is_active=True).first()
    if operator is not None:
        return operator
    operator, is_new = Operator.objects.get_or_create(username=stand_in, defaults={"is_staff": True})
    if is_new:
        operator.set_unusable_password()
        operator.save()
        operator.groups.set(Group.objects.all())
    return operator


def close_stage() -> None:
    """What was there for the history alone asks nobody and lets nobody in."""
    Game.objects.filter(slug=ASKED_GAME).update(query_url="")
    Operator.objects.filter(username__in=STAND_INS).update(is_active=False)
