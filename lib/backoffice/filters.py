"""Lists with named selections as links above them, each in an order that has an index, none counted."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice.languages import _
from lib.backoffice.pagination import BigTableAdmin, NewestFirst

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList
else:
    from unfold.views import ChangeList

Rows = QuerySet[Any]
# How the pages before and after are called, if a list is not newest first.
OLDEST_FIRST, SOONEST_FIRST = (_("Older"), _("Newer")), (_("Sooner"), _("Later"))


def everything(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True, slots=True)
class Selection:
    """Some rows of a list, their order, the words for none, and the names of the pages before and after."""

    title: str
    select: Callable[[Rows], Rows] = everything
    order: tuple[Any, ...] = ("-pk",)
    empty: str = ""
    turning: tuple[str, str] = (_("Newer"), _("Older"))


class Selections(SimpleListFilter):
    """The first selection is what a list shows unasked; a search that names none looks through `searched`."""

    title = _("view")
    parameter_name = "view"
    offered: ClassVar[dict[str, Selection]]
    searched: ClassVar[str] = ""
    # Whether the order of the list is this filter's.
    orders: ClassVar[bool] = True

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, selection.title) for name, selection in self.offered.items()]

    @classmethod
    def name_in(cls, request: HttpRequest) -> str:
        """The name of the selection that an address asks for."""
        asked = request.GET.get(cls.parameter_name, "")
        return asked if asked in cls.offered else cls.unasked(request)

    @classmethod
    def unasked(cls, request: HttpRequest) -> str:
        """The name of the selection that is shown if the address names none."""
        return cls.searched if cls.searched and request.GET.get(SEARCH_VAR) else next(iter(cls.offered))

    @property
    def chosen(self) -> Selection:
        return self.offered[self.name_in(self.request)]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        return self.chosen.select(queryset)

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        chosen, unasked = self.name_in(self.request), self.unasked(self.request)
        for name, selection in self.offered.items():
            # Left out if it is not needed: a search from there then looks through all.
            address = changelist.get_query_string({self.parameter_name: None if name == unasked else name})
            yield {"selected": name == chosen, "query_string": address, "display": selection.title}


class SelectedList(NewestFirst):
    """A list in the order of its selection."""

    @property
    def selections(self) -> list[Selections]:
        return [spec for spec in self.filter_specs if isinstance(spec, Selections)]

    @property
    def rows_of_links(self) -> list[tuple[str, list[Any]]]:
        """For the template: the name of each filter, and its links."""
        return [(spec.title, list(spec.choices(self))) for spec in self.selections]

    @property
    def empty_words(self) -> str:
        """The selection's own words for having no rows, if nothing else narrows it."""
        return next((spec.chosen.empty for spec in self.selections if spec.chosen.empty), "")

    def get_filters(self, request: HttpRequest) -> Any:
        specs, _, *rest = super().get_filters(request)
        # The links above the list are the filters: no button for them besides.
        return (specs, False, *rest)

    @property
    def ordered(self) -> Selection | None:
        """The selection that the order of the list is of."""
        return next((spec.chosen for spec in self.selections if spec.orders), None)

    @property
    def turning(self) -> tuple[str, str] | None:
        return self.ordered.turning if self.ordered else None

    def get_ordering(self, request: HttpRequest, queryset: Rows) -> list[Any]:
        return list(self.ordered.order) if self.ordered else super().get_ordering(request, queryset)


class SelectingAdmin(BigTableAdmin):
    """A list whose filters are all `Selections`."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SelectedList
