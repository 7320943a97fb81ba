"""What is stopped for everybody at once (contract 2.5)."""

from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id


class PlatformSwitch(models.Model):
    """One thing that one operator stops for all games and players, and two start again.

    There is one row for each name, made by a migration. The ledger reads them with every opening.
    """

    class Name(models.TextChoices):
        """GAMING off: no launches, no new withdrawals (103). OPENINGS off: nothing new begins (503)."""

        GAMING = "gaming", _("gaming")
        OPENINGS = "openings", _("new transactions")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=8, unique=True, choices=Name.choices, db_collation="C")
    is_active = models.BooleanField(_("is on"), default=True)
    # When, by whom and why it was switched last; empty before the first time.
    switched_at = models.DateTimeField(null=True, blank=True)
    switched_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("stop_platform", _("Can stop gaming, and new transactions, for everybody"))]
        verbose_name = _("platform switch")
        verbose_name_plural = _("platform switches")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="platform_switch_is_known", condition=Q(name__in=["gaming", "openings"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.Name(self.name).label)
