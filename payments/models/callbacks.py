"""What providers told us (contract 4.2)."""

from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.clock import in_words
from lib.id_ends import IdEnd
from lib.ids import new_id
from payments.models.orders import Order
from payments.models.providers import Provider


class Callback(models.Model):
    """A callback with a right signature, as it was received, or a provider's answer. Kept for ever.

    The same again is counted, not stored again.
    """

    class Outcome(models.TextChoices):
        """What came of it; the first ones have taken effect, once and for ever."""

        ACTED = "acted", _("acted on")
        NOTHING = "nothing", _("nothing to do")
        DUPLICATE = "duplicate", _("duplicate payment, to be refunded")
        CONTRADICTS = "contradicts", _("contradicts")
        NO_ORDER = "no_order", _("no such order")

    class Source(models.TextChoices):
        """How we heard of it: the provider called, or answered when it was asked."""

        CALLBACK = "callback", _("callback")
        QUERY = "query", _("asked")

    # These count by their ids; the others are looked at anew when they come again.
    TAKEN = (Outcome.ACTED, Outcome.NOTHING, Outcome.DUPLICATE)
    # A person has to look at these.
    TO_LOOK_AT = (Outcome.DUPLICATE, Outcome.CONTRADICTS, Outcome.NO_ORDER)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(
        Provider, models.PROTECT, related_name="callbacks", db_index=False, db_constraint=False
    )
    order = models.ForeignKey(Order, models.PROTECT, null=True, blank=True, related_name="callbacks")
    # The provider's id of the message (webhook-id), and of what it is about (providerReference).
    message_id = models.CharField(max_length=255, db_collation="C")
    type = models.CharField(max_length=40, blank=True, db_collation="C")
    reference = models.CharField(max_length=255, blank=True, db_collation="C")
    # Of its content without the spelling: two callbacks that say the same have the same.
    content_digest = models.BinaryField(max_length=32)
    # Of the signed part: whoever repeats it with other words that nobody signed
    # adds no row to the operators' list.
    signed_digest = models.BinaryField(max_length=32)
    headers = models.JSONField()
    body = models.BinaryField()
    # Of whoever called; answers have none.
    address = models.GenericIPAddressField(null=True, blank=True)
    source = models.CharField(
        max_length=8, choices=Source.choices, default=Source.CALLBACK, db_default=Source.CALLBACK
    )
    outcome = models.CharField(max_length=14, choices=Outcome.choices)
    problem = models.CharField(max_length=255, blank=True)
    received_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    # It contradicted its order, and operators took it as the payment: when, and who requested it.
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.CharField(max_length=80, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("resolve_callback", _("Can resolve callbacks")),
            ("accept_callback", _("Can accept callbacks as payments")),
            ("read_raw_callback", _("Can read callbacks as they came in")),
        ]
        constraints = [
            # It acts once, for ever (contract 4.2, rule 4).
            models.UniqueConstraint(
                fields=["provider", "message_id"],
                condition=Q(outcome__in=["acted", "nothing", "duplicate"]),
                name="callback_once_per_message",
            ),
            models.UniqueConstraint(
                fields=["provider", "type", "reference"],
                condition=Q(outcome__in=["acted", "nothing", "duplicate"]) & ~Q(reference=""),
                name="callback_once_per_reference",
            ),
            models.UniqueConstraint(
                fields=["provider", "signed_digest"],
                condition=Q(outcome__in=["contradicts", "no_order"]),
                name="callback_refused_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-id"],
                name="callback_to_look_at",
                condition=Q(outcome__in=["duplicate", "contradicts", "no_order"], resolved_at__isnull=True),
            ),
            models.Index(
                fields=["provider", "message_id"],
                name="callback_refused_message",
                condition=Q(outcome__in=["contradicts", "no_order"]),
            ),
            models.Index(fields=["reference"], name="callback_by_reference", condition=~Q(reference="")),
            models.Index(IdEnd("id"), name="callback_by_id_end"),
        ]

    def __str__(self) -> str:
        return f"{self.type or 'callback'} {self.message_id}"


class RefusedCallback(models.Model):
    """A callback that could not be verified, kept for some days: verified again once its secret is there.

    Those of a provider are bounded (`payments.callbacks.rejected`). What starts with `said` is read from a
    body that nobody has vouched for.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, models.CASCADE, related_name="refused_callbacks")
    at = models.DateTimeField()
    address = models.GenericIPAddressField()
    problem = models.CharField(max_length=255)
    headers = models.JSONField()
    body = models.BinaryField()
    # Of the body, in bytes.
    size = models.PositiveIntegerField()
    message_id = models.CharField(max_length=255, blank=True, db_collation="C")
    said_type = models.CharField(max_length=40, blank=True, db_collation="C")
    said_order = models.UUIDField(null=True, blank=True)
    said_reference = models.CharField(max_length=255, blank=True, db_collation="C")
    # In minor units of `said_currency`.
    said_amount = models.BigIntegerField(null=True, blank=True)
    said_currency = models.CharField(max_length=12, blank=True, db_collation="C")
    # It names an order that was started with this provider: the last ones to be thinned out.
    is_likely = models.BooleanField(default=False)
    # An operator has asked for it to be verified again.
    due_at = models.DateTimeField(null=True, blank=True)
    # It was genuine after all, and was taken in with this outcome (a `Callback.Outcome`).
    verified_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=14, blank=True, choices=Callback.Outcome.choices)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("verify_callback", _("Can have refused callbacks verified again")),
        ]
        indexes = [
            models.Index(
                fields=["said_order"], name="refused_callback_by_order", condition=Q(said_order__isnull=False)
            ),
            models.Index(
                fields=["said_reference"],
                name="refused_callback_by_reference",
                condition=~Q(said_reference=""),
            ),
            models.Index(fields=["due_at"], name="refused_callback_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {in_words(self.at)}"


class RefusalCount(models.Model):
    """How many callbacks of a provider were refused in one minute, those that were not kept among them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(
        Provider, models.CASCADE, related_name="refusal_counts", db_index=False, db_constraint=False
    )
    minute = models.DateTimeField()
    times = models.PositiveBigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["provider", "minute"], name="refusal_count_once_per_minute")
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {in_words(self.minute)}"
