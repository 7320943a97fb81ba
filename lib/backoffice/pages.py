"""The parts that all pages of the admin share: the operator, permissions, the head, sections below it."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, URLField
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import reverse

from lib.backoffice.bulk_reports import Came, RowOutcome
from lib.backoffice.chosen_columns import COLUMNS
from lib.backoffice.heads import Head, HeadColumns, head_of
from lib.backoffice.languages import _
from lib.backoffice.lists import EXPORT, ExportedList, NarrowedList, RawRow
from lib.backoffice.own_changes import own_change
from lib.backoffice.recorded_acts import RECORDING
from lib.backoffice.recorded_forms import RecordedForms
from lib.backoffice.recorded_forms import UnfoldAdmin as UnfoldAdmin
from lib.backoffice.saved_views import ViewedList
from lib.backoffice.sections import Section as Section
from lib.backoffice.standby_words import read_from
from lib.standby import STANDBY

# To save views for everybody who sees the list.
SHARE = "players.share_views"


def read_uuid(text: str) -> UUID | None:
    """The UUID that a text spells, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def actor(user: AbstractBaseUser | AnonymousUser) -> str:
    """An operator's name in the journal and in histories, at most 80 characters."""
    return f"operator:{user.get_username()}"[:80]


def view_permission(model: type[Model]) -> str:
    """The name of the permission to see the pages of a model: Django's, or else the first of its own."""
    options = model._meta  # noqa: SLF001 (documented)
    if "view" not in options.default_permissions and options.permissions:
        return f"{options.app_label}.{options.permissions[0][0]}"
    return f"{options.app_label}.view_{options.model_name}"


