"""Sources of files: whose they are, how they are written, and which of their columns is what."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.formatting import badge, clipped
from lib.backoffice.forms import SelectWidget, TextareaWidget
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin, Section
from lib.backoffice.recorded_forms import acts_section
from payments.models import ReconciliationFile, ReconciliationSource
from payments.nudges import nudge
from payments.reconciliation.columns import FIELDS, STATES, known_types
from payments.reconciliation.files import NotTaken, compare_again
from payments.reconciliation.samples import Sample, newest_file, sample_of
from payments.tasks import reconcile_task

if TYPE_CHECKING:
    SourceModelForm = forms.ModelForm[ReconciliationSource]
else:
    SourceModelForm = forms.ModelForm

MANAGE = "payments.manage_reconciliation"
State = ReconciliationFile.State
NO_COLUMN = _("no such column")
LONGEST_WORDS = 4_000
SAMPLE_TIME = datetime(2026, 1, 31, 23, 59, 58, tzinfo=UTC)


class SourceForm(SourceModelForm):
    """A game's or a provider's, and readable settings."""

    def clean_zone(self) -> str:
        name: str = self.cleaned_data["zone"]
        if name not in available_timezones():
            raise ValidationError(_("No time zone has this name. Enter one such as UTC or Europe/Berlin."))
        ZoneInfo(name)
        return name

    def clean_time_pattern(self) -> str:
        pattern: str = self.cleaned_data["time_pattern"]
        try:
            if pattern:
                datetime.strptime(SAMPLE_TIME.strftime(pattern), pattern)  # noqa: DTZ007 (only tried)
        except ValueError:
            raise ValidationError(_("This is no pattern of times, such as %d.%m.%Y %H:%M:%S.")) from None
        return pattern

    def clean(self) -> dict[str, Any] | None:
        given = super().clean() or self.cleaned_data
        if "game" in given and bool(given.get("game")) == bool(given.get("provider")):
            self.add_error("game", _("Choose a game or a provider, and not both."))
        return given


class ColumnsForm(forms.Form):
    """Which column is what, and what the words in it mean."""

    def __init__(self, data: QueryDict | None, source: ReconciliationSource, sample: Sample) -> None:
        super().__init__(data)
        self.known: dict[str, Any] = {}
        offered = [("", NO_COLUMN), *((name, name) for name in sample.names)]
        for field, label in FIELDS.items():
            self.fields[field] = forms.ChoiceField(
                label=label,
                choices=offered,
                required=field == "amount",
                widget=SelectWidget,
                initial=source.columns.get(field, ""),
            )
        types, states = known_types(source), STATES
        self.add_words("types", source.words.get("type", {}), types, _("Words in the column of types"))
        self.add_words("states", source.words.get("state", {}), states, _("Words in the column of states"))
        self.fields["type_without"] = forms.ChoiceField(
            label=_("Type of rows that name none"),
            choices=[("", _("none: such a row cannot be read")), *types.items()],
            required=False,
            widget=SelectWidget,
            initial=source.words.get("type", {}).get("", ""),
        )

    def add_words(self, name: str, own: dict[str, str], known: Any, label: str) -> None:
        text = _("One a line, as in WORD = meaning. Usual words are known. Meanings: {meanings}.")
        self.fields[name] = forms.CharField(
            label=label,
            required=False,
            max_length=LONGEST_WORDS,
            widget=TextareaWidget(attrs={"rows": 4}),
            initial="\n".join(f"{word} = {meaning}" for word, meaning in own.items() if word),
            help_text=format_lazy(text, meanings=", ".join(known)),
        )
        self.known[name] = known

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not (given.get("id") or given.get("our_id") or given.get("at")):
            self.add_error("id", _("Choose an id, ours or theirs, or else the time."))
        for name in ("types", "states"):
            try:
                given[name] = words_in(given.get(name, ""), self.known[name])
            except ValidationError as problem:
                self.add_error(name, problem)
        return given


def words_in(text: str, known: Any) -> dict[str, str]:
    """The words of a form and what each means. Raises `ValidationError`."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        word, mark, meaning = (part.strip() for part in line.rpartition("="))
        if not mark or not word or meaning not in known:
            raise ValidationError(format_lazy(_("“{line}” names no meaning that is known."), line=line[:60]))
        found[word] = meaning
    return found


