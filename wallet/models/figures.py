"""What the admin's first page shows, summed up beforehand: money by day and game, activity, liabilities."""

from django.db import models

from players.models import Game
from wallet.models.ledger import Currency, Entry


class FiguresDay(models.Model):
    """A day (UTC) whose journal is summed up so far, or for good once the day is closed."""

    day = models.DateField(primary_key=True)
    read_up_to = models.DateTimeField()
    is_final = models.BooleanField(default=False)
    # Whether its hours are there as well: those of the latest days are.
    by_hour = models.BooleanField(default=False, db_default=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.day)


class GameTotal(models.Model):
    """What one day moved on one account through one game (or through none), in minor units.

    Test players, as they were marked when it was summed up, are apart from the others.
    """

    day = models.ForeignKey(FiguresDay, models.CASCADE, related_name="totals", db_index=False)
    game = models.ForeignKey(Game, models.PROTECT, null=True, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    is_test = models.BooleanField()
    account = models.CharField(max_length=17, choices=Entry.Account.choices, db_collation="C")
    debits = models.DecimalField(max_digits=40, decimal_places=0)
    credits = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "game", "currency", "is_test", "account"],
                name="game_total_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day_id} {self.game_id} {self.currency_id} {self.account}"


class HourTotal(models.Model):
    """The part of a `GameTotal` that one hour (UTC) of one of the latest days moved."""

    day = models.ForeignKey(FiguresDay, models.CASCADE, related_name="hours", db_index=False)
    hour = models.PositiveSmallIntegerField()
    game = models.ForeignKey(Game, models.PROTECT, null=True, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    is_test = models.BooleanField()
    account = models.CharField(max_length=17, choices=Entry.Account.choices, db_collation="C")
    debits = models.DecimalField(max_digits=40, decimal_places=0)
    credits = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "hour", "game", "currency", "is_test", "account"],
                name="hour_total_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day_id} {self.hour}:00 {self.game_id} {self.currency_id} {self.account}"


class ActiveSession(models.Model):
    """A session in which something was withdrawn or deposited on a day that is not final yet.

    `hour` is that of the first time on that day.
    """

    pk = models.CompositePrimaryKey("day_id", "session_id")
    day = models.ForeignKey(FiguresDay, models.CASCADE, related_name="sessions", db_index=False)
    session_id = models.UUIDField()
    player_id = models.UUIDField()
    game_id = models.UUIDField()
    currency_code = models.CharField(max_length=12, db_collation="C")
    is_test = models.BooleanField()
    hour = models.PositiveSmallIntegerField(db_default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.day_id} {self.session_id}"


class DailyActivity(models.Model):
    """How many players and sessions withdrew or deposited on a day; no game, no currency: in whichever."""

    day = models.ForeignKey(FiguresDay, models.CASCADE, related_name="activity", db_index=False)
    game = models.ForeignKey(Game, models.PROTECT, null=True, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, null=True, related_name="+", db_index=False)
    is_test = models.BooleanField()
    players = models.PositiveBigIntegerField()
    sessions = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "game", "currency", "is_test"],
                name="daily_activity_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day_id} {self.game_id} {self.currency_id}"


class HourActivity(models.Model):
    """The part of a `DailyActivity` that came in one hour (UTC): whoever had been there before is not in it.

    So the hours up to one add up to who had been there by its end.
    """

    day = models.ForeignKey(FiguresDay, models.CASCADE, related_name="arrivals", db_index=False)
    hour = models.PositiveSmallIntegerField()
    game = models.ForeignKey(Game, models.PROTECT, null=True, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, null=True, related_name="+", db_index=False)
    is_test = models.BooleanField()
    players = models.PositiveBigIntegerField()
    sessions = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "hour", "game", "currency", "is_test"],
                name="hour_activity_once",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return f"{self.day_id} {self.hour}:00 {self.game_id} {self.currency_id}"


class Liability(models.Model):
    """What all wallets of a currency held at a moment, in minor units, those of test players apart."""

    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    is_test = models.BooleanField()
    spendable = models.DecimalField(max_digits=40, decimal_places=0)
    reserved = models.DecimalField(max_digits=40, decimal_places=0)
    announced = models.DecimalField(max_digits=40, decimal_places=0)
    debt = models.DecimalField(max_digits=40, decimal_places=0)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["currency", "is_test"], name="liability_once")]

    def __str__(self) -> str:
        return f"{self.currency_id} {self.at}"
