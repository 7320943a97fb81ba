"""Payments of orders, and what goes back of them. Amounts in minor units of the order's currency."""

from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.id_ends import IdEnd
from lib.ids import new_id
from payments.models.orders import Order
from payments.models.providers import Provider
from wallet.models.leased import Leased


class Payment(models.Model):
    """A player who was sent to a provider with an order; a duplicate payment is a row of its own."""

    class State(models.TextChoices):
        STARTED = "started", _("started")
        UNSTARTED = "unstarted", _("could not be started")
        FAILED = "failed", _("failed")
        PAID = "paid", _("paid")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="payments")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="payments")
    # What starting gave: only callbacks that name it count (contract 4.2, rule 3).
    start_reference = models.CharField(max_length=255, blank=True, db_collation="C")
    # The provider's own id of the payment.
    reference = models.CharField(max_length=255, blank=True, db_collation="C")
    state = models.CharField(max_length=9, choices=State.choices, default=State.STARTED)
    # Not the first success of its order.
    is_duplicate = models.BooleanField(_("duplicate payment"), default=False)
    amount = models.BigIntegerField()
    # The refunds and chargebacks that are booked against it, up to its amount.
    returned = models.BigIntegerField(default=0)
    transaction = models.UUIDField(null=True, blank=True)
    started_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=255, blank=True)
    # An operator wants the provider asked; when it was asked last, and in a few words what it said.
    query_due_at = models.DateTimeField(null=True, blank=True)
    queried_at = models.DateTimeField(null=True, blank=True)
    query_answer = models.CharField(max_length=255, blank=True, default="", db_default="")

    class Meta:
        default_permissions = ()
        permissions = [("query_payment", _("Can ask providers what became of payments"))]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(state="paid", is_duplicate=False),
                name="payment_first_once_per_order",
            ),
            models.CheckConstraint(
                name="payment_returns_at_most_itself",
                condition=Q(returned__gte=0) & Q(amount__gte=models.F("returned")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["provider", "reference"], name="payment_by_reference", condition=~Q(reference="")
            ),
            models.Index(
                fields=["provider", "start_reference"],
                name="payment_by_start",
                condition=~Q(start_reference=""),
            ),
            models.Index(
                fields=["query_due_at"], name="payment_query_due", condition=Q(query_due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.reference or self.start_reference or self.pk}"


class Refund(Leased):
    """Money that goes back to a payer: a refund, initiated by us or by the provider, or a chargeback."""

    class Kind(models.TextChoices):
        REFUND = "refund", _("refund")
        CHARGEBACK = "charge_back", _("chargeback")

    class State(models.TextChoices):
        # Initiated by us.
        ASKED = "asked", _("to be requested")
        UNKNOWN = "unknown", _("outcome unknown")
        REFUSED = "refused", _("refused by the provider")
        # Whoever initiated it.
        REMEMBERED = "remembered", _("came before the payment")
        DONE = "done", _("done")
        REVERSED = "reversed", _("reversed")
        # The provider has told only that the money did not go back.
        UNMOVED = "unmoved", _("moved no money")
        # It stood for refunds that the provider has named since.
        REPLACED = "replaced", _("replaced")

    # Initiated by us and still without an outcome; the credit that they take is set aside.
    OPEN = (State.ASKED, State.UNKNOWN)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="refunds")
    # The payment that it is booked against; absent while it is only remembered.
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, blank=True, related_name="refunds")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="refunds", db_index=False)
    kind = models.CharField(max_length=11, choices=Kind.choices, db_collation="C")
    state = models.CharField(max_length=10, choices=State.choices)
    amount = models.BigIntegerField()
    # The provider's id of the payment that it is of, if it named one.
    payment_reference = models.CharField(max_length=255, blank=True, db_collation="C")
    # What it takes of the credit, in minor units of the credit's currency;
    # and how much of that was set aside.
    clawback = models.BigIntegerField(default=0)
    set_aside = models.BigIntegerField(default=0)
    set_aside_transaction = models.UUIDField(null=True, blank=True)
    return_transaction = models.UUIDField(null=True, blank=True)
    reference = models.CharField(max_length=255, blank=True, db_collation="C")
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # By the provider's clock: when it was made, when the provider said how it stands, and whether nothing can
    # follow that. A failure that was only looked at has our time, and is not final (`refunds.worker`).
    made_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    is_final = models.BooleanField(default=False)
    times_asked = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("refund_order", _("Can refund orders")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "kind", "reference"],
                condition=~Q(reference=""),
                name="refund_once_per_reference",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(state__in=["asked", "unknown"]),
                name="refund_open_once_per_order",
            ),
            models.CheckConstraint(name="refund_amount_is_positive", condition=Q(amount__gt=0)),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="refund_due", condition=Q(next_attempt_at__isnull=False)
            ),
            models.Index(fields=["-id"], name="refund_remembered", condition=Q(state="remembered")),
            models.Index(fields=["-id"], name="refund_refused", condition=Q(state="refused")),
            models.Index(IdEnd("id"), name="refund_by_id_end"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.reference or self.pk}"


class RefundTotal(models.Model):
    """All that a provider said was ever refunded of a payment, and when it said so by its own clock.

    Refunds that it has not named are booked by the part that no named one is (`settlement.returns`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="refund_totals")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    payment_reference = models.CharField(max_length=255, db_collation="C")
    amount = models.BigIntegerField()
    told_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "payment_reference"], name="refund_total_once_per_payment"
            ),
            models.CheckConstraint(name="refund_total_is_not_negative", condition=Q(amount__gte=0)),
        ]

    def __str__(self) -> str:
        return self.payment_reference
