"""What providers told us (contract 4.2)."""

from django.db import models
from django.db.models import Q

from lib.clock import in_words
from lib.id_ends import IdEnd
from lib.ids import new_id
from payments.models.orders import Order
from payments.models.providers import Provider


class Callback(models.Model):
    """A callback with a right signature, as it was received, kept for ever.

    The same again is counted, not stored again.
    """

    class Outcome(models.TextChoices):
        """What came of it; the first ones have taken effect, once and for ever."""

        ACTED = "acted", "acted on"
        NOTHING = "nothing", "nothing to do"
        DUPLICATE = "duplicate", "duplicate payment, to be refunded"
        CONTRADICTS = "contradicts", "contradicts"
        NO_ORDER = "no_order", "no such order"

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
    address = models.GenericIPAddressField()
    outcome = models.CharField(max_length=14, choices=Outcome.choices)
    problem = models.CharField(max_length=255, blank=True)
    received_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("resolve_callback", "Can resolve callbacks"),
            ("read_raw_callback", "Can read callbacks as they came in"),
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
    """One of the latest callbacks that could not be verified.

    They are a bounded sample, for operators who look for the reason.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(Provider, models.CASCADE, related_name="refused_callbacks")
    at = models.DateTimeField()
    address = models.GenericIPAddressField()
    problem = models.CharField(max_length=255)
    headers = models.JSONField()
    # Its first bytes.
    body = models.BinaryField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.provider} {in_words(self.at)}"
