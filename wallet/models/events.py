"""The outbox: what happened, as others are told of it."""

from django.db import models

from players.models import Player


class NewEvent(models.Model):
    """Something that happened and has no position yet, written in its own transaction.

    `kind` says where it stands: the wallet and the number of a line of its journal, or the id of a row.
    """

    n = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    seq = models.BigIntegerField(null=True)
    player = models.ForeignKey(
        Player, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    subject_id = models.UUIDField()
    kind = models.CharField(max_length=8, db_collation="C")

    class Meta:
        default_permissions = ()
        managed = False
        db_table = "wallet_newevent"

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class Event(models.Model):
    """An event in the feed. Positions have no gap, and nothing ever comes in before one that is there.

    The table is partitioned by the day on which events were numbered, and dropped by age.
    """

    pk = models.CompositePrimaryKey("day", "position")
    position = models.BigIntegerField()
    at = models.DateTimeField()
    seq = models.BigIntegerField(null=True)
    day = models.DateField()
    player = models.ForeignKey(
        Player, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    subject_id = models.UUIDField()
    kind = models.CharField(max_length=8, db_collation="C")

    class Meta:
        default_permissions = ()
        managed = False
        db_table = "wallet_event"

    def __str__(self) -> str:
        return f"event {self.position}"


class EventHead(models.Model):
    """How far events are numbered, and which was the last of those that were dropped."""

    id = models.SmallIntegerField(primary_key=True)
    position = models.BigIntegerField()
    day = models.DateField()
    dropped_position = models.BigIntegerField()
    dropped_at = models.DateTimeField(null=True)
    dropped_subject_id = models.UUIDField(null=True)
    dropped_seq = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()
        managed = False
        db_table = "wallet_eventhead"

    def __str__(self) -> str:
        return f"events up to {self.position}"
