"""The audit trail: what operators did, tried, and were refused."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from lib.backoffice.languages import _
from lib.backoffice.recorded_acts import Outcome
from lib.ids import new_id
from players.models.operators import Operator


class AuditEvent(models.Model):
    """One act of an operator, or of a command on the machine. Never changed or deleted: triggers see to it.

    `before` and `after` are what was known of the subject, in plain values and without secrets
    (`players/audit_trail/snapshots.py`); `note` says what came of the act.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    # Empty if it was a command, or a log-in under a name that nobody has.
    operator = models.ForeignKey(
        Operator, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    username = models.CharField(_("operator"), max_length=150, blank=True, db_collation="C")
    roles = ArrayField(models.CharField(max_length=150), help_text=_("The roles that the operator had then."))
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    session = models.CharField(
        max_length=16, blank=True, help_text=_("Names the operator's session; nobody can use it.")
    )
    action = models.CharField(max_length=64, db_collation="C")
    subject_type = models.CharField(max_length=80, blank=True, db_collation="C")
    subject_id = models.CharField(max_length=150, blank=True, db_collation="C")
    subject_name = models.CharField(_("object"), max_length=200, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    reason = models.CharField(max_length=255, blank=True)
    note = models.TextField(blank=True)
    approval_id = models.UUIDField(null=True, blank=True)
    outcome = models.CharField(max_length=7, choices=Outcome.choices, db_collation="C")

    class Meta:
        default_permissions = ()
        permissions = [
            ("read_audit", _("Can read the audit trail")),
            ("export", _("Can export lists")),
        ]
        verbose_name = _("audit event")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-id"], name="audit_event_by_subject"),
            models.Index(fields=["username", "-id"], name="audit_event_by_operator"),
            models.Index(fields=["action", "-id"], name="audit_event_by_action"),
            models.Index(fields=["outcome", "-id"], name="audit_event_by_outcome"),
            models.Index(fields=["address", "-id"], name="audit_event_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.action.replace('_', ' ')} by {self.username}"
