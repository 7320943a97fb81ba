"""How the tests speak to the admin."""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from players.models import Credential, Game, GameSession, Operator, Player
from tests.world import Seat, unique
from wallet.models import ApiCall, Currency, Discrepancy, Transaction, Wallet

REGISTERED = [Operator, Group, Game, Credential, Player, GameSession, Currency, Wallet, Transaction, ApiCall, Discrepancy]
WALLET_ACTIONS = ["freeze", "unfreeze", "set_limit", "adjust"]


def operator(*permissions: str, **attributes: Any) -> Operator:
    made = Operator.objects.create(username=unique("op"), is_staff=True, **attributes)
    for name in permissions:
        app, codename = name.split(".")
        made.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return made


def signed_in(who: Operator) -> Client:
    client = Client()
    client.force_login(who)
    return client


def address(model: Any, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def page(model: Any, row: Any, action: str = "change") -> str:
    if action == "change":
        return address(model, "change", row.pk)
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{action}", args=[row.pk])


def get(client: Client, place: str) -> str:
    """The text of a page that must open."""
    response = client.get(place)
    assert response.status_code == 200, (place, response.status_code)
    return response.content.decode()


def find(client: Client, model: Any, text: str) -> str:
    """The list that the search form leads to."""
    response = client.post(address(model, "find"), {"q": text})
    assert response.status_code == 302
    return get(client, response["Location"])


def shown(text: str) -> str:
    """What a list shows of one of our ids."""
    return f'title="{text}"'


def rows_of(story: Seat) -> dict[Any, list[Any]]:
    """The rows of each model that belong to a story."""
    return {
        Operator: [Operator.objects.order_by("pk")[0]],
        Group: [Group.objects.create(name=unique("group"))],
        Game: [story.game],
        Credential: list(Credential.objects.filter(game=story.game)),
        Player: [story.player],
        GameSession: [story.session()],
        Currency: [Currency.objects.get(code="XAG")],
        Wallet: [story.wallet()],
        Transaction: list(Transaction.objects.filter(player=story.player)),
        ApiCall: list(ApiCall.objects.filter(player=story.player)),
        Discrepancy: list(Discrepancy.objects.filter(player=story.player)),
    }
