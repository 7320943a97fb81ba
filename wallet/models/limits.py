"""A player's limits (contract 2.5), what is used of them, and who changed them when and why."""

from django.db import models
from django.db.models import Q

from lib.ids import new_id
from players.models import Game, Player
from wallet.models.ledger import Wallet

# What is summed up over all games stands in a row of this one.
ALL_GAMES = "00000000-0000-0000-0000-000000000000"


class PlayerLimit(models.Model):
    """A bound of a player's, in one currency, of all games or one.

    `amount` is in minor units, or in minutes for a limit of time; empty: there is none now. A raise or a
    removal waits in the row until it counts, which needs no sweep (`wallet/sql/limits.sql`).
    """

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", "paid in"
        SPEND = "spend", "spent in games"
        LOSS = "loss", "lost in games"
        SINGLE = "single", "largest single withdrawal"
        BALANCE = "balance", "largest balance"
        TIME = "time", "time played"

    class Period(models.TextChoices):
        NONE = "", "at any time"
        DAY = "day", "day"
        WEEK = "week", "week"
        MONTH = "month", "month"
        ROLLING = "rolling", "24 hours"

    class SetBy(models.TextChoices):
        """Whose limit it is: two may stand beside each other, and the stricter one counts."""

        PLAYER = "player", "player"
        OPERATOR = "operator", "operator"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="limits", db_constraint=False, db_index=False
    )
    game = models.ForeignKey(
        Game, models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    kind = models.CharField(max_length=7, choices=Kind.choices, db_collation="C")
    period = models.CharField(max_length=7, choices=Period.choices, blank=True, db_collation="C")
    set_by = models.CharField(max_length=8, choices=SetBy.choices, db_collation="C")
    amount = models.BigIntegerField(null=True, blank=True)
    # What it is to become (empty: it is to go), from when on, and whether the player must say yes once more.
    pending_amount = models.BigIntegerField(null=True, blank=True)
    pending_at = models.DateTimeField(null=True, blank=True)
    needs_confirmation = models.BooleanField(default=False)
    changed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["player", "wallet", "game", "kind", "period", "set_by"],
                name="player_limit_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="player_limit_is_positive",
                condition=(Q(amount=None) | Q(amount__gt=0))
                & (Q(pending_amount=None) | Q(pending_amount__gt=0)),
            ),
            models.CheckConstraint(
                name="player_limit_has_its_period",
                condition=Q(
                    kind__in=["deposit", "spend", "loss"], period__in=["day", "week", "month", "rolling"]
                )
                | Q(kind__in=["single", "balance"], period="")
                | Q(kind="time", period="day"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.period}".strip()


class LimitUsage(models.Model):
    """What a player of limited games has spent and won in the present day, week, month and 24 hours.

    Of all games together, and of each game that has a limit of its own. Of the player's own rows only the
    wallet's holder writes here, under the wallet's lock. Everything follows from the journal, and the audit
    compares it. The sums have no bound of their own: a settlement must never fail for them.
    """

    pk = models.CompositePrimaryKey("player_id", "wallet_id", "game_id")
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    wallet = models.ForeignKey(Wallet, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    # The last day of which something is counted, in the platform's zone; its week and its month.
    day = models.DateField()
    day_spent = models.DecimalField(max_digits=40, decimal_places=0)
    day_won = models.DecimalField(max_digits=40, decimal_places=0)
    week_spent = models.DecimalField(max_digits=40, decimal_places=0)
    week_won = models.DecimalField(max_digits=40, decimal_places=0)
    month_spent = models.DecimalField(max_digits=40, decimal_places=0)
    month_won = models.DecimalField(max_digits=40, decimal_places=0)
    # What the journal's lines after `tail_seq` count; the first of them is not older than `tail_at`.
    rolling_spent = models.DecimalField(max_digits=40, decimal_places=0)
    rolling_won = models.DecimalField(max_digits=40, decimal_places=0)
    tail_seq = models.BigIntegerField()
    tail_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.day}"


class LimitChange(models.Model):
    """One change of a limit, kept for ever (append-only by trigger)."""

    class What(models.TextChoices):
        SET = "set", "set"
        REMOVED = "removed", "removed"
        REQUESTED = "requested", "asked for, and waits"
        CONFIRMED = "confirmed", "confirmed"
        CANCELLED = "cancelled", "taken back"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="limit_changes", db_constraint=False, db_index=False
    )
    limit = models.ForeignKey(
        PlayerLimit, models.PROTECT, related_name="changes", db_constraint=False, db_index=False
    )
    what = models.CharField(max_length=9, choices=What.choices, db_collation="C")
    old_amount = models.BigIntegerField(null=True, blank=True)
    new_amount = models.BigIntegerField(null=True, blank=True)
    counts_at = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["player", "-at"], name="limit_change_by_player")]

    def __str__(self) -> str:
        return f"{self.what} {self.limit_id}"