class PageAdmin(NarrowedList, ExportedList, ViewedList, RawRow, RecordedForms):
    """A page whose rows are never deleted: a head, `sections`, then fields. What its form does is recorded.

    `add_permission` and `change_permission` name who may add a row or change its fields; None: nobody.
    """

    add_permission: ClassVar[str | None] = None
    change_permission: ClassVar[str | None] = None
    # Whether a row's page says something of a person: that somebody opened it is recorded.
    shows_person: ClassVar[bool] = False
    # Actions that stand beside a section of the page (`section_acts`), and not above it all.
    actions_in_sections: ClassVar[tuple[str, ...]] = ()
    # Whether its list is read from a standby, if there is one; pages of one row never are.
    reads_standby: ClassVar[bool] = False
    list_per_page = 25
    list_before_template = "admin/list_head.html"
    change_form_outer_before_template = "admin/thing.html"
    change_form_outer_after_template = "admin/thing_after.html"
    head_columns: ClassVar[HeadColumns] = HeadColumns()
    empty_text = _("There is nothing here yet.")
    # What checks an item of a field that is a list: the form then says what is wrong with the item.
    item_validators: ClassVar[dict[str, Callable[[str], None]]] = {}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm(view_permission(self.model)))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.add_permission is not None and request.user.has_perm(self.add_permission)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.change_permission is not None and request.user.has_perm(self.change_permission)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Those of `sensible_actions` that stand above the page."""
        offered = self.sensible_actions(request, object_id)
        return [action for action in offered if action.path not in self.actions_in_sections]

    def section_acts(self, request: HttpRequest, obj: Model) -> list[tuple[str, str]]:
        """The titles and addresses of those that stand beside a section."""
        return [
            (action.description, reverse(f"{self.admin_site.name}:{action.action_name}", args=(obj.pk,)))
            for action in self.sensible_actions(request, obj.pk)
            if action.path in self.actions_in_sections
        ]

    def sensible_actions(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The page's actions that this operator may use, and that make sense for the row.

        A page asks twice, for what stands above it and in its sections: the row is looked at once.
        """
        known: dict[str, list[Any]] = vars(request).setdefault("sensible_actions", {})
        if str(object_id) not in known:
            offered: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
            id = read_uuid(str(object_id))
            pointless = self.pointless_actions(id) if offered and id else set()
            allowed = permitted(request, offered)
            known[str(object_id)] = [action for action in allowed if action.path not in pointless]
        return known[str(object_id)]

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """The list's actions that this operator may use."""
        return permitted(request, super().get_actions_list(request))  # type: ignore[misc]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Of a row that is there, only what the form has: the application may not change the rest."""
        if change:
            own = {field.name for field in obj._meta.concrete_fields}  # noqa: SLF001 (documented)
            obj.save(update_fields=own & set(form.cleaned_data))
        else:
            obj.save()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only conditions of the filters that are offered: others tell of columns that no page shows."""
        is_offered = lookup.partition("__")[0] in filtered_by(self.list_filter)
        return lookup == COLUMNS or (is_offered and bool(super().lookup_allowed(lookup, value, request)))

    def pointless_actions(self, id: UUID) -> set[str]:
        """The actions that change nothing about the row as it is now."""
        return set()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if isinstance(db_field, URLField):
            # Django's default becomes this with version 6.
            kwargs["assume_scheme"] = "https"
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and db_field.name in self.item_validators:
            field.base_field.validators.append(self.item_validators[db_field.name])
        return field

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.reads_standby or request.method != "GET":
            return self.listed(request, extra_context)
        return STANDBY.read(lambda: rendered(self.listed(request, extra_context)), own_change(request))

    def listed(self, request: HttpRequest, extra_context: dict[str, Any] | None) -> HttpResponse:
        """The list as Django has it, with its head."""
        response: HttpResponse = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        # A redirect has none, nor has what Django says of conditions that it cannot read.
        if context and "cl" in context:
            context.update({**self.list_head(request), **(extra_context or {})})
        return response

    def list_head(self, request: HttpRequest) -> dict[str, Any]:
        """What stands above the rows."""
        names, fields = str(self.opts.verbose_name_plural), self.condition_fields(request)
        links = self.view_links(request, fields)
        return {
            "title": names[:1].upper() + names[1:],
            "fields": fields,
            "is_narrowed": any(request.GET.get(one.name) for one in self.conditions),
            "may_export": request.user.has_perm(EXPORT),
            "query": request.GET.urlencode(),
            "offered_columns": self.offered_columns(request),
            "view_links": links,
            "chosen_link": next((link for link in links if link.is_chosen), None),
            "may_share": request.user.has_perm(SHARE),
            "read_from": read_from(),
        }

    def title_of(self, row: Any) -> str:
        """What a person would call a row: in its page's title and wherever it is listed among others."""
        return str(row)

    def came_of(self, row: Any) -> RowOutcome:
        """What has become of a row since an act on many set it going."""
        return RowOutcome(Came.DONE)

    def head(self, request: HttpRequest, obj: Any) -> Head:
        """What stands above everything else on a row's page."""
        return head_of(self, obj)

    def sections(self, request: HttpRequest, obj: Any) -> list[Section]:
        """The tables below the head. Which of them an operator sees, each says itself (`of`)."""
        return []

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj:
            context["subtitle"] = self.title_of(obj)
            context["is_stored"] = True
            context["head"] = self.head(request, obj)
        if obj and self.shows_person and request.method == "GET":
            RECORDING.there.record_look(request, obj)
        context["sections"] = [
            section
            for section in (self.sections(request, obj) if obj else [])
            if request.user.has_perm(view_permission(section.of))
        ]
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response


def rendered(response: HttpResponse) -> HttpResponse:
    """The same, with all rows that it shows read."""
    if isinstance(response, SimpleTemplateResponse):
        response.render()
    return response


def filtered_by(filters: Iterable[Any]) -> set[str]:
    """The names that a list's filters have in its address: of fields, or of their own."""
    plain = [offered[0] if isinstance(offered, tuple) else offered for offered in filters]
    return {one if isinstance(one, str) else one.parameter_name for one in plain}


def permitted(request: HttpRequest, offered: list[Any]) -> list[Any]:
    """Those of unfold's actions that this operator may use."""
    return [action for action in offered if request.user.has_perm(action.method.permission)]


class ReadOnlyAdmin(PageAdmin):
    """Money and history: no form adds, changes or deletes a row; operations do, after a confirmation."""

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return tuple(str(name) for name in self.fields or ())
