"""Currencies, wallets, transactions and the journal."""

from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from lib.backoffice.languages import _
from lib.id_ends import IdEnd
from lib.ids import new_id
from players.models import Game, GameSession, Operator, Player
from wallet.models.days import Day


class Currency(models.Model):
    """A currency and its number of decimals, which can never change (a trigger holds that)."""

    code = models.CharField(
        primary_key=True,
        max_length=12,
        db_collation="C",
        validators=[RegexValidator(r"\A[A-Z0-9]{2,12}\Z", _("2 to 12 capital letters or digits."))],
    )
    name = models.CharField(max_length=60)
    decimals = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(4)],
        help_text=_("Decimals of an amount, 0 to 4. It cannot be changed later."),
    )

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("manage_currencies", _("Can add and name currencies")),
        ]
        ordering = ["code"]
        verbose_name_plural = _("currencies")
        constraints = [models.CheckConstraint(name="currency_decimals_0_to_4", condition=Q(decimals__lte=4))]

    def __str__(self) -> str:
        return self.code


class Wallet(models.Model):
    """A player's money in one currency, in minor units: the present state, derivable from its entries.

    What it must never hold is refused by a CHECK (`wallet/sql/guards.sql`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="wallets")
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+")
    spendable = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    announced = models.BigIntegerField(default=0)
    debt = models.BigIntegerField(default=0)
    entry_count = models.BigIntegerField(default=0)
    head = models.BinaryField(max_length=32)
    frozen_at = models.DateTimeField(null=True, blank=True)
    withdrawal_limit = models.BigIntegerField(
        null=True, blank=True, help_text=_("The largest single withdrawal, in minor units. Empty: no limit.")
    )
    opened_at = models.DateTimeField()
    # Since when the player has had limits, whatever they are now (`wallet/sql/limits.sql`).
    limited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("adjust_balance", _("Can credit and debit wallets")),
            ("freeze_wallet", _("Can freeze and unfreeze wallets")),
            ("limit_wallet", _("Can limit withdrawals")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["player", "currency"], name="wallet_one_per_player_and_currency"),
        ]
        indexes = [
            models.Index(fields=["frozen_at"], name="wallet_frozen", condition=Q(frozen_at__isnull=False)),
            models.Index(fields=["limited_at"], name="wallet_limited", condition=Q(limited_at__isnull=False)),
            models.Index(IdEnd("id"), name="wallet_by_id_end"),
        ]

    def __str__(self) -> str:
        return f"{self.player_id} {self.currency_id}"


class Transaction(models.Model):
    """The present state of one withdrawal, deposit, adjustment or posting of a payment.

    `id` is the partner's `qwTransactionId`. Its foreign keys are without database constraints: only the
    ledger writes it, what it names is never deleted (triggers), the audit looks for orphans, and a constraint
    on `game` would lock that one row at every call.
    """

    class Type(models.TextChoices):
        WITHDRAWAL = "withdrawal", _("withdrawal")
        DEPOSIT = "deposit", _("deposit")
        CREDIT = "credit", _("credit by an operator")
        DEBIT = "debit", _("debit by an operator")
        WRITE_OFF = "write_off", _("debt written off by an operator")
        # Booked as a game says, of what the platform settled otherwise.
        LATE_WITHDRAWAL = "late_withdrawal", _("withdrawal confirmed afterwards")
        LATE_DEPOSIT = "late_deposit", _("deposit confirmed afterwards")
        WITHDRAWAL_BACK = "withdrawal_back", _("withdrawal given back afterwards")
        DEPOSIT_BACK = "deposit_back", _("deposit taken back afterwards")
        # In the currency that was paid: what a provider holds for us. It moves nothing of the player's.
        PAYMENT = "payment", _("payment for credit")
        SALE = "sale", _("payment for an item")
        PAYMENT_RETURN = "payment_return", _("return of a payment for credit")
        SALE_RETURN = "sale_return", _("return of a payment for an item")
        # In the currency that is credited.
        TOP_UP = "top_up", _("top-up")
        CLAWBACK = "clawback", _("credit taken back")
        SET_ASIDE = "set_aside", _("credit set aside for a refund")

    # What an operator posts: nothing of these types is there without an `Adjustment`.
    CORRECTIONS = (Type.LATE_WITHDRAWAL, Type.LATE_DEPOSIT, Type.WITHDRAWAL_BACK, Type.DEPOSIT_BACK)
    BY_HAND = (Type.CREDIT, Type.DEBIT, Type.WRITE_OFF, *CORRECTIONS)

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        CONFIRMED = "confirmed", _("confirmed")
        ROLLED_BACK = "rolled_back", _("rolled back")
        EXPIRED = "expired", _("expired")
        DECLINED = "declined", _("declined")

    class Source(models.TextChoices):
        """Which part of the platform acted."""

        GAME = "game", _("game")
        OPERATOR = "operator", _("operator")
        SWEEP = "sweep", _("sweep")
        SYSTEM = "system", _("system")
        PROVIDER = "provider", _("payment provider")

    id = models.UUIDField(primary_key=True, editable=False)
    player = models.ForeignKey(
        Player, models.PROTECT, related_name="transactions", db_constraint=False, db_index=False
    )
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="transactions", db_constraint=False, db_index=False
    )
    game = models.ForeignKey(
        Game, models.PROTECT, null=True, blank=True, related_name="+", db_constraint=False, db_index=False
    )
    session = models.ForeignKey(
        GameSession,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    type = models.CharField(max_length=20, choices=Type.choices, db_collation="C")
    mm_transaction_id = models.CharField(  # noqa: DJ001 (NULL: outside the unique key)
        "mmTransactionId", max_length=64, null=True, blank=True, db_collation="C"
    )
    state = models.CharField(max_length=11, choices=State.choices)
    # In minor units; absent for a rollback that overtook its opening.
    amount = models.BigIntegerField(null=True, blank=True)
    refusal = models.CharField(
        max_length=18, blank=True, help_text="The reason for which a transaction was declined."
    )
    description = models.CharField(max_length=255, blank=True)
    source = models.CharField(max_length=8, choices=Source.choices)
    actor = models.CharField(max_length=80)
    reverses = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reversals",
        db_constraint=False,
        db_index=False,
    )
    reference = models.UUIDField(
        null=True, blank=True, help_text="The order that it belongs to; empty if it is none's."
    )
    opened_at = models.DateTimeField()
    opened_seq = models.BigIntegerField()
    due_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_seq = models.BigIntegerField(null=True, blank=True)
    settled_source = models.CharField(max_length=8, choices=Source.choices, blank=True)
    settled_actor = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["player", "game", "type", "mm_transaction_id"],
                name="transaction_once_per_game_and_player",
            ),
        ]
        indexes = [
            models.Index(Day("opened_at"), F("mm_transaction_id"), name="transaction_by_day_and_mm_id"),
            models.Index(Day("opened_at"), IdEnd("id"), name="transaction_by_day_and_end"),
            models.Index(fields=["due_at"], name="transaction_due", condition=Q(state="pending")),
            # For reconciliation, and for an order's page: what games open belongs to no order.
            models.Index(
                fields=["reference"], name="transaction_by_reference", condition=Q(reference__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Adjustment(models.Model):
    """An operator's act that credits or debits a wallet, writes off debt, or books a discrepancy as the game
    says: nothing is adjusted without one.

    `id` is the transaction's. It is never changed, never deleted (triggers hold that), and names an active
    operator; those from before this table was there name the operator whose name the journal has, if any.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", db_index=False)
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    type = models.CharField(max_length=20, choices=Transaction.Type.choices, db_collation="C")
    amount = models.BigIntegerField()
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=255, blank=True)
    # Set by the database.
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                name="adjustment_is_of_a_known_type",
                condition=Q(type__in=[type.value for type in Transaction.BY_HAND], amount__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Entry(models.Model):
    """One thing that happened to a wallet.

    A row of the journal, never changed, never deleted (triggers hold that).
    """

    class Account(models.TextChoices):
        """Per wallet: spendable, reserved, debt. Per house and currency: the others."""

        SPENDABLE = "spendable", _("spendable")
        RESERVED = "reserved", _("reserved")
        DEBT = "debt", _("debt")
        GAME_REVENUE = "game_revenue", _("game revenue")
        GAME_PAYOUT = "game_payout", _("game payout")
        PROVIDER_CLEARING = "provider_clearing", _("provider clearing")
        ISSUANCE = "issuance", _("issuance")
        ADJUSTMENTS = "adjustments", _("adjustments")
        WRITE_OFF = "write_off", _("write-off")

    pk = models.CompositePrimaryKey("player_id", "wallet_id", "seq")
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    wallet = models.ForeignKey(
        Wallet, models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    seq = models.BigIntegerField()
    transaction = models.ForeignKey(
        Transaction, models.PROTECT, null=True, related_name="entries", db_constraint=False, db_index=False
    )
    event = models.CharField(max_length=16)
    debit = models.CharField(max_length=17, choices=Account.choices, null=True)  # noqa: DJ001 (NULL: nothing moved)
    credit = models.CharField(max_length=17, choices=Account.choices, null=True)  # noqa: DJ001
    amount = models.BigIntegerField(null=True)
    spendable = models.BigIntegerField()
    reserved = models.BigIntegerField()
    announced = models.BigIntegerField()
    debt = models.BigIntegerField()
    actor = models.CharField(max_length=80)
    note = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()
    version = models.SmallIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        verbose_name_plural = _("entries")
        # The journal is written in the order of time: a few bytes for each range of pages find any day.
        indexes = [BrinIndex(fields=["at"], name="entry_by_time", autosummarize=True, pages_per_range=32)]

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.seq}"
