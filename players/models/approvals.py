"""Acts that need a second person: what was requested, how it ended, and the rules of who may act alone."""

from django.db import models
from django.db.models import F, Q

from lib.backoffice.languages import _
from lib.id_ends import IdEnd
from lib.ids import new_id
from players.models.operators import Operator
from players.models.players import Player

# Of a rule: the longest that a request may wait.
MOST_HOURS = 720


class Approval(models.Model):
    """One act as an operator requested it, with the effect that the request showed.

    What was asked never changes, and it ends once, decided by somebody else (triggers hold both).
    """

    class State(models.TextChoices):
        REQUESTED = "requested", _("waiting")
        EXECUTED = "executed", _("executed")
        NOT_EXECUTABLE = "not_executable", _("not executable")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")

    # Made with the form: sending the form twice is one request.
    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=40, db_collation="C")
    # The row that it is about: the model's label, its key, and its name at the time.
    subject_type = models.CharField(max_length=40, db_collation="C")
    subject_id = models.CharField(max_length=64, db_collation="C")
    subject_name = models.CharField(max_length=200)
    # Whose page has it: the player that this row is, or belongs to.
    player = models.ForeignKey(Player, models.PROTECT, null=True, related_name="+", db_index=False)
    # What the act needs, without secrets.
    payload = models.JSONField()
    # A secret of it, by `lib.security.encryption`; emptied when the request ends.
    sealed = models.CharField(max_length=4000, blank=True)
    title = models.CharField(max_length=300)
    # The effect, as it was shown: rows of a label, its words before, and after; and sentences.
    effect = models.JSONField()
    says = models.JSONField()
    digest = models.CharField(max_length=64)
    # Of money, in minor units; None if the act moves none.
    amount = models.BigIntegerField(null=True)
    currency_code = models.CharField(max_length=12, blank=True, db_collation="C")
    requested_by = models.ForeignKey(Operator, models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    reason = models.CharField(max_length=255)
    # Whether the rules let the requester act alone.
    is_alone = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=14, choices=State.choices, default=State.REQUESTED)
    decided_by = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", db_index=False)
    decision_reason = models.CharField(max_length=255, blank=True)
    ended_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=500, blank=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                name="approval_ended_if_not_requested",
                condition=Q(state="requested", ended_at=None, decided_by=None)
                | (~Q(state="requested") & Q(ended_at__isnull=False, sealed="")),
            ),
            models.CheckConstraint(
                name="approval_is_decided_by_a_second_person",
                condition=Q(is_alone=True, state__in=["requested", "executed"], decided_by=None)
                | Q(is_alone=False, state="requested")
                | (
                    Q(
                        is_alone=False,
                        state__in=["executed", "not_executable", "declined"],
                        decided_by__isnull=False,
                    )
                    & ~Q(decided_by=F("requested_by"))
                )
                | Q(is_alone=False, state="withdrawn", decided_by=F("requested_by"))
                | Q(is_alone=False, state="expired", decided_by=None),
            ),
            models.CheckConstraint(
                name="approval_amount_has_a_currency",
                condition=Q(amount=None, currency_code="") | (Q(amount__gt=0) & ~Q(currency_code="")),
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="approval_waiting", condition=Q(state="requested")),
            models.Index(fields=["requested_by", "requested_at"], name="approval_by_requester"),
            models.Index(fields=["subject_type", "subject_id"], name="approval_by_subject"),
            models.Index(
                fields=["player", "-id"], name="approval_by_player", condition=Q(player__isnull=False)
            ),
            models.Index(IdEnd("id"), name="approval_by_id_end"),
        ]

    def __str__(self) -> str:
        return self.title


class ApprovalEvent(models.Model):
    """One thing that happened to a request, kept for ever (append-only by trigger)."""

    class What(models.TextChoices):
        REQUESTED = "requested", _("requested")
        APPROVED = "approved", _("approved")
        EXECUTED = "executed", _("executed")
        NOT_EXECUTABLE = "not_executable", _("not executable")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    approval = models.ForeignKey(Approval, models.PROTECT, related_name="events", db_index=False)
    what = models.CharField(max_length=14, choices=What.choices)
    # None: the platform.
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="+", db_index=False)
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["approval", "at"], name="approval_event_by_approval")]

    def __str__(self) -> str:
        return self.what


class ApprovalRule(models.Model):
    """What one person may do alone, of one kind in one currency, and how long a request waits.

    Without a rule, nothing is done alone, and a request waits 72 hours.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=40, db_collation="C")
    currency_code = models.CharField(
        _("currency"),
        max_length=12,
        blank=True,
        db_collation="C",
        help_text=_("Empty: the rule is about how long requests wait, in any currency."),
    )
    alone_up_to = models.BigIntegerField(
        default=0,
        help_text=_(
            "The amount up to which one person may act alone on one object within 24 hours, in "
            "minor units. 0: nobody acts alone."
        ),
    )
    alone_per_day = models.BigIntegerField(
        default=0, help_text=_("What one person may do alone within 24 hours in total, in minor units.")
    )
    hours = models.PositiveSmallIntegerField(
        _("hours to decide"), default=72, help_text=_("A request that nobody has decided by then expires.")
    )

    class Meta:
        default_permissions = ("view",)
        permissions = [("manage_approval_rules", _("Can change what one person may do alone"))]
        ordering = ["kind", "currency_code"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "currency_code"], name="approval_rule_once"),
            models.CheckConstraint(
                name="approval_rule_amounts_have_a_currency",
                condition=Q(currency_code="", alone_up_to=0, alone_per_day=0)
                | (~Q(currency_code="") & Q(alone_up_to__gte=0, alone_per_day__gte=F("alone_up_to"))),
            ),
            models.CheckConstraint(
                name="approval_rule_hours_1_to_720", condition=Q(hours__gte=1, hours__lte=MOST_HOURS)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')}, {self.currency_code or 'any currency'}"
