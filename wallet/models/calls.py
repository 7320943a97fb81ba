"""The call log, and what contradicts."""

from django.db import models
from django.db.models import F, Q

from lib.backoffice.languages import _
from players.models import Game, Operator, Player
from wallet.models.ledger import Transaction


class ApiCall(models.Model):
    """One wallet call that named a transaction: what the game really sent, and how it was answered.

    The table is partitioned by day and dropped by age (`manage.py call_log_days`).
    """

    id = models.UUIDField(primary_key=True, editable=False)
    at = models.DateTimeField()
    game = models.ForeignKey(Game, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    player = models.ForeignKey(
        Player, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    transaction = models.ForeignKey(
        Transaction, models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="calls"
    )
    credential = models.UUIDField()
    endpoint = models.CharField(max_length=20)
    mm_transaction_id = models.CharField("mmTransactionId", max_length=64, db_collation="C")
    amount = models.BigIntegerField(null=True)
    currency_code = models.CharField(max_length=12, blank=True, db_collation="C")
    address = models.GenericIPAddressField()
    outcome = models.CharField(max_length=20)
    replayed = models.BooleanField()
    took_us = models.IntegerField("took (µs)")

    class Meta:
        default_permissions = ("view",)
        managed = False
        db_table = "wallet_apicall"
        verbose_name = _("API call")

    def __str__(self) -> str:
        return f"{self.endpoint} {self.mm_transaction_id}"


class Discrepancy(models.Model):
    """A game's word that contradicts what the platform settled (contract 2.3).

    Open until an operator books it as the game says (`correction`, written by the ledger alone), or closes it
    with a reason. The same word again is counted, and opens nothing.
    """

    class Kind(models.TextChoices):
        CONFIRM_OF_RETURNED = "confirm_of_returned", _("confirmation of a rolled back or expired transaction")
        ROLLBACK_OF_CONFIRMED = (
            "rollback_of_confirmed",
            _("rollback of a transaction confirmed by the platform"),
        )
        TOMBSTONE_ELSEWHERE = "tombstone_elsewhere", _("rollback of an id that is pending for another player")

    id = models.UUIDField(primary_key=True, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="discrepancies", db_index=False)
    transaction = models.ForeignKey(
        Transaction, models.PROTECT, related_name="discrepancies", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=21, choices=Kind.choices, db_collation="C")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    owner = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=80, blank=True, db_default="")
    reason = models.CharField(max_length=255, blank=True, db_default="")
    correction = models.ForeignKey(
        Transaction,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = _("discrepancies")
        indexes = [
            models.Index(F("first_seen_at"), name="discrepancy_open", condition=Q(closed_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                name="discrepancy_is_closed_by_somebody",
                condition=Q(closed_at=None, closed_by="", correction=None)
                | (Q(closed_at__isnull=False) & ~Q(closed_by="")),
            ),
            models.UniqueConstraint(
                fields=["player", "transaction", "kind"], name="discrepancy_once_per_transaction_and_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.transaction_id}"
