"""Which columns of a list an operator sees: the standard ones, without some and with others."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.utils import label_for_field
from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice.kept_choices import KEEPING

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    AnyAdmin = ModelAdmin[Any]
else:
    AnyAdmin = object

# The parameter of an address, and its value for the list as it is for whoever has chosen nothing.
COLUMNS, STANDARD = "columns", "standard"
MOST_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    """How a list differs from the standard. Names that it does not know do nothing."""

    left_out: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> "Choice":
        """The choice that an address spells: names, those left out with a sign before them."""
        names = [name for name in text[:MOST_TEXT].split(",") if name != STANDARD]
        left_out = (name[1:] for name in names if name.startswith("-"))
        return cls(frozenset(left_out), frozenset(name for name in names if not name.startswith("-")) - {""})

    def __str__(self) -> str:
        names = [*(f"-{name}" for name in sorted(self.left_out)), *sorted(self.added)]
        return ",".join(names) or STANDARD

    def of(self, standard: Sequence[str], further: Iterable[str]) -> tuple[str, ...]:
        """The columns that are shown. The first, which leads to the row, always is."""
        first, *rest = standard
        kept = [name for name in rest if name not in self.left_out]
        return (first, *kept, *(name for name in further if name in self.added and name not in standard))

    def changed(self, standard: Sequence[str], further: Iterable[str], ticked: Collection[str]) -> "Choice":
        """The choice after a form. What it has not offered, in another selection of the list, stays."""
        more = set(further) - set(standard)
        offered = {*standard[1:], *more}
        return Choice(
            (self.left_out - offered) | {name for name in standard[1:] if name not in ticked},
            (self.added - offered) | {name for name in more if name in ticked},
        )


class OfferedColumn(NamedTuple):
    name: str
    label: str
    is_shown: bool


class ColumnsInAddress(SimpleListFilter):
    """Lets the address of a list name columns; it narrows nothing."""

    title = parameter_name = COLUMNS

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class ChosenColumns(AnyAdmin):
    """A list whose columns each operator chooses; `further_columns` are shown only to who asks for them."""

    further_columns: ClassVar[tuple[str, ...]] = ()

    def standard_columns(self, request: HttpRequest) -> Sequence[str]:
        """The columns for whoever has chosen none; they may depend on the selection."""
        return self.list_display  # type: ignore[return-value]

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.choice_in(request).of(self.standard_columns(request), self.further_columns)

    def choice_in(self, request: HttpRequest) -> Choice:
        """What the address says, or else what the operator has kept."""
        return Choice.read(request.GET.get(COLUMNS) or self.kept_columns(request))

    def kept_columns(self, request: HttpRequest) -> str:
        """Read once for a page: Django asks for the columns several times."""
        known: dict[str, str] = request.__dict__.setdefault("kept_columns", {})
        name = self.opts.label_lower
        if name not in known:
            known[name] = KEEPING.there.columns(request, name)
        return known[name]

    def offered_columns(self, request: HttpRequest) -> list[OfferedColumn]:
        """All but the first, for a form."""
        standard = list(self.standard_columns(request))
        names = [*standard[1:], *(name for name in self.further_columns if name not in standard)]
        shown = self.get_list_display(request)
        return [
            OfferedColumn(name, str(label_for_field(name, self.model, model_admin=self)), name in shown)
            for name in names
        ]
