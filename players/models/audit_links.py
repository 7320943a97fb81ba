"""The hash chain over the audit trail, in a table of its own: rows of the trail itself never change."""

from django.db import models

from players.models.audit_events import AuditEvent


class AuditLink(models.Model):
    """One link: which act comes at this place, and the hash over it and the link before.

    Append-only by trigger. How a hash is made stands in `players/audit_trail/act_hash.py`.
    """

    seq = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(AuditEvent, models.PROTECT, related_name="link")
    hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"link {self.seq}"
