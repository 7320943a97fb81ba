"""The admin's page of roles: what each may do, and who has it. It is only looked at: the table is code."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from config.roles import PURPOSES
from config.roles_table import Right, acts, pages
from lib.backoffice import columns
from lib.backoffice.formatting import link, mono, sentence, wrapped
from lib.backoffice.languages import _
from lib.backoffice.pages import PageAdmin, Section
from players.models import Operator

ACT_HEADERS, PAGE_HEADERS = (_("Act"), _("Permission"), _("Roles")), (_("Pages"), _("Roles"))
MOST_OPERATORS = 100

admin.site.unregister(Group)
# What Django calls a group is a role here.
Group._meta.verbose_name, Group._meta.verbose_name_plural = _("role"), _("roles")  # noqa: SLF001 (documented)


@admin.register(Group)
class RoleAdmin(PageAdmin):
    """A role, as config/roles.py has it."""

    actions = None
    empty_text = _("Roles are made by `manage.py migrate`.")
    list_display = ("name", "purpose", "operators")
    list_after_template = "admin/sections.html"
    ordering = ("name",)
    fields: ClassVar[tuple[str, ...]] = ("name", "purpose", "operators")

    purpose = columns.text(_("is for"), lambda row: PURPOSES.get(row.name, ""))
    operators = columns.number(_("active operators"), "active")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        roles: QuerySet[Group] = super().get_queryset(request)
        return roles.annotate(active=Count("user", filter=Q(user__is_active=True)))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All roles, and below them who may do what."""
        table = [acts_section(_("Who may do what"), acts()), pages_section(_("Who sees what"), pages())]
        response: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "sections": table, "subtitle": None}
        )
        return response

    def sections(self, request: HttpRequest, obj: Group) -> list[Section]:
        held = [right for right in acts() if obj.name in right.roles]
        seen = [right for right in pages() if obj.name in right.roles]
        return [
            operators_section(obj),
            acts_section(_("May do"), held),
            pages_section(_("Sees"), seen),
        ]


def acts_section(title: str, rights: list[Right]) -> Section:
    rows = [(sentence(right.words), mono(right.name), wrapped(right.who)) for right in rights]
    return Section(Group, title, ACT_HEADERS, rows, _("Nothing: it only looks."))


def pages_section(title: str, rights: list[Right]) -> Section:
    rows = [(sentence(right.words), right.who) for right in rights]
    return Section(Group, title, PAGE_HEADERS, rows, _("Nothing."))


def operators_section(role: Group) -> Section:
    """The operators who have a role, the active ones first."""
    found = Operator.objects.filter(groups=role).order_by("-is_active", "username")[:MOST_OPERATORS]
    rows = [
        (
            link(one.username, "players_operator_change", one.pk),
            one.get_full_name() or "",
            _("active") if one.is_active else _("deactivated"),
        )
        for one in found
    ]
    headers = (_("Operator"), _("Name"), _("State"))
    return Section(Operator, _("Operators with this role"), headers, rows, _("Nobody has this role."))
