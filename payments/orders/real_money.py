"""Whether a player has paid with real money."""

from uuid import UUID

from django.db.models import Q

from payments.models import Payment, Provider

# What charges nobody: the sandbox, and Stripe in its test mode.
PLAY_MONEY = Q(provider__scheme=Provider.Scheme.SANDBOX) | Q(
    provider__scheme=Provider.Scheme.STRIPE, provider__is_live=False
)


def has_paid_for_real(player_id: UUID) -> bool:
    """Whether a provider that charges people has told of a payment of this player."""
    paid = Payment.objects.filter(order__player_id=player_id, state=Payment.State.PAID)
    return paid.exclude(PLAY_MONEY).exists()
