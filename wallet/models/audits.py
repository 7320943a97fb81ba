"""How far an audit of the whole ledger has come, and what it found right: a killed one goes on from there.

What stands here proves nothing: whoever can change the journal can change it too. A full audit reads the
journal itself, from its first line (`wallet/audit/passes.py` has the rule), and checkpoints lie elsewhere.
"""

from django.db import models

from lib.ids import new_id
from players.models import Player
from wallet.models.ledger import Currency, Entry, Wallet


class AuditPass(models.Model):
    """One audit of the whole ledger, in parts. Without an end it is under way, or was interrupted."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Whether it reads every line, or goes on from what a full one and those after it found right.
    is_full = models.BooleanField()
    # The full one on which it builds; its own id if it is full.
    base = models.UUIDField()
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["ended_at"],
                name="audit_under_way_once",
                condition=models.Q(ended_at=None),
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{'full' if self.is_full else 'further'} audit {self.began_at:%Y-%m-%d %H:%M}"


class AuditPart(models.Model):
    """A part of an audit: all wallets of a range of players, or one question to the database.

    Done with its end, which is written together with the marks of its wallets.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    audit = models.ForeignKey(AuditPass, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    # Empty for a range of players, both ends included.
    question = models.CharField(max_length=120, blank=True)
    first_player = models.UUIDField(null=True)
    last_player = models.UUIDField(null=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    wallets = models.PositiveBigIntegerField(default=0)
    entries = models.PositiveBigIntegerField(default=0)
    entries_read = models.PositiveBigIntegerField(default=0)
    # What is wrong, and what the wallets moved that are not found right (`Report.as_json`).
    found = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"part {self.number} of {self.audit_id}"


class AuditMark(models.Model):
    """A wallet's row as it was when its journal up to there was found right, in minor units."""

    pk = models.CompositePrimaryKey("player_id", "wallet_id")
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    # The full audit that it follows from; what it moved is in that one's `AuditedMovement`.
    base = models.UUIDField()
    currency = models.ForeignKey(
        Currency, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    spendable = models.BigIntegerField()
    reserved = models.BigIntegerField()
    announced = models.BigIntegerField()
    debt = models.BigIntegerField()
    entry_count = models.BigIntegerField()
    head = models.BinaryField(max_length=32)
    frozen_at = models.DateTimeField(null=True)
    withdrawal_limit = models.BigIntegerField(null=True)
    opened_at = models.DateTimeField()
    # The transactions that were pending: each is looked at again until it has ended.
    pending = models.JSONField(default=list)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.entry_count}"


class AuditedMovement(models.Model):
    """What the marked part of the journal moved in a day, in minor units."""

    base = models.UUIDField()
    day = models.DateField()
    currency = models.ForeignKey(
        Currency, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    debit = models.CharField(max_length=17, choices=Entry.Account.choices, null=True, db_collation="C")  # noqa: DJ001 (NULL: nothing moved)
    credit = models.CharField(max_length=17, choices=Entry.Account.choices, null=True, db_collation="C")  # noqa: DJ001
    amount = models.DecimalField(max_digits=40, decimal_places=0)
    entries = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["base", "day", "currency", "debit", "credit"],
                name="audited_movement_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.currency_id} {self.debit} {self.credit}"
