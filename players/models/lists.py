"""What operators keep of lists: which columns they see, and views under a name."""

from django.db import models
from django.db.models import Q

from lib.backoffice.languages import _
from lib.ids import new_id
from players.models.operators import Operator

MOST_LIST_NAME, MOST_VIEW_NAME, MOST_COLUMNS = 60, 60, 1_000


class ListColumns(models.Model):
    """An operator's choice of columns for a list, as an address has it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+", db_index=False)
    # The list's model, as players.player.
    list = models.CharField(max_length=MOST_LIST_NAME, db_collation="C")
    columns = models.CharField(max_length=MOST_COLUMNS)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(name="columns_once_per_list", fields=["operator", "list"])]

    def __str__(self) -> str:
        return f"columns of {self.list}"


class ListView(models.Model):
    """Parameters of a list under a name: of one operator, or shared with everybody who sees the list."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="+", db_index=False)
    list = models.CharField(max_length=MOST_LIST_NAME, db_collation="C")
    name = models.CharField(max_length=MOST_VIEW_NAME, db_collation="C")
    is_shared = models.BooleanField(default=False)
    # As an address has them, but that an order has names of columns in place of numbers.
    params = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name = _("view of a list")
        verbose_name_plural = _("views of lists")
        constraints = [
            models.UniqueConstraint(
                name="own_view_once_per_name",
                fields=["operator", "list", "name"],
                condition=Q(is_shared=False),
            ),
            models.UniqueConstraint(
                name="shared_view_once_per_name", fields=["list", "name"], condition=Q(is_shared=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name
