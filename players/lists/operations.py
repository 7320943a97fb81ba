"""What operators do with lists: they choose columns, and save, rename and remove views."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import Q, QuerySet

from lib.backoffice.chosen_columns import STANDARD
from lib.backoffice.languages import _, format_lazy
from lib.clock import now
from players.models import MOST_VIEW_NAME, ListColumns, ListView, Operator

# For each list: views of one operator, and views that are shared.
MOST_OWN = MOST_SHARED = 20
# To rename and remove shared views of others: of whoever does not work here any more, too.
REMOVE_OTHERS = "players.manage_operators"


class ViewRefused(Exception):
    """The view cannot be saved or named so; the text says why."""


def keep_columns(operator: Operator, model: str, columns: str) -> None:
    """Keeps a choice of columns; the standard one needs no row."""
    kept = ListColumns.objects.filter(operator=operator, list=model)
    if columns == STANDARD:
        kept.delete()
    elif not kept.update(columns=columns):
        ListColumns.objects.create(operator=operator, list=model, columns=columns)


def views_of(operator: Operator, model: str) -> QuerySet[ListView]:
    """The views of a list that an operator may use: shared ones first, each kind by name."""
    views = ListView.objects.filter(Q(is_shared=True) | Q(operator=operator), list=model)
    return views.select_related("operator").order_by("-is_shared", "name")[: MOST_OWN + MOST_SHARED]


@transaction.atomic
def save_view(
    operator: Operator, model: str, name: str, params: Mapping[str, str], *, is_shared: bool
) -> ListView:
    """Saves a view. Raises `ViewRefused` if the name cannot be had, or there are too many."""
    # Of two at once one waits, and counts what the other has saved.
    Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    view = ListView(operator=operator, list=model, is_shared=is_shared, params=dict(params), made_at=now())
    most = MOST_SHARED if is_shared else MOST_OWN
    if siblings_of(view).count() >= most:
        raise ViewRefused(
            format_lazy(_("There are {most} such views of this list already. Remove one first."), most=most)
        )
    view.name = free_name(view, name)
    view.save()
    return view


def rename_view(view: ListView, name: str) -> None:
    """Gives a view another name. Raises `ViewRefused` if it cannot be had."""
    view.name = free_name(view, name)
    view.save(update_fields=["name"])


def remove_view(view: ListView) -> None:
    ListView.objects.filter(pk=view.pk).delete()


def free_name(view: ListView, text: str) -> str:
    """The name that a text spells, if no other such view has it."""
    name = " ".join(text.split())
    if not name or len(name) > MOST_VIEW_NAME or not name.isprintable():
        raise ViewRefused(
            format_lazy(_("A view needs a name of at most {number} characters."), number=MOST_VIEW_NAME)
        )
    if siblings_of(view).filter(name=name).exclude(pk=view.pk).exists():
        raise ViewRefused(format_lazy(_("There is a view “{name}” of this list already."), name=name))
    return name


def siblings_of(view: ListView) -> QuerySet[ListView]:
    """The views among which a name is taken once: the shared ones, or those of one operator."""
    whose = Q(is_shared=True) if view.is_shared else Q(is_shared=False, operator=view.operator_id)
    return ListView.objects.filter(whose, list=view.list)


def may_change(operator: Operator, view: ListView) -> bool:
    """Whether the operator may rename and remove a view: their own, or a shared one of somebody else."""
    return view.operator_id == operator.pk or (view.is_shared and operator.has_perm(REMOVE_OTHERS))
