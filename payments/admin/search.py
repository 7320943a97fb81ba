"""The search for orders and the rows that belong to them: by exact names that have an index."""

from uuid import UUID

from django.db.models import Q

from lib.backoffice.pages import read_uuid
from payments.models import Order, Payment, Provider, Refund
from players.models import GameSession, Player

# Orders of one player whose callbacks, deliveries and refunds a search looks through: the newest.
MOST_ORDERS = 500


def order_condition(text: str) -> Q:
    """The orders that have `text` as their id, the game's id, the player's uid or a provider's reference."""
    condition = Q(cp_order_id=text) | Q(pk__in=orders_referenced(text))
    if id := read_uuid(text):
        condition |= Q(pk=id)
    if player := Player.objects.filter(uid=text).first():
        condition |= Q(player_id=player.pk)
    return condition


def orders_referenced(text: str) -> list[UUID]:
    """The orders that have a payment or a return with this reference, or were started with it.

    The indexes begin with the provider.
    """
    providers = list(Provider.objects.values_list("pk", flat=True))
    payments = Payment.objects.filter(provider_id__in=providers)
    started = payments.filter(start_reference=text).exclude(start_reference="")
    paid = payments.filter(reference=text).exclude(reference="")
    returned = Refund.objects.filter(provider_id__in=providers, kind__in=Refund.Kind.values, reference=text)
    found = (rows.values_list("order_id", flat=True)[:MOST_ORDERS] for rows in (started, paid, returned))
    return [id for ids in found for id in ids]


def orders_named(text: str) -> list[UUID]:
    """The newest of those orders, for the lists of what belongs to them."""
    return list(
        Order.objects.filter(order_condition(text)).order_by("-pk").values_list("pk", flat=True)[:MOST_ORDERS]
    )


def orders_of_session(session: GameSession) -> list[UUID]:
    """The newest orders of a session's player in its game: orders do not name sessions."""
    rows = Order.objects.filter(player_id=session.player_id, game_id=session.game_id)
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST_ORDERS])
