"""What the platform does by itself: job runs, signs of life, outages, inquiries about due transactions."""

from django.db import models
from django.db.models import F, Q

from lib.backoffice.languages import _
from lib.ids import new_id
from players.models import Game, Player
from wallet.models.leased import Leased
from wallet.models.ledger import Transaction


class JobRun(models.Model):
    """One run of a scheduled job. A run without an end is under way, or its worker was lost."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task = models.CharField(max_length=40, db_collation="C")
    worker = models.CharField(max_length=120)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    note = models.CharField(max_length=255, blank=True)
    error = models.CharField(max_length=500, blank=True)
    # Of the rolling audit: every change before it has been replayed, and the next run goes on from there.
    read_up_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index("task", F("began_at").desc(), name="run_by_task"),
            models.Index(F("began_at").desc(), name="run_newest"),
            # What operators look for among the many runs that had nothing to do.
            models.Index(F("began_at").desc(), name="run_busy", condition=Q(looked_at__gt=0)),
            models.Index(F("began_at").desc(), name="run_failed", condition=Q(failed__gt=0) | ~Q(error="")),
            models.Index(F("began_at").desc(), name="run_unfinished", condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.began_at:%Y-%m-%d %H:%M}"


class Pulse(models.Model):
    """When a part of the platform last showed that it lives."""

    class Part(models.TextChoices):
        """`web`: a process that serves requests.

        `queue`: a message that went through the broker to a worker.
        """

        WEB = "web", "web"
        QUEUE = "queue", "queue"

    part = models.CharField(primary_key=True, max_length=10, choices=Part.choices, db_collation="C")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.part


class Outage(models.Model):
    """A time in which no web process left its heartbeat: games could not settle (contract 2.4)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(F("ended_at").desc(), name="outage_newest")]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M} to {self.ended_at:%Y-%m-%d %H:%M}"


class Inquiry(Leased):
    """What the platform does about one due transaction that no rule settles at once: it asks the game, or
    leaves it to an operator.
    """

    class Doubt(models.TextChoices):
        """Why a person has to decide."""

        HELD = "held", _("the game has no query URL, and its policy is to hold")
        UNKNOWN_DEPOSIT = "unknown_deposit", _("the game does not know this deposit")
        PENDING_TOO_LONG = "pending_too_long", _("the game has answered PENDING for 7 days")
        UNREACHABLE = "unreachable", _("the game has given no usable answer for 7 days")
        GAME_FORGETS = "game_forgets", _("the game no longer knows most of its transactions")

    class Answer(models.TextChoices):
        """The game's word, or that there was none."""

        CONFIRMED = "confirmed", "CONFIRMED"
        ROLLED_BACK = "rolled_back", "ROLLED_BACK"
        UNKNOWN = "unknown", "UNKNOWN"
        PENDING = "pending", "PENDING"
        UNUSABLE = "unusable", _("no usable answer")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    transaction = models.OneToOneField(
        Transaction, models.PROTECT, related_name="inquiry", db_constraint=False
    )
    player = models.ForeignKey(Player, models.PROTECT, related_name="+", db_index=False)
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_index=False)
    began_at = models.DateTimeField()
    questions_asked = models.PositiveIntegerField(default=0)
    # How often in a row there was no usable answer, and since when.
    unusable_in_a_row = models.PositiveIntegerField(default=0)
    unusable_since = models.DateTimeField(null=True, blank=True)
    # How often the game said so, and when first; a game that says PENDING knows the transaction after all.
    unknown_answers = models.PositiveIntegerField(default=0)
    unknown_since = models.DateTimeField(null=True, blank=True)
    pending_answers = models.PositiveIntegerField(default=0)
    pending_since = models.DateTimeField(null=True, blank=True)
    last_answer = models.CharField(max_length=11, choices=Answer.choices, blank=True)
    doubt = models.CharField(max_length=16, choices=Doubt.choices, blank=True)
    doubt_since = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [
            ("settle_transaction", _("Can settle transactions by hand")),
        ]
        verbose_name_plural = _("manual review")
        constraints = [
            models.CheckConstraint(
                name="inquiry_doubt_has_a_beginning",
                condition=Q(doubt="", doubt_since=None) | (~Q(doubt="") & Q(doubt_since__isnull=False)),
            ),
            models.CheckConstraint(
                name="inquiry_is_asked_doubted_or_closed",
                condition=Q(next_attempt_at__isnull=False) | ~Q(doubt="") | Q(closed_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="inquiry_to_ask",
                condition=Q(closed_at=None, next_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["doubt_since"],
                name="inquiry_in_doubt",
                condition=Q(closed_at=None, doubt_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return str(self.transaction_id)


class Question(models.Model):
    """One question about a transaction, written down before it is sent.

    Without an answer, its status is unknown.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    inquiry = models.ForeignKey(Inquiry, models.PROTECT, related_name="questions")
    game = models.ForeignKey(Game, models.PROTECT, related_name="+", db_index=False)
    asked_by = models.CharField(max_length=120)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=11, choices=Inquiry.Answer.choices, blank=True)
    problem = models.CharField(
        max_length=120, blank=True, help_text="The reason for which the answer was not usable."
    )
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.CharField(max_length=500, blank=True, help_text="The beginning of the game's answer.")
    took_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            # A game's last words: without those that were none, of which there may be very many.
            models.Index(
                "game",
                F("answered_at").desc(),
                name="question_by_game",
                condition=Q(answer__in=["confirmed", "rolled_back", "unknown", "pending"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M:%S} {self.answer or 'no answer yet'}"
