"""A game's bounds (contract 2.5), the counters of its net payout, and its deposits in the course of time."""

from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id
from players.models import Game
from wallet.models.ledger import Currency


class PayoutLimit(models.Model):
    """What a game may pay out in one currency, in minor units; empty: without a limit.

    A deposit beyond it is refused when it is announced (`wallet/sql/payout.sql`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    largest_deposit = models.BigIntegerField(null=True, blank=True)
    daily_payout = models.BigIntegerField(_("net payout per day"), null=True, blank=True)
    # Set by the database: since when there has been a daily limit.
    counting_since = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        default_permissions = ("view",)
        permissions = [("change_game_limits", _("Can change what games may pay out"))]
        constraints = [
            models.UniqueConstraint(fields=["game", "currency"], name="payout_limit_once"),
            models.CheckConstraint(
                name="payout_limit_is_positive",
                condition=(Q(largest_deposit=None) | Q(largest_deposit__gt=0))
                & (Q(daily_payout=None) | Q(daily_payout__gt=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.game} {self.currency_id}"


class PayoutCounter(models.Model):
    """A part of what a game has paid out net on a day (UTC); the day's is the sum. Only the ledger counts.

    It has no bound of its own: a confirmation must never fail for it.
    """

    pk = models.CompositePrimaryKey("game_id", "currency_id", "day", "number")
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    currency = models.ForeignKey(
        Currency, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    day = models.DateField()
    number = models.SmallIntegerField()
    net = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.game_id} {self.currency_id} {self.day} {self.number}"


class DepositSpan(models.Model):
    """What a game paid out in five minutes, in minor units (`wallet/watch/deposits.py`)."""

    pk = models.CompositePrimaryKey("game_id", "currency_id", "began_at")
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    currency = models.ForeignKey(
        Currency, models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    began_at = models.DateTimeField()
    amount = models.DecimalField(max_digits=40, decimal_places=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.game_id} {self.currency_id} {self.began_at}"
