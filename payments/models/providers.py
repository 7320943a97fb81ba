"""Payment providers, and the secrets that they and games share with us (contract 4.2)."""

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id
from payments.models.receivers import EventReceiver
from players.models import Game, validate_network
from wallet.models import Currency


class Provider(models.Model):
    """A payment provider: by which module it is spoken to, and with which settings."""

    class Scheme(models.TextChoices):
        """Which module of `payments.providers` speaks to it."""

        ORDER_NOTIFY = "order-notify", _("order-notify (MD5)")
        STANDARD_WEBHOOKS = "standard-webhooks", _("Standard Webhooks")
        STRIPE = "stripe", _("Stripe Checkout")
        SANDBOX = "sandbox", _("sandbox (demonstration only)")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(
        unique=True,
        max_length=40,
        db_collation="C",
        validators=[
            RegexValidator(r"\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z", _("Small letters, digits and hyphens."))
        ],
        help_text=_("Its callbacks are received at /pay/<slug>. It cannot be changed later."),
    )
    name = models.CharField(max_length=60, help_text=_("Shown to players at the checkout."))
    scheme = models.CharField(
        max_length=20, choices=Scheme.choices, help_text=_("It cannot be changed later.")
    )
    is_active = models.BooleanField(
        default=True,
        help_text=_("If off, it is not offered at the checkout. Its callbacks are still processed."),
    )
    currency = models.ForeignKey(
        Currency,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The only currency of its payments. Empty: any currency. Required for order-notify."),
    )
    page_url = models.URLField(
        _("payment page"),
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_(
            "The payment page that players are sent to; the order is added as query parameters. "
            "Not needed for Stripe and the sandbox."
        ),
    )
    allowed_networks = ArrayField(
        models.CharField(max_length=43, validators=[validate_network]),
        default=list,
        blank=True,
        help_text=_(
            "Addresses or networks, separated by commas. "
            "Callbacks from other addresses get no answer. Empty: any address."
        ),
    )
    timeout_seconds = models.PositiveSmallIntegerField(
        _("time-out"), default=10, help_text=_("Seconds that a call to the provider may take, 1 to 30.")
    )
    is_live = models.BooleanField(
        _("live mode"),
        default=False,
        help_text=_("Stripe: whether real money is charged. Events of the other mode are refused."),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("manage_secrets", _("Can make, enter and retire secrets")),
        ]
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="provider_timeout_1_to_30", condition=Q(timeout_seconds__gte=1, timeout_seconds__lte=30)
            ),
            # Its callbacks name no currency.
            models.CheckConstraint(
                name="provider_order_notify_has_a_currency",
                condition=~Q(scheme="order-notify") | Q(currency__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class Secret(models.Model):
    """Something that only one owner and we know, for one direction.

    It is sealed by `lib.security.encryption`, and never shown again.
    """

    class Purpose(models.TextChoices):
        CALLBACK = "callback", _("signs callbacks to us")
        API = "api", _("what we call the provider with")
        DELIVERY = "delivery", _("signs our deliveries")
        EVENTS = "events", _("signs events that we send")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="secrets")
    game = models.ForeignKey(Game, models.PROTECT, null=True, blank=True, related_name="delivery_secrets")
    receiver = models.ForeignKey(EventReceiver, models.PROTECT, null=True, blank=True, related_name="secrets")
    purpose = models.CharField(max_length=8, choices=Purpose.choices)
    sealed = models.CharField(max_length=2000, editable=False)
    # A keyed hash: one secret is never entered twice,
    # not even for another owner or after it was retired (contract 4.2, rule 2).
    fingerprint = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    # To the minute, of secrets that sign callbacks: when one of them was verified with it.
    last_used_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.CharField(max_length=80, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="secret_has_one_owner_and_one_direction",
                condition=Q(
                    provider__isnull=False,
                    game__isnull=True,
                    receiver__isnull=True,
                    purpose__in=["callback", "api"],
                )
                | Q(provider__isnull=True, game__isnull=False, receiver__isnull=True, purpose="delivery")
                | Q(provider__isnull=True, game__isnull=True, receiver__isnull=False, purpose="events"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({self.pk})"
