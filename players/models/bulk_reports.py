"""What acts on many rows did with each of them."""

from django.db import models

from lib.backoffice.languages import _
from lib.ids import new_id
from players.models.operators import Operator


class BulkReport(models.Model):
    """The report of one act, for whoever acted: what came of it for each row, by the row's key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+", db_index=False)
    title = models.CharField(max_length=80)
    words = models.CharField(max_length=500)
    # The rows' model, as payments.delivery.
    list = models.CharField(max_length=60)
    outcomes = models.JSONField()
    # The page that the act belongs to.
    back = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name = _("report of an act on many rows")
        verbose_name_plural = _("reports of acts on many rows")
        indexes = [models.Index(fields=["operator", "-id"], name="bulk_report_by_operator")]

    def __str__(self) -> str:
        return self.title
