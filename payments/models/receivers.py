"""Who is sent the feed of events (docs/events.md)."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id
from wallet.models.leased import Leased

TYPES = r"[a-z_]+\.[a-z_]*"


def validate_types(text: str) -> None:
    """Refuses what no type of an event begins with."""
    try:
        RegexValidator(rf"\A{TYPES}\Z")(text)
    except ValidationError as problem:
        raise ValidationError(
            _("%(text)s is no beginning of types such as withdrawal. or limit.set."), params={"text": text}
        ) from problem


class EventReceiver(Leased):
    """Somebody who is sent every event, a few in a message, and the next ones once these are taken.

    The cursor is the place up to which they are taken, as `wallet.events.cursor.Cursor` has it. `batch_id`,
    `batch_end` (a position) and `batch_at` are of the message that is under way: it is repeated with the same
    id and the same events until it is taken.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        _("name"),
        max_length=40,
        unique=True,
        db_collation="C",
        validators=[
            RegexValidator(r"\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\Z", _("Small letters, digits and hyphens."))
        ],
        help_text=_("Alerts and metrics call it by this name. It cannot be changed later."),
    )
    url = models.URLField(
        _("URL"),
        max_length=500,
        validators=[URLValidator(schemes=["https", "http"])],
        help_text=_("The address that events are sent to."),
    )
    types = ArrayField(
        models.CharField(max_length=60, validators=[validate_types]),
        default=list,
        blank=True,
        verbose_name=_("types"),
        help_text=_(
            "Beginnings of the types that are sent, such as withdrawal. or limit., separated by commas. "
            "Empty: all of them."
        ),
    )
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Since when the events after the cursor are not there any more: an operator has to say that it goes on.
    lost_at = models.DateTimeField(null=True, blank=True, editable=False)
    cursor_day = models.DateField(default=date.min, editable=False)
    cursor_position = models.BigIntegerField(default=0, editable=False)
    cursor_mark = models.CharField(max_length=8, blank=True, editable=False, db_collation="C")
    batch_id = models.UUIDField(null=True, blank=True, editable=False)
    batch_end = models.BigIntegerField(null=True, blank=True, editable=False)
    batch_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Of the present message, as long as it is not taken; and since when none was.
    attempts = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    taken_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempted_at = models.DateTimeField(null=True, blank=True, editable=False)
    status = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    problem = models.CharField(max_length=120, blank=True, editable=False)
    took_ms = models.PositiveIntegerField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="receiver_batch_is_whole",
                condition=Q(batch_id=None, batch_end=None, batch_at=None)
                | Q(batch_id__isnull=False, batch_end__isnull=False, batch_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name
