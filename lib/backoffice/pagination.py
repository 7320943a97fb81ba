"""Lists of big tables: never counted, always newest first; a page costs the same on five million rows."""

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ShowFacets
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from lib.backoffice.chosen_columns import COLUMNS
from lib.backoffice.conditions import ConditionFilter, in_bounds
from lib.backoffice.lists import is_searched, looked_back_to
from lib.backoffice.pages import ReadOnlyAdmin
from lib.backoffice.sections import read_page as read_page

if TYPE_CHECKING:
    from django.contrib.admin.views.main import ChangeList

    AnyPaginator = Paginator[Any]
else:
    from unfold.views import ChangeList

    AnyPaginator = Paginator

# How far back a list can be turned, in rows: what is older is found by searching. It bounds OFFSET.
MOST_ROWS = 10_000


class InfinitePaginator(AnyPaginator):
    """Pages of a list that is never counted. Unfold knows by this class's name that `count` is no count."""

    template_name = "admin/page_turner.html"
    has_more = False

    @cached_property
    def count(self) -> int:
        return MOST_ROWS

    def page(self, number: int | str) -> Page[Any]:
        """One row more is read than shown: it tells whether there is another page."""
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        rows = list(self.object_list[first : first + self.per_page + 1])
        self.has_more = len(rows) > self.per_page and number < self.num_pages
        return Page(rows[: self.per_page], number, self)


class NewestFirst(ChangeList):
    """A list in the order of its primary key, a UUIDv7, whatever the address asks for.

    Other orders would sort the whole table.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-pk"]

    def get_filters(self, request: HttpRequest) -> Any:
        specs, _, *rest = super().get_filters(request)
        # The form above the list has the conditions: no button for them besides.
        return (specs, any(not isinstance(spec, ConditionFilter) for spec in specs), *rest)

    @property
    def condition_names(self) -> set[str]:
        """For the template: what its form sends."""
        return {one.name for one in self.page.conditions}

    @property
    def page(self) -> ReadOnlyAdmin:
        assert isinstance(self.model_admin, ReadOnlyAdmin)
        return self.model_admin

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The rows; what no index narrows looks through the newest ones, and says how far back."""
        rows: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        self.looked_back_to = ""
        if is_searched(request) or list(self.get_ordering(request, rows)) != ["-pk"]:
            return rows
        known = self.page.conditions
        rows, key = in_bounds(rows, self.root_queryset, known, request.GET.dict())
        self.looked_back_to = looked_back_to(key)
        return rows


def read_number(text: str) -> int | None:
    """The number of a row in an address, or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def one_page(rows: QuerySet[Any], number: int, size: int) -> tuple[list[Any], bool]:
    """Page `number` of some rows, and whether there is another page."""
    first = (number - 1) * size
    found = list(rows[first : first + size + 1])
    return found[:size], len(found) > size


class BigTableAdmin(ReadOnlyAdmin):
    """A read-only list over a table that grows for ever."""

    paginator = InfinitePaginator
    reads_standby = True
    show_full_result_count = False
    sortable_by = ()
    list_fullwidth = True
    # Facets count.
    show_facets = ShowFacets.NEVER

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestFirst

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        # Other conditions in the address than the filters that are offered could read the whole table.
        offered = {getattr(one, "parameter_name", None) for one in self.list_filter}
        return lookup in offered | {COLUMNS} | {one.name for one in self.conditions}
