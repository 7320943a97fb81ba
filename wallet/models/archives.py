"""Months of the journal that lie in files instead of the database, and how each wallet stood after them."""

from django.db import models

from players.models import Player
from wallet.models.ledger import Currency, Entry, Wallet


class ArchivedPart(models.Model):
    """A part of the journal whose entries lie in files, from the day on which it was taken out."""

    # As its table is, or was, called.
    part = models.CharField(primary_key=True, max_length=63, db_collation="C")
    # None: from the very beginning.
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()
    wallets = models.PositiveBigIntegerField()
    entries = models.PositiveBigIntegerField()
    calls = models.PositiveBigIntegerField()
    # Of the manifest, which names all other files with their own.
    manifest_hash = models.CharField(max_length=64)
    # The checkpoint that knows how it went on.
    checkpoint = models.BigIntegerField()
    archived_at = models.DateTimeField()
    # Until then its table is kept beside the journal.
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["ended_at"]

    def __str__(self) -> str:
        return self.part


class ArchiveMark(models.Model):
    """A wallet as it stood after its last entry of an archived part, in minor units.

    Replays begin here, and so does whoever reads the journal.
    """

    pk = models.CompositePrimaryKey("player_id", "wallet_id", "entry_count")
    part = models.ForeignKey(ArchivedPart, models.PROTECT, related_name="marks", db_constraint=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
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
    # The transactions that had not ended then.
    pending = models.JSONField(default=list)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.entry_count}"


class ArchivedMovement(models.Model):
    """What an archived part of the journal moved in a day, in minor units."""

    part = models.ForeignKey(ArchivedPart, models.PROTECT, related_name="movements", db_constraint=False)
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

    def __str__(self) -> str:
        return f"{self.day} {self.currency_id} {self.debit} {self.credit}"