class ChooseColumns(PageAction[ReconciliationSource]):
    """Shows the first rows of the newest file, and remembers which column is what for all that follow."""

    title, permission = _("Choose the columns"), MANAGE

    def sample(self, row: ReconciliationSource) -> Sample:
        """Raises `Refused`."""
        file = newest_file(row)
        if file is None:
            raise Refused(_("Upload a file of this source first: its first rows are shown here."))
        sample = sample_of(file)
        if not sample.names:
            words = _("Its newest file has no rows that can be read. {problem}")
            raise Refused(format_lazy(words, problem=sample.problem))
        return sample

    def form_for(self, row: ReconciliationSource, data: QueryDict | None) -> ColumnsForm:
        return ColumnsForm(data, row, self.sample(row))

    def page(self, row: ReconciliationSource) -> Page:
        sample = self.sample(row)
        rows = [[clipped(line.get(name, "")) for name in sample.names] for line in sample.rows]
        preview = Section(ReconciliationSource, _("The first rows"), sample.names, rows, _("It has no rows."))
        says = [_("What is chosen here is remembered, and holds for every further file of this source.")]
        return Page(_("Which column is what?"), says, _("Remember"), sections=[preview])

    def do(self, act: Act[ReconciliationSource]) -> str:
        given, source = act.given, act.row
        source.columns = {field: given[field] for field in FIELDS if given.get(field)}
        without = {"": given["type_without"]} if given.get("type_without") else {}
        source.words = {"type": given["types"] | without, "state": given["states"]}
        source.save(update_fields=["columns", "words"])
        for file in ReconciliationFile.objects.filter(source=source, state=State.WAITING):
            try:
                compare_again(file)
            except NotTaken as problem:
                raise Refused(problem.args[0]) from problem
        return _("The columns are remembered, and files that waited for them are compared.")

    def afterwards(self, act: Act[ReconciliationSource], done: str) -> str:
        nudge(reconcile_task)
        return done


@admin.register(ReconciliationSource)
class ReconciliationSourceAdmin(PageAdmin):
    """A source of files."""

    form = SourceForm
    add_permission = change_permission = MANAGE
    actions_detail = ("choose_columns",)
    choose_columns = ChooseColumns()
    empty_text = _("No game's or provider's files are compared yet.")
    head_columns = HeadColumns(["shown_state"], [], ["owner_name"])
    list_display = ("name", "owner_name", "format", "shown_state")
    fields = (
        *("name", "game", "provider", "format", "encoding", "delimiter", "decimal_mark", "units"),
        *("currency", "zone", "time_pattern", "tolerance_seconds", "lists_all"),
    )

    owner_name = columns.text(_("of"), lambda row: (row.game or row.provider).slug)
    shown_state = columns.text(
        _("columns"),
        lambda row: badge(_("chosen"), "success") if row.columns else badge(_("not chosen"), "warning"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReconciliationSource]:
        rows: QuerySet[ReconciliationSource] = super().get_queryset(request)
        return rows.select_related("game", "provider")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "game", "provider") if obj else ()

    def sections(self, request: HttpRequest, obj: ReconciliationSource) -> list[Section]:
        rows = [
            (label, clipped(obj.columns[field])) for field, label in FIELDS.items() if field in obj.columns
        ]
        headers = (_("What"), _("Column of the file"))
        empty = _("No columns are chosen yet: upload a file, then choose them.")
        chosen = Section(ReconciliationSource, _("Columns"), headers, rows, empty)
        return [chosen, acts_section(request, obj, 1)]
