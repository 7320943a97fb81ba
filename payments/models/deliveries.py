"""What games are told to deliver (contract 4.3)."""

from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.id_ends import IdEnd
from lib.ids import new_id
from payments.models.orders import Order
from players.models import Game
from wallet.models.leased import Leased


class Delivery(Leased):
    """A paid order that its game has to deliver; `id` is the id of the message in every attempt."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DELIVERED = "delivered", _("delivered")
        GONE = "gone", _("stopped by the game (410)")
        RETURNED = "returned", _("stopped: the money went back")
        EXHAUSTED = "exhausted", _("given up after 48 hours")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.OneToOneField(Order, models.PROTECT, related_name="delivery")
    game = models.ForeignKey(
        Game, models.PROTECT, related_name="deliveries", db_index=False, db_constraint=False
    )
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING, db_collation="C")
    created_at = models.DateTimeField()
    # Attempts on the schedule, which begins anew if an operator has it sent again.
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True, blank=True)
    # The trace that it came from, in which its attempts go on (W3C Trace Context). Null where there was none:
    # also web servers of before the column write rows.
    traceparent = models.CharField(max_length=55, null=True, blank=True, editable=False, db_collation="C")  # noqa: DJ001

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("retry_delivery", _("Can send deliveries again")),
            ("pause_deliveries", _("Can pause and resume deliveries")),
        ]
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="delivery_due", condition=Q(next_attempt_at__isnull=False)
            ),
            models.Index(fields=["state", "-id"], name="delivery_by_state"),
            models.Index(IdEnd("id"), name="delivery_by_id_end"),
            models.Index(fields=["game", "-id"], name="delivery_by_game"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class DeliveryAttempt(models.Model):
    """One attempt to tell a game, written down before it is sent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="attempt_log")
    url = models.CharField(max_length=500)
    worker = models.CharField(max_length=80)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    problem = models.CharField(max_length=120, blank=True)
    # The first characters of the answer.
    body = models.CharField(max_length=500, blank=True)
    took_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("delivery attempt")

    def __str__(self) -> str:
        return f"{self.began_at} {self.status or self.problem}"
