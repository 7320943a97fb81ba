"""Orders, and how each came to its state (contract 4.1)."""

from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.id_ends import IdEnd
from lib.ids import new_id
from payments.models.products import Product
from players.models import Game, Player
from wallet.models import Currency


class Order(models.Model):
    """What a player wants to buy, and what has become of it.

    Price and credit are as they were when it was started. Amounts in minor units.
    """

    class State(models.TextChoices):
        CREATED = "created", _("created")
        PAID = "paid", _("paid")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("expired")
        REFUNDED = "refunded", _("refunded")
        CHARGED_BACK = "charged_back", _("charged back")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    game = models.ForeignKey(Game, models.PROTECT, related_name="orders")
    player = models.ForeignKey(Player, models.PROTECT, related_name="orders")
    cp_order_id = models.CharField("cpOrderId", max_length=64, db_collation="C")
    # What stands in the address of its page at the checkout; whoever knows it can pay the order, and see it.
    page_key = models.CharField(max_length=32, unique=True, editable=False, db_collation="C")
    product = models.ForeignKey(Product, models.PROTECT, related_name="orders")
    product_code = models.CharField("productId", max_length=64, db_collation="C")
    server_id = models.BigIntegerField("serverId")
    ext_params = models.CharField("extParams", max_length=1024, blank=True)
    return_url = models.CharField("returnUrl", max_length=2000, blank=True)
    language = models.CharField(max_length=35, blank=True)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    price = models.BigIntegerField()
    credit = models.BigIntegerField(null=True, blank=True)
    credit_currency = models.ForeignKey(
        Currency, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    is_delivered_by_game = models.BooleanField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.CREATED, db_collation="C")
    # How much of the price is missing from what is kept, and through what:
    # completed refunds, outstanding chargebacks.
    refunded = models.BigIntegerField(default=0)
    charged_back = models.BigIntegerField(default=0)
    # The part of the credit that is taken back at present, or was never given.
    clawed_back = models.BigIntegerField(default=0)
    # The wallet could not hold the credit:
    # an operator gives it by an adjustment, and no later event moves it.
    is_credit_held = models.BooleanField(default=False)
    # The transaction that credited it, where one did.
    credit_transaction = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["game", "cp_order_id"], name="order_once_per_game"),
            models.CheckConstraint(name="order_price_is_positive", condition=Q(price__gt=0)),
            # Refunds and chargebacks together never exceed what was paid (contract 4.2, rule 6).
            models.CheckConstraint(
                name="order_returns_at_most_its_price",
                condition=Q(refunded__gte=0, charged_back__gte=0)
                & Q(price__gte=models.F("refunded") + models.F("charged_back")),
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="order_expiring", condition=Q(state="created")),
            models.Index(fields=["player", "-id"], name="order_by_player"),
            models.Index(fields=["cp_order_id"], name="order_by_cp_order_id"),
            models.Index(IdEnd("id"), name="order_by_id_end"),
            models.Index(fields=["state", "-id"], name="order_by_state"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class OrderEvent(models.Model):
    """One thing that happened to an order, kept for ever (append-only by trigger)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="events", db_index=False)
    at = models.DateTimeField()
    what = models.CharField(max_length=40)
    old_state = models.CharField(max_length=12, blank=True)
    new_state = models.CharField(max_length=12)
    # In minor units of the order's currency, where money is what it is about.
    amount = models.BigIntegerField(null=True, blank=True)
    actor = models.CharField(max_length=80)
    note = models.CharField(max_length=255, blank=True)
    callback = models.ForeignKey(
        "payments.Callback",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="order_events",
        db_index=False,
    )

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["order", "id"], name="order_event_by_order")]

    def __str__(self) -> str:
        return f"{self.what}: {self.old_state or 'new'} → {self.new_state}"
