"""What the call log says, summed up for the pages about a game's integration."""

from django.db import models

from players.models import Game


class CallHour(models.Model):
    """The calls of a game to an endpoint in one hour (UTC) that took about as long as each other.

    `bucket` is the place of that time among `wallet.call_hours.BOUNDS`. `repeats` got a stored answer; `late`
    are confirmations that came long after the opening.
    """

    pk = models.CompositePrimaryKey("game_id", "hour", "endpoint", "bucket")
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_index=False)
    hour = models.DateTimeField()
    endpoint = models.CharField(max_length=20, db_collation="C")
    bucket = models.PositiveSmallIntegerField()
    calls = models.PositiveBigIntegerField()
    refused = models.PositiveBigIntegerField()
    repeats = models.PositiveBigIntegerField()
    late = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.hour} {self.endpoint} {self.bucket}"


class IntegrationStep(models.Model):
    """Something that a game's integration has to be able to do, and when it was seen to do it."""

    class Name(models.TextChoices):
        """What is told by single calls of the log; `wallet/call_hours.py` says by which."""

        WITHDRAWAL_CONFIRMED = "withdrawal_confirmed"
        WITHDRAWAL_ROLLED_BACK = "withdrawal_rolled_back"
        DEPOSIT_CONFIRMED = "deposit_confirmed"
        DEPOSIT_ROLLED_BACK = "deposit_rolled_back"
        OPENING_REPEATED = "opening_repeated"
        SETTLEMENT_REPEATED = "settlement_repeated"
        TOMBSTONE = "tombstone"
        DECLINED = "declined"
        DECLINED_CONFIRMED = "declined_confirmed"
        QUERIED = "queried"

    pk = models.CompositePrimaryKey("game_id", "name")
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=24, choices=Name.choices, db_collation="C")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.game_id} {self.name}"


class CallLogReading(models.Model):
    """How far the call log is summed up: all calls that were written before `up_to`. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    up_to = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.up_to)
