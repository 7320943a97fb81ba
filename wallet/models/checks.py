"""How the platform checks itself: daily totals, checkpoints, and alerts."""

from django.db import models
from django.db.models import F, Q

from lib.backoffice.languages import _
from lib.ids import new_id
from players.models import Operator
from wallet.models.leased import Leased
from wallet.models.ledger import Currency, Entry, Wallet


class ClosedDay(models.Model):
    """A day (UTC) to which nothing is posted any more; its journal is summed up in `DailyTotal`."""

    day = models.DateField(primary_key=True)
    entries = models.PositiveBigIntegerField()
    closed_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("day's totals")
        verbose_name_plural = _("daily totals")

    def __str__(self) -> str:
        return str(self.day)


class DailyTotal(models.Model):
    """What one day moved on one account of all wallets and the house together, in minor units."""

    day = models.ForeignKey(ClosedDay, models.CASCADE, related_name="totals", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    account = models.CharField(max_length=17, choices=Entry.Account.choices, db_collation="C")
    debits = models.DecimalField(max_digits=40, decimal_places=0)
    credits = models.DecimalField(max_digits=40, decimal_places=0)
    entries = models.PositiveBigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["day", "currency", "account"], name="daily_total_once")
        ]

    def __str__(self) -> str:
        return f"{self.day_id} {self.currency_id} {self.account}"


class Checkpoint(models.Model):
    """A signed statement of all wallets' chain heads, whose file lies outside the database."""

    number = models.PositiveBigIntegerField(primary_key=True)
    made_at = models.DateTimeField()
    wallets = models.PositiveBigIntegerField()
    entries = models.PositiveBigIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    key_id = models.CharField(max_length=16)
    file = models.CharField(max_length=200)
    note = models.CharField(max_length=255, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    differences = models.PositiveIntegerField(
        null=True, blank=True, help_text="Differences found by the last verification."
    )

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"checkpoint {self.number}"


class Alert(models.Model):
    """A problem that needs a person's attention. Open until an operator resolves it with a reason."""

    class Kind(models.TextChoices):
        WALLET_DIFFERENCE = "wallet_difference", _("audit: a wallet differs from its journal")
        LEDGER_DIFFERENCE = "ledger_difference", _("audit: the ledger does not balance")
        CHECKPOINT_DIFFERENCE = "checkpoint_difference", _("a checkpoint does not match the ledger")
        GAME_FORGETS = "game_forgets", _("a game no longer knows most of its transactions")
        SWEEP_FAILED = "sweep_failed", _("a job failed")
        SETTLEMENT_FAILED = "settlement_failed", _("a due transaction cannot be settled")
        CREDIT_HELD = "credit_held", _("a payment's credit could not be posted")
        REFUND_OPEN = "refund_open", _("a refund is unconfirmed for days")
        RETURN_CHANGED = "return_changed", _("a refund failed after all, or a dispute was decided anew")
        DELIVERY_GIVEN_UP = "delivery_given_up", _("a paid order was not delivered")
        ACTS_NOT_LINKED = "acts_not_linked", _("acts of operators are not chained")
        MONEY_BY_HAND = "money_by_hand", _("much money was made by hand")
        DEPOSITS_UNUSUAL = "deposits_unusual", _("a game pays out far more than usual")
        ACCESS_CHANGED = "access_changed", _("an operator changed who may do what")
        LOCK_OUT = "lock_out", _("log-ins of an operator were locked")
        CALLBACKS_REFUSED = "callbacks_refused", _("a provider's callbacks are refused")
        REFUND_REFUSED = "refund_refused", _("a provider refused a refund")
        ANSWERS_LOST = "answers_lost", _("a database that took over lacks answered calls")
        STANDBY_BEHIND = "standby_behind", _("no standby has what was answered")
        EVENTS_NOT_TAKEN = "events_not_taken", _("events are not taken")

    class Severity(models.TextChoices):
        """From the mildest to the gravest."""

        NOTICE = "notice", _("notice")
        WARNING = "warning", _("warning")
        CRITICAL = "critical", _("critical")

    # A red banner on every page of the admin, until it is resolved.
    CRITICAL = (Kind.WALLET_DIFFERENCE, Kind.LEDGER_DIFFERENCE, Kind.CHECKPOINT_DIFFERENCE)
    # Nothing is wrong if the people who should know of it do.
    NOTICES = (Kind.ACCESS_CHANGED,)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=21, choices=Kind.choices, db_collation="C")
    subject = models.CharField(
        max_length=80, db_collation="C", help_text="A wallet, a game, a job, a refund or an order."
    )
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, null=True, blank=True, related_name="alerts", db_constraint=False
    )
    text = models.CharField(max_length=1000)
    # A fingerprint of what was found, which stays what it is if the text is worded anew: by it a difference
    # is accepted. Empty in alerts from before there was one.
    finding = models.CharField(max_length=64, blank=True, db_default="", db_collation="C", editable=False)
    raised_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    owner = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("resolve_alert", _("Can resolve alerts")),
            ("resolve_ledger_difference", _("Can accept differences of the ledger")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], name="alert_open_once", condition=Q(resolved_at=None)
            )
        ]
        indexes = [
            models.Index(F("raised_at").desc(), name="alert_newest"),
            models.Index(fields=["kind", "subject"], name="alert_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"

    @property
    def severity(self) -> Severity:
        """How grave it is; who hears of it depends on that."""
        if self.kind in self.CRITICAL:
            return self.Severity.CRITICAL
        return self.Severity.NOTICE if self.kind in self.NOTICES else self.Severity.WARNING


class AlertMessage(Leased):
    """One address that hears of an alert: once that it is there, and once that it is over.

    Due until both were sent. Neither the address nor what was told is ever changed back.
    """

    class Channel(models.TextChoices):
        WEBHOOK = "webhook", _("webhook")
        EMAIL = "email", _("e-mail")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    alert = models.ForeignKey(Alert, models.PROTECT, related_name="messages")
    channel = models.CharField(max_length=7, choices=Channel.choices, db_collation="C")
    address = models.CharField(
        max_length=254, blank=True, db_collation="C", help_text="An e-mail address; empty for the webhook."
    )
    created_at = models.DateTimeField()
    raised_told_at = models.DateTimeField(null=True, blank=True)
    ended_told_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0, help_text="Attempts since the last success.")
    problem = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["alert", "channel", "address"], name="alert_message_once")
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="alert_message_due",
                condition=Q(next_attempt_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.alert_id}"
