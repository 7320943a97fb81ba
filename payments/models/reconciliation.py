"""Files of games and providers that are compared with the ledger, and where they differ from it."""

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id
from payments.models.providers import Provider
from players.models import Game, Operator, Player
from wallet.models import Currency


class ReconciliationSource(models.Model):
    """Whose files these are, how they are written, and which of their columns is what."""

    class Format(models.TextChoices):
        CSV = "csv", _("CSV, with a line of names first")
        JSON_LINES = "jsonl", _("JSON lines")

    class Encoding(models.TextChoices):
        """A byte-order mark in a file counts more."""

        UTF_8 = "utf-8", "UTF-8"
        UTF_16 = "utf-16-le", "UTF-16"
        WINDOWS = "cp1252", _("Windows (Western)")
        LATIN = "iso-8859-1", "ISO 8859-1"

    class Delimiter(models.TextChoices):
        COMMA = ",", _("comma")
        SEMICOLON = ";", _("semicolon")
        TAB = "\t", _("tab")
        BAR = "|", _("vertical bar")

    class Mark(models.TextChoices):
        POINT = ".", _("point: 1234.50 or 1,234.50")
        COMMA = ",", _("comma: 1234,50 or 1.234,50")

    class Units(models.TextChoices):
        MAJOR = "major", _("major units: 12.50")
        MINOR = "minor", _("minor units: 1250")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        unique=True,
        max_length=40,
        db_collation="C",
        validators=[
            RegexValidator(r"\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z", _("Small letters, digits and hyphens."))
        ],
        help_text=_("Games and the command call it by this name. It cannot be changed later."),
    )
    game = models.ForeignKey(Game, models.PROTECT, null=True, blank=True, related_name="+")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, blank=True, related_name="+")
    format = models.CharField(max_length=5, choices=Format.choices, default=Format.CSV)
    encoding = models.CharField(
        max_length=10,
        choices=Encoding.choices,
        default=Encoding.UTF_8,
        help_text=_("A byte-order mark at the beginning of a file counts more."),
    )
    delimiter = models.CharField(
        max_length=1, choices=Delimiter.choices, default=Delimiter.COMMA, help_text=_("Of CSV.")
    )
    decimal_mark = models.CharField(max_length=1, choices=Mark.choices, default=Mark.POINT)
    units = models.CharField(_("amounts are in"), max_length=5, choices=Units.choices, default=Units.MAJOR)
    zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        help_text=_("Of times that name none: UTC, or a name such as Europe/Berlin."),
    )
    time_pattern = models.CharField(
        max_length=40,
        blank=True,
        help_text=_(
            "Empty: ISO 8601, or seconds or milliseconds since 1970. "
            "Otherwise as %d.%m.%Y %H:%M:%S (day, month, year, hour, minute, second)."
        ),
    )
    currency = models.ForeignKey(
        Currency,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Of rows that name none."),
    )
    tolerance_seconds = models.PositiveIntegerField(
        default=300,
        validators=[MaxValueValidator(7 * 86_400)],
        help_text=_("Times may differ by so many seconds."),
    )
    lists_all = models.BooleanField(
        _("lists everything"),
        default=False,
        help_text=_(
            "Whether its files also name what was not confirmed: pending, rolled back, expired. "
            "If off, only what is confirmed here must be there."
        ),
    )
    # Which column of the file is what: {"id": "transaction_id", "amount": "value", …}; and what its words
    # are here: {"type": {"BET": "withdrawal"}, "state": {"OK": "confirmed"}}.
    columns = models.JSONField(default=dict, blank=True)
    words = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("manage_reconciliation", _("Can add sources of reconciliation and choose their columns")),
            ("upload_reconciliation", _("Can upload files to be reconciled")),
        ]
        ordering = ["name"]
        verbose_name = _("reconciliation source")
        verbose_name_plural = _("reconciliation sources")
        constraints = [
            models.CheckConstraint(
                name="reconciliation_source_is_a_game_or_a_provider",
                condition=Q(game__isnull=False, provider__isnull=True)
                | Q(game__isnull=True, provider__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReconciliationFile(models.Model):
    """A file, and how far its comparison has come: whoever goes on with it begins there."""

    class State(models.TextChoices):
        ARRIVING = "arriving", _("arriving")
        WAITING = "waiting", _("waits for its columns to be chosen")
        READING = "reading", _("its rows are compared")
        SEARCHING = "searching", _("missing transactions are looked for")
        ENDING = "ending", _("what is settled since is closed")
        DONE = "done", _("compared")
        FAILED = "failed", _("could not be compared")

    # In this order; each is some batches of work.
    WORKED_ON = (State.READING, State.SEARCHING, State.ENDING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(ReconciliationSource, models.PROTECT, related_name="files", db_index=False)
    name = models.CharField(max_length=120)
    # As it arrived, in bytes; and their SHA-256 in hexadecimal digits, once all are there.
    size = models.BigIntegerField()
    arrived = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, db_collation="C")
    uploaded_by = models.CharField(max_length=80)
    began_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True, blank=True)
    # Differences that were seen before, and not since, are no more.
    compared_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # What was opened and settled in this time has to be in the file; if not said, its first and last time.
    covers_from = models.DateTimeField(null=True, blank=True)
    covers_until = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.ARRIVING)
    # Where the next batch begins: lines and bytes that are read; the last transaction that was looked at.
    lines_read = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    cursor = models.UUIDField(null=True, blank=True)
    first_at = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    rows = models.BigIntegerField(default=0)
    matched = models.BigIntegerField(default=0)
    matched_by_amount = models.BigIntegerField(default=0)
    # Here, and of a state that has to be in the file, but at an edge of its time.
    at_edges = models.BigIntegerField(default=0)
    # Differences, and those of them that were decided before.
    found = models.BigIntegerField(default=0)
    decided_before = models.BigIntegerField(default=0)
    problem = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = _("reconciliation file")
        verbose_name_plural = _("reconciliation files")
        constraints = [
            models.CheckConstraint(
                name="reconciliation_file_size_is_positive",
                condition=Q(size__gt=0) & Q(arrived__gte=0) & Q(size__gte=models.F("arrived")),
            ),
        ]
        indexes = [
            models.Index(fields=["source", "-id"], name="reconciliation_by_source"),
            models.Index(
                fields=["id"],
                name="reconciliation_under_way",
                condition=Q(state__in=["reading", "searching", "ending"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReconciliationPart(models.Model):
    """A part of a file as it arrived: any web server takes one in, and any worker reads it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    file = models.ForeignKey(ReconciliationFile, models.PROTECT, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["file", "number"], name="reconciliation_part_once_per_file"),
        ]

    def __str__(self) -> str:
        return f"{self.file_id} {self.number}"


class ReconciliationRow(models.Model):
    """A row of a file that is under way, as the ledger would have it; deleted when the file is done."""

    pk = models.CompositePrimaryKey("file_id", "line")
    file = models.ForeignKey(ReconciliationFile, models.PROTECT, related_name="+", db_index=False)
    line = models.BigIntegerField()
    # What it is found by: the partner's id of it, or ours; empty if it has neither.
    key = models.CharField(max_length=255, blank=True, db_collation="C")
    type = models.CharField(max_length=12, db_collation="C")
    player = models.CharField(max_length=64, blank=True, db_collation="C")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=12, db_collation="C")
    state = models.CharField(max_length=9, db_collation="C")
    at = models.DateTimeField(null=True)
    # What it is here; absent if nothing is.
    match = models.UUIDField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["file", "key"], name="reconciliation_row_by_key"),
            models.Index(
                fields=["file", "match"],
                name="reconciliation_row_by_match",
                condition=Q(match__isnull=False),
            ),
            models.Index(
                fields=["file", "at"], name="reconciliation_row_unmatched", condition=Q(match__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_id} {self.line}"


class Difference(models.Model):
    """What a partner's file says otherwise than the ledger; kept until a person has decided about it."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", _("missing here")
        MISSING_THERE = "missing_there", _("missing in the file")
        AMOUNT = "amount", _("other amount")
        CURRENCY = "currency", _("other currency")
        STATE = "state", _("other state")
        DUPLICATE = "duplicate", _("twice in the file")
        TIME = "time", _("other time")
        UNREADABLE = "unreadable", _("unreadable row")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        EXPLAINED = "explained", _("explained")
        RESOLVING = "resolving", _("waits for an approval")
        ACCEPTED = "accepted", _("accepted")
        RESOLVED = "resolved", _("resolved")

    UNDECIDED = (State.OPEN, State.EXPLAINED, State.RESOLVING)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(
        ReconciliationSource, models.PROTECT, related_name="differences", db_index=False
    )
    # The last file that said so, and the line there; what is missing there has none.
    file = models.ForeignKey(ReconciliationFile, models.PROTECT, related_name="differences")
    line = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=13, choices=Kind.choices, db_collation="C")
    # What the difference is: the same in a later file is the same difference.
    fingerprint = models.BinaryField(max_length=32)
    key = models.CharField(_("id in the file"), max_length=255, blank=True, db_collation="C")
    type = models.CharField(max_length=12, blank=True, db_collation="C")
    # Of a game's file a transaction, of a provider's a payment or a refund.
    match = models.UUIDField(null=True, blank=True)
    player = models.ForeignKey(Player, models.PROTECT, null=True, blank=True, related_name="+")
    # Both sides, as they were when the file was compared.
    theirs = models.JSONField(default=dict)
    ours = models.JSONField(default=dict)
    # What it is about in minor units, if that is one figure.
    amount = models.BigIntegerField(null=True, blank=True)
    currency_code = models.CharField(max_length=12, blank=True, db_collation="C")
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN, db_collation="C")
    owner = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    note = models.CharField(max_length=255, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    # What was requested to resolve it.
    approval = models.UUIDField(null=True, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("decide_difference", _("Can explain, accept and resolve differences of reconciled files"))
        ]
        verbose_name = _("difference of a file")
        verbose_name_plural = _("differences of files")
        constraints = [
            models.UniqueConstraint(fields=["source", "fingerprint"], name="difference_once_per_source"),
        ]
        indexes = [
            models.Index(
                fields=["first_seen_at", "id"],
                name="difference_undecided",
                condition=Q(state__in=["open", "explained", "resolving"]),
            ),
            models.Index(fields=["state", "-id"], name="difference_by_state"),
            models.Index(fields=["match"], name="difference_by_match", condition=Q(match__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key or self.match or self.line}"
