"""Views of a list that are saved by name: what is filtered, in which order, and with which columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.http import HttpRequest, QueryDict
from django.utils.http import urlencode

from lib.backoffice.chosen_columns import COLUMNS, Choice, ChosenColumns
from lib.backoffice.kept_choices import KEEPING, SavedView

MOST_NAME, MOST_PARAMS, MOST_VALUE = 60, 30, 200
# What is searched for is mostly somebody's name or id: it is of one question, and no part of a view.
NEVER_SAVED = {SEARCH_VAR, PAGE_VAR, ALL_VAR, ERROR_FLAG}


class ViewLink(NamedTuple):
    """A view above a list: where it leads, whether it is what is shown, and what the list does not know."""

    view: SavedView
    address: str
    is_chosen: bool
    dropped: Sequence[str]


class ViewedList(ChosenColumns):
    """A list with saved views as links above it. They hold nothing that the list does not know."""

    def view_links(self, request: HttpRequest, fields: Iterable[Mapping[str, Any]]) -> list[ViewLink]:
        """All views for this operator; `fields` are those of the form with the conditions."""
        offered = {field["name"]: {value for value, _ in field["choices"]} for field in fields}
        shown = self.shown_params(request)
        links = []
        for view in KEEPING.there.views(request, self.opts.label_lower):
            known, dropped = self.known_params(request, view.params, offered)
            links.append(ViewLink(view, f"?{urlencode(known)}", known == shown, dropped))
        return links

    def shown_params(self, request: HttpRequest) -> dict[str, str]:
        """What the list is shown with, but for a search in it."""
        given = {name: str(value) for name, value in request.GET.items() if value}
        shown = {name: value for name, value in given.items() if name not in NEVER_SAVED}
        return shown | {COLUMNS: str(self.choice_in(request))}

    def known_params(
        self, request: HttpRequest, params: Mapping[str, str], offered: Mapping[str, set[str]]
    ) -> tuple[dict[str, str], list[str]]:
        """Of a view's parameters those that the list knows, as in an address, and the names of the others."""
        known: dict[str, str] = {}
        for name, value in params.items():
            text = self.order_in_numbers(request, params, value) if name == ORDER_VAR else value
            choices = offered.get(name)
            is_known = self.knows(request, name, value) and not (choices and value not in choices)
            if is_known and text:
                known[name] = text
        return known, sorted(set(params) - set(known))

    def knows(self, request: HttpRequest, name: str, value: str) -> bool:
        """Whether the list has such a parameter."""
        if name == ORDER_VAR:
            return bool(self.get_sortable_by(request))
        return name not in NEVER_SAVED and self.lookup_allowed(name, value, request)

    def params_to_save(self, request: HttpRequest) -> dict[str, str]:
        """What the list is shown with, as a view keeps it: it names columns that an address numbers."""
        found = {
            name: value[:MOST_VALUE] if name != COLUMNS else value
            for name, value in self.shown_params(request).items()
            if self.knows(request, name, value)
        }
        if ORDER_VAR in found:
            found[ORDER_VAR] = self.order_in_names(request, found[ORDER_VAR])
        return {name: value for name, value in list(found.items())[:MOST_PARAMS] if value}

    def order_in_names(self, request: HttpRequest, numbers: str) -> str:
        """An order by the numbers of columns, with their names in place of them."""
        columns, names = self.get_list_display(request), []
        for part in numbers.split("."):
            sign, number = ("-", part[1:]) if part.startswith("-") else ("", part)
            if number.isascii() and number.isdigit() and int(number[:4]) < len(columns):
                names.append(f"{sign}{columns[int(number[:4])]}")
        return ",".join(names)

    def order_in_numbers(self, request: HttpRequest, params: Mapping[str, str], names: str) -> str:
        """The same the other way around, by the columns of the view; without those that are no more."""
        standard = self.standard_columns(request)
        columns = Choice.read(params.get(COLUMNS, "")).of(standard, self.further_columns)
        numbers = []
        for name in names.split(","):
            sign, column = ("-", name[1:]) if name.startswith("-") else ("", name)
            if column in columns:
                numbers.append(f"{sign}{columns.index(column)}")
        return ".".join(numbers)


def without_columns(query: QueryDict) -> QueryDict:
    """A list's address as it was, for columns that were chosen anew: an order goes by their numbers."""
    kept = query.copy()
    for name in (COLUMNS, ORDER_VAR, ERROR_FLAG):
        kept.pop(name, None)
    return kept
